"""The synchronous, ROS-free loop: one process, one environment, one seed at a time.

It trains any learner on any Gymnasium environment with Box observations and actions, so that
algorithms can be compared quickly before they run on robots.
"""

import sys
from dataclasses import asdict, dataclass
from typing import Any

import gymnasium
from numpy.typing import NDArray

from naf_robot.core.config import Config
from naf_robot.core.records import TransitionBatch, concatenate
from naf_robot.core.seeding import derived_seed, stream
from naf_robot.learning.exploration import OrnsteinUhlenbeck
from naf_robot.learning.learner_batch import learner_batch
from naf_robot.learning.policy import Policy
from naf_robot.learning.registry import make_learner
from naf_robot.learning.replay_buffer import ReplayBuffer
from naf_robot.run.ratio import RatioLimiter
from naf_robot.study.config import StudyOptions
from naf_robot.study.gym_episodes import box_environment, evaluate, explore

UPDATE_PERIOD = 32  # env steps between calls of the learner; the policy acts unchanged through an episode


@dataclass
class Evaluation:
    """Greedy episodes after `episodes` training episodes."""

    episodes: int
    env_steps: int
    updates: int
    success_rate: float | None  # None where the environment does not report success
    mean_return: float
    mean_final_distance: float | None
    confirmed_success_rate: float | None = None  # over the confirmation episodes, where they were run


class Study:
    """One seed's training from scratch on `environment`, evaluated on `held_out`.

    The loop that drives it::

        study = Study(environment, held_out, "naf", config, options, seed)
        while not study.is_over:
            transitions = study.train()
            if study.evaluation_is_due:
                row = study.evaluate()

    Between two turns of that loop, transitions, learner and `counters` are its whole state; the
    episodes of an environment must depend on the seed that it is reset with alone.
    """

    def __init__(
        self,
        environment: gymnasium.Env,
        held_out: gymnasium.Env,
        algorithm: str,
        config: Config,
        options: StudyOptions,
        seed: int,
    ) -> None:
        self.options, self.seed = options, seed
        self._environment, self._held_out = box_environment(environment), box_environment(held_out)
        (size,), (actions,) = self._environment.observation_space.shape, self._environment.action_space.shape
        self.observation_size, self.action_size = size, actions
        self.replay = ReplayBuffer(options.replay_capacity, size, actions, success_fraction=options.success_fraction)
        self.learner = make_learner(algorithm, config, size, actions, self.replay, derived_seed(seed, "learner"))
        self._random = stream(seed, "exploration")
        self._noise = OrnsteinUhlenbeck(options.exploration, actions, self._random)
        self._ratio = RatioLimiter(options.updates_per_transition, 0, options.learning_starts)
        self.episodes = 0  # trained on
        self.env_steps = 0
        self.rows: list[dict[str, Any]] = []  # the learning curve: one per evaluation

    @property
    def is_over(self) -> bool:
        """Whether all episodes are done, or an evaluation reached the required success."""
        return self.episodes >= self.options.episodes or (bool(self.rows) and self._is_good(self.rows[-1]))

    @property
    def evaluation_is_due(self) -> bool:
        """Whether the episodes since the last evaluation are complete."""
        return self.episodes % self.options.evaluate_every == 0

    def train(self) -> TransitionBatch:
        """One exploring episode with the updates that are due in it; its transitions."""
        episode = self.episodes + 1
        transitions = []
        reset_seed = derived_seed(self.seed, "reset") + episode
        for transition in explore(self._environment, self.policy(), self._noise, episode, reset_seed):
            transitions.append(transition)
            self.add(transition)
            over = bool(transition.terminated[0] or transition.truncated[0])
            if self.env_steps % UPDATE_PERIOD == 0 or over:
                count = self._ratio.allowed_updates(self.env_steps, self.learner.updates, at_most=sys.maxsize)
                if count > 0:
                    self.learner.update(count)
        self.episodes = episode
        self._noise.note(bool(transitions[-1].success[0]))
        return concatenate(transitions)

    def add(self, transitions: TransitionBatch) -> None:
        """Add `transitions` to the learner's replay buffer."""
        self.replay.add(learner_batch(transitions, self.options))
        self.env_steps += len(transitions)

    def evaluate(self) -> dict[str, Any]:
        """Greedy held-out episodes now; the new row of the learning curve."""
        policy, options = self.policy(), self.options
        success, returns, distance = evaluate(
            self._held_out, policy, options.evaluation_episodes, derived_seed(self.seed, "held-out", self.episodes)
        )
        row = Evaluation(self.episodes, self.env_steps, self.learner.updates, success, returns, distance)
        if options.confirmation_episodes > 0 and success is not None and success >= options.stop_at_success:
            row.confirmed_success_rate, *_ = evaluate(
                self._held_out,
                policy,
                options.confirmation_episodes,
                derived_seed(self.seed, "confirmation", self.episodes),
            )
        self.rows.append(asdict(row))
        return self.rows[-1]

    def policy(self) -> Policy:
        """The learner's current policy."""
        return Policy.from_arrays(self.learner.policy_arrays())

    def counters(self) -> dict[str, Any]:
        """The state outside learner and transitions, as JSON values."""
        return {
            "seed": self.seed,
            "episodes": self.episodes,
            "transitions": self.env_steps,
            "exploration": self._random.bit_generator.state,
            "outcomes": list(self._noise.outcomes),
            "curve": self.rows,
        }

    def go_on_from(self, learner_state: dict[str, NDArray], counters: dict[str, Any]) -> None:
        """Restore the state of another process between two episodes; its transitions were added before.

        Raises:
            CheckpointError: the learner's state is of another configuration.
            KeyError, TypeError, ValueError: `counters` are not those of a study.
        """
        self._random.bit_generator.state = counters["exploration"]
        self._noise.outcomes.extend(bool(success) for success in counters["outcomes"])
        self.episodes, self.rows = int(counters["episodes"]), list(counters["curve"])
        self.learner.load_state(learner_state)

    def _is_good(self, row: dict[str, Any]) -> bool:
        asked = ["success_rate"] + ["confirmed_success_rate"] * (self.options.confirmation_episodes > 0)
        return all(row[name] is not None and row[name] >= self.options.stop_at_success for name in asked)
