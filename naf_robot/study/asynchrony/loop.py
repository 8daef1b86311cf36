"""Several robots and one trainer in lockstep: the trainer makes a fixed number of updates while each makes one step.

As in Algorithm 1 and section V-C of Gu et al. 2016, in one process, so that it repeats exactly: every robot loads
the newest policy at the start of its episodes alone, and the trainer learns from what all of them have by then.
"""

from collections import deque
from collections.abc import Iterator, Sequence

import gymnasium

from naf_robot.core.config import Config
from naf_robot.core.seeding import derived_seed, stream
from naf_robot.core.transitions import transitions_of
from naf_robot.experience.recorder import EpisodeRecorder
from naf_robot.learning.algorithm import ONLINE, AlgorithmSetup, Budget, NewPolicy, policy_for
from naf_robot.learning.behaviour import BehaviourPolicy
from naf_robot.learning.learner_batch import learner_batch
from naf_robot.learning.registry import make_algorithm
from naf_robot.study.asynchrony.variants import Variant
from naf_robot.study.config import StudyOptions
from naf_robot.study.gym_episodes import box_environment, explore, step_spec
from naf_robot.study.observations import Observations

BLOCK = 32  # updates that are made at a time
KEPT_EVERY = 100  # updates between policies that are kept for robots that shall load an old one


class LockedStudy:
    """Robots in `environments`, one each, and a trainer that makes `variant.updates_per_period` updates per step.

    The loop that drives it::

        while study.updates < wanted:
            study.period()
    """

    def __init__(
        self,
        environments: Sequence[gymnasium.Env],
        algorithm: str,
        config: Config,
        options: StudyOptions,
        variant: Variant,
        seed: int,
    ) -> None:
        self._options, self._variant = options, variant
        boxes = [box_environment(each) for each in environments]
        observed, (actions,) = Observations(boxes[0].observation_space), boxes[0].action_space.shape
        self._names = tuple(f"robot_{k + 1}" for k in range(len(boxes)))
        self._steps = step_spec(boxes[0])
        setup = AlgorithmSetup(
            observed.size,
            actions,
            derived_seed(seed, "learner"),
            self._names,
            replay_capacity=options.replay_capacity,
            success_fraction=options.success_fraction,
            sources=options.sources,
            images=observed.images,
        )
        self.algorithm = make_algorithm(algorithm, config, setup)
        self.env_steps = self.periods = self.episodes = 0
        self._due = 0.0  # updates that the trainer's clock has had time for
        self._kept: deque[tuple[int, list[NewPolicy]]] = deque([(0, list(self.algorithm.policies()))])
        self.loaded_ages: list[int] = []  # age of each policy that was loaded [updates]
        self._robots = [
            self._robot(name, environment, seed) for name, environment in zip(self._names, boxes, strict=True)
        ]

    @property
    def updates(self) -> int:
        """Gradient updates by now."""
        return self.algorithm.updates

    def period(self) -> None:
        """One control period: a step of every robot, and the updates that the trainer has time for meanwhile.

        Raises:
            EnvironmentFailedError: an exception inside an environment.
        """
        for robot in self._robots:
            next(robot)
        self.periods += 1
        if self.env_steps < self._options.learning_starts:
            return
        self._due += self._variant.updates_per_period
        if self._due >= BLOCK:
            self._learn()

    def current_policy(self) -> NewPolicy:
        """The newest policy, with all updates that are due."""
        self._learn()
        return policy_for(self.algorithm.policies(), self._names[0])

    def _learn(self) -> None:
        count = int(self._due)
        if count:
            self._due -= count
            self.algorithm.work(Budget(count))
        if self._variant.policy_age and self.updates - self._kept[-1][0] >= KEPT_EVERY:
            self._kept.append((self.updates, list(self.algorithm.policies())))
            while len(self._kept) > 1 and self._kept[1][0] <= self.updates - self._variant.policy_age:
                self._kept.popleft()

    def _load_policy(self, name: str) -> NewPolicy:
        """The policy for an episode of robot `name` that begins now."""
        self._learn()
        if not self._variant.policy_age:
            self.loaded_ages.append(0)
            return policy_for(self.algorithm.policies(), name)
        made, policies = self._kept[0]
        self.loaded_ages.append(self.updates - made)
        return policy_for(policies, name)

    def _robot(self, name: str, environment: gymnasium.Env, seed: int) -> Iterator[None]:
        """Episode after episode of one robot; it rests after each step."""
        behaviour = BehaviourPolicy(self._options.exploration, stream(seed, "exploration", name))
        first, episode, success_at = derived_seed(seed, "reset", name), 0, self._options.success_at
        while True:
            episode += 1
            policy = self._load_policy(name)
            behaviour.load(policy.kind, policy.arrays)
            recorder = EpisodeRecorder(self._steps, episode)
            for over in explore(environment, behaviour, recorder, self._steps, first + episode, success_at):
                pair = recorder.newest_pair()
                found = transitions_of(pair, self._steps.observation, continues=recorder.steps > 1)
                self.algorithm.sources[ONLINE].add(learner_batch(found, self._options), name)
                self.env_steps += len(found)
                if over:
                    steps = recorder.take()
                    behaviour.schedule.note(bool(steps is not None and steps.success[-1]))
                    self.episodes += 1
                yield
