"""The behaviour policy of a robot: the newest loaded policy of any kind, and the exploration of that kind."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from naf_robot.learning.exploration import Exploration, ExplorationConfig, ExplorationSchedule
from naf_robot.learning.policies.registry import make_policy
from naf_robot.learning.policy import Pictures, Policy


class BehaviourPolicy:
    """Acts with the newest loaded policy; the exploration schedule and the random stream are kept across policies."""

    def __init__(self, config: ExplorationConfig, generator: np.random.Generator) -> None:
        self.schedule = ExplorationSchedule(config)
        self._generator = generator
        self._policy: Policy | None = None
        self._exploration: Exploration | None = None

    @property
    def next_scale(self) -> float:
        """Scale of the next exploring episode, in the units of the policy's kind."""
        return self.schedule.scale if self._exploration is None else self._exploration.next_scale

    def load(self, kind: str, arrays: Mapping[str, NDArray[np.float32]]) -> None:
        """Act with this policy from now on, between episodes only.

        Raises:
            NafRobotError: an unknown kind, or arrays that are no policy of it; the policy before stays.
        """
        self._policy = make_policy(kind, arrays)
        self._exploration = self._policy.exploration(self.schedule, self._generator)

    def reset(self) -> None:
        """An episode begins."""
        if self._policy is None or self._exploration is None:
            raise RuntimeError("an episode began without a policy")
        self._policy.reset()
        self._exploration.reset()

    def act(self, observation: ArrayLike, greedy: bool, pictures: Pictures | None = None) -> NDArray[np.float32]:
        """The action of this step, shape `(A,)`, in [-1, 1]; for policies that see, `pictures` by camera.

        Raises:
            NafRobotError: an observation or picture of another shape or not finite, or an action that is not finite.
        """
        if self._policy is None:
            raise RuntimeError("an episode began without a policy")
        exploration = None if greedy else self._exploration
        if not pictures:
            return self._policy.act(observation, exploration)
        return self._policy.act(observation, exploration, pictures)
