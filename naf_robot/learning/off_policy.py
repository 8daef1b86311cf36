"""Off-policy actor-critic learning: a learner that takes gradient steps on batches from named sources."""

import time
from collections.abc import Sequence

from numpy.typing import NDArray

from naf_robot.core.config import Config
from naf_robot.core.errors import ConfigError
from naf_robot.learning.algorithm import ONLINE, AlgorithmSetup, Budget, NewPolicy
from naf_robot.learning.cloning import DEMONSTRATION
from naf_robot.learning.policies.registry import MLP
from naf_robot.learning.ramp import is_zero
from naf_robot.learning.registry import make_learner
from naf_robot.learning.replay_buffer import ReplayBuffer
from naf_robot.learning.sources import Batches, Mixture, Source

PREFIX = "sources."  # of the mixture's part of the state
TIMED_UPDATES = 16  # between looks at the clock


class OffPolicyActorCritic:
    """One class for every algorithm that is a `Learner` on replayed transitions: NAF, Linear-NAF, DDPG, SAC.

    With one source the learner draws from it directly, as if there were no mixture, unless it clones demonstrations.

    Raises:
        ConfigError: demonstrations are cloned, but have no share.
    """

    def __init__(self, name: str, config: Config, setup: AlgorithmSetup) -> None:
        self.sources: dict[str, Source] = {
            source: ReplayBuffer(
                setup.replay_capacity,
                setup.observation_size,
                setup.action_size,
                setup.device,
                setup.success_fraction,
                setup.images,
                setup.frame_bytes,
                setup.decoded_bytes,
            )
            for source in dict.fromkeys((ONLINE, *setup.sources.drawn))
        }
        drawn = setup.sources.drawn
        clones = not is_zero(getattr(config, "cloning_weight", 0.0))
        if clones and DEMONSTRATION not in drawn:
            raise ConfigError(
                "algorithm.cloning_weight draws the policy to demonstrations, but none are learned from: give "
                f"trainer.sources.{DEMONSTRATION} a share, or leave it 0"
            )
        mixed = len(drawn) > 1 or clones
        self._mixture = Mixture(self.sources, setup.sources, setup.seed, setup.device) if mixed else None
        batches: Batches = self._mixture or self.sources[drawn[0]]
        sizes = (setup.observation_size, setup.action_size)
        self.learner = make_learner(name, config, *sizes, batches, setup.seed, setup.device, setup.images)

    @property
    def updates(self) -> int:
        """Gradient steps so far, skipped ones included."""
        return self.learner.updates

    def work(self, budget: Budget) -> dict[str, float]:
        """Gradient steps; metrics are means over them, `skipped_updates` is a number.

        Raises:
            NafRobotError: the sources are empty.
        """
        if budget.seconds is None:
            return self.learner.update(budget.updates)
        end_s, done = time.monotonic() + budget.seconds, 0
        total: dict[str, float] = {}
        while done < budget.updates and (done == 0 or time.monotonic() < end_s):
            count = min(TIMED_UPDATES, budget.updates - done)
            for key, value in self.learner.update(count).items():
                total[key] = total.get(key, 0.0) + value * (1 if key == "skipped_updates" else count)
            done += count
        return {key: value if key == "skipped_updates" else value / done for key, value in total.items()}

    def policies(self) -> Sequence[NewPolicy]:
        """The learner's policy, for all robots."""
        return (NewPolicy(self.learner.policy_arrays(), getattr(self.learner, "policy_kind", MLP)),)

    def counters(self) -> dict[str, int]:
        """Transitions that each source holds, where there are several."""
        if len(self.sources) == 1:
            return {}
        return {f"transitions in {name}": len(source) for name, source in self.sources.items()}

    def state(self) -> dict[str, NDArray]:
        """The learner's, and the mixture's where there is one."""
        mixture = self._mixture.state() if self._mixture else {}
        return self.learner.state() | {PREFIX + name: array for name, array in mixture.items()}

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Go on bit for bit.

        Raises:
            CheckpointError: arrays of another configuration or other sources; nothing was changed.
        """
        mixture = {name[len(PREFIX) :]: array for name, array in state.items() if name.startswith(PREFIX)}
        before = self._mixture.state() if self._mixture else {}
        learner = {name: array for name, array in state.items() if not name.startswith(PREFIX)}
        if self._mixture is not None:
            self._mixture.load_state(mixture)
        elif mixture:
            learner |= {PREFIX + name: array for name, array in mixture.items()}  # for the learner to refuse
        try:
            self.learner.load_state(learner)
        except BaseException:
            if self._mixture is not None:
                self._mixture.load_state(before)
            raise
