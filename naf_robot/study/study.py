"""The synchronous, ROS-free loop: one process, one environment, one seed at a time.

It trains any algorithm on any Gymnasium environment with Box observations and actions, so that
algorithms can be compared quickly before they meet robots.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol

import gymnasium
from numpy.typing import NDArray

from naf_robot.core.config import Config
from naf_robot.core.records import StepBatch, StepSpec
from naf_robot.core.seeding import derived_seed, stream
from naf_robot.core.transitions import transitions_of
from naf_robot.experience.recorder import EpisodeRecorder
from naf_robot.learning.algorithm import ONLINE, AlgorithmSetup, Budget, NewPolicy, policy_for
from naf_robot.learning.behaviour import BehaviourPolicy
from naf_robot.learning.learner_batch import learner_batch
from naf_robot.learning.policies.registry import make_policy
from naf_robot.learning.registry import make_algorithm
from naf_robot.learning.source_shares import check_filled
from naf_robot.learning.sources import Source
from naf_robot.run.filling import Filled
from naf_robot.run.ratio import RatioLimiter
from naf_robot.study.config import StudyOptions
from naf_robot.study.evaluations import evaluation_row, is_good
from naf_robot.study.gym_episodes import box_environment, explore, step_spec
from naf_robot.study.observations import Observations

ROBOT = "study"  # whose policy it acts with, where an algorithm addresses them
UPDATE_PERIOD = 32  # env steps between calls of the algorithm; the policy acts unchanged through an episode


class Fill(Protocol):
    """Fills sources before the first episode."""

    @property
    def sources(self) -> Sequence[str]:
        """Those that it fills, where they have a share."""
        ...

    def __call__(self, sources: Mapping[str, Source], steps: StepSpec, /) -> dict[str, Filled]:
        """Give each of its `sources` what is stored for it; what it was given."""
        ...


class Study:
    """One seed's training from scratch on `environment`, evaluated on `held_out`.

    The loop that drives it::

        study = Study(environment, held_out, "naf", config, options, seed)
        while not study.is_over:
            transitions = study.train()
            if study.evaluation_is_due:
                row = study.evaluate()

    Between two turns of that loop, steps, algorithm and `counters` are all that it is; the
    episodes of an environment must depend on the seed that it is reset with alone. What `fill` gives to the sources
    before the first episode counts neither as transitions nor in the ratio of updates to them, as in a trainer.

    Raises:
        ConfigError, StoreError: a source has a share and nothing fills it, or `fill` cannot.
    """

    def __init__(
        self,
        environment: gymnasium.Env,
        held_out: gymnasium.Env,
        algorithm: str,
        config: Config,
        options: StudyOptions,
        seed: int,
        fill: Fill | None = None,
    ) -> None:
        self.options, self.seed = options, seed
        self._environment, self._held_out = box_environment(environment), box_environment(held_out)
        observed, (actions,) = Observations(self._environment.observation_space), self._environment.action_space.shape
        self.observation_size, self.action_size = observed.size, actions
        self.steps = step_spec(self._environment)
        check_filled(options.sources, (ONLINE, *(fill.sources if fill else ())))
        setup = AlgorithmSetup(
            observed.size,
            actions,
            derived_seed(seed, "learner"),
            (ROBOT,),
            replay_capacity=options.replay_capacity,
            success_fraction=options.success_fraction,
            sources=options.sources,
            images=observed.images,
        )
        self.algorithm = make_algorithm(algorithm, config, setup)
        self.filled = fill(self.algorithm.sources, self.steps) if fill else {}
        self._random = stream(seed, "exploration")
        self._behaviour = BehaviourPolicy(options.exploration, self._random)
        self._ratio = RatioLimiter(options.updates_per_transition, 0, options.learning_starts)
        self.episodes = 0  # trained on
        self.env_steps = 0
        self.rows: list[dict[str, Any]] = []  # the learning curve: one per evaluation

    @property
    def is_over(self) -> bool:
        """Whether all episodes are done, or an evaluation reached the required success."""
        return self.episodes >= self.options.episodes or (bool(self.rows) and is_good(self.rows[-1], self.options))

    @property
    def evaluation_is_due(self) -> bool:
        """Whether the episodes since the last evaluation are complete."""
        return self.episodes % self.options.evaluate_every == 0

    def train(self) -> StepBatch:
        """One exploring episode with the updates that are due in it; its steps.

        Raises:
            EnvironmentFailedError: an exception inside the environment.
        """
        episode = self.episodes + 1
        recorder = EpisodeRecorder(self.steps, episode)
        reset_seed = derived_seed(self.seed, "reset") + episode
        current = self.current_policy()
        self._behaviour.load(current.kind, current.arrays)
        success_at = self.options.success_at
        for over in explore(self._environment, self._behaviour, recorder, self.steps, reset_seed, success_at):
            self.add(recorder.newest_pair(), continues=recorder.steps > 1)
            if self.env_steps % UPDATE_PERIOD == 0 or over:
                count = self._ratio.allowed_updates(self.env_steps, self.algorithm.updates, at_most=sys.maxsize)
                if count > 0:
                    self.algorithm.work(Budget(count))
        self.episodes = episode
        steps = recorder.take()
        assert steps is not None, "an episode has at least one step"
        self._behaviour.schedule.note(bool(steps.success[-1]))
        return steps

    def add(self, steps: StepBatch, continues: bool = False) -> None:
        """Let the algorithm have the transitions of `steps`, whose first one may be the last one of those before."""
        transitions = transitions_of(steps, self.steps.observation, continues=continues)
        self.algorithm.sources[ONLINE].add(learner_batch(transitions, self.options))
        self.env_steps += len(transitions)

    def evaluate(self) -> dict[str, Any]:
        """Greedy held-out episodes now; the new row of the learning curve."""
        current, options = self.current_policy(), self.options
        policy = make_policy(current.kind, current.arrays)
        before = int(self.rows[-1].get("evaluation_episodes", 0)) if self.rows else 0
        row = evaluation_row(
            self._held_out, policy, options, self.seed, (self.episodes, self.env_steps, self.algorithm.updates), before
        )
        self.rows.append(row)
        return row

    def current_policy(self) -> NewPolicy:
        """What the algorithm would have a robot act on now."""
        return policy_for(self.algorithm.policies(), ROBOT)

    def counters(self) -> dict[str, Any]:
        """All that is not the algorithm's and not in the steps, as JSON can hold it."""
        return {
            "seed": self.seed,
            "filled": {name: asdict(part) for name, part in self.filled.items()},
            "episodes": self.episodes,
            "transitions": self.env_steps,
            "exploration": self._random.bit_generator.state,
            "outcomes": list(self._behaviour.schedule.outcomes),
            "curve": self.rows,
        }

    def go_on_from(self, state: dict[str, NDArray], counters: dict[str, Any]) -> None:
        """Continue where another process stopped between two episodes; its steps were added before.

        Raises:
            CheckpointError: the algorithm's `state` is of another configuration.
            KeyError, TypeError, ValueError: `counters` are not those of a study.
        """
        self._random.bit_generator.state = counters["exploration"]
        self._behaviour.schedule.outcomes.extend(bool(success) for success in counters["outcomes"])
        self.episodes, self.rows = int(counters["episodes"]), list(counters["curve"])
        self.algorithm.load_state(state)
