"""What every kind of policy offers to whoever acts with it. D observation size, A action size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from naf_robot.core.errors import NafRobotError
from naf_robot.learning.exploration import Exploration, ExplorationSchedule

Pictures = Mapping[str, NDArray[np.uint8]]  # (H, W, 3) by camera


class Policy(Protocol):
    """Turns observations into actions in the canonical box [-1, 1]; a kind is a class with these parts.

    The loop that uses it::

        schedule = ExplorationSchedule(config)
        while collecting:
            policy = make_policy(parameters.kind, parameters.arrays)
            exploration = policy.exploration(schedule, generator)
            policy.reset()
            exploration.reset()
            while not over:
                action = policy.act(observation, None if greedy else exploration)
            schedule.note(success)
    """

    kind: ClassVar[str]  # the name in the registry and in every message

    @property
    def observation_size(self) -> int:
        """D, the length of the flat observation vector that it takes."""
        ...

    @property
    def pictures(self) -> Mapping[str, tuple[int, ...]]:
        """Shape (H, W, 3) of the pictures that it takes, by camera; of others it takes no notice."""
        ...

    @property
    def action_size(self) -> int:
        """A, the length of its action."""
        ...

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float32]]) -> Policy:
        """Build a policy from published arrays; they are copied.

        Raises:
            NafRobotError: an array that is missing, unknown, misshapen or not finite.
        """
        ...

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """The arrays that `from_arrays` reads; copies."""
        ...

    def exploration(self, schedule: ExplorationSchedule, generator: np.random.Generator) -> Exploration:
        """What this policy explores with, from now until the next policy; it draws from `generator`."""
        ...

    def reset(self) -> None:
        """An episode begins."""
        ...

    def act(
        self, observation: ArrayLike, exploration: Exploration | None = None, pictures: Pictures | None = None
    ) -> NDArray[np.float32]:
        """The action of this step, `(A,)`, in [-1, 1], for `observation`, `(D,)`; the next call is the next step.

        Greedy without an `exploration`, which must be of this kind.

        Raises:
            NafRobotError: an observation of another shape or not finite, a picture that is missing or of another
                shape, or an action that is not finite.
        """
        ...

    def action(self, observation: ArrayLike, pictures: Pictures | None = None) -> NDArray[np.float32]:
        """The greedy action of this step, which stays this step.

        Raises:
            NafRobotError: as `act`.
        """
        ...


def checked_observation(observation: ArrayLike, size: int) -> NDArray[np.float32]:
    """`observation` as a float32 vector of `size` numbers.

    Raises:
        NafRobotError: it has another shape or is not finite.
    """
    x = np.asarray(observation, np.float32)
    if x.shape != (size,):
        raise NafRobotError(f"policy takes an observation of shape ({size},), got {x.shape}")
    if not np.isfinite(x).all():
        raise NafRobotError(f"observation is not finite at {np.flatnonzero(~np.isfinite(x)).tolist()}")
    return x


def checked_action(action: NDArray[np.float32]) -> NDArray[np.float32]:
    """`action` if it is finite: weights are, but sums may overflow.

    Raises:
        NafRobotError: it is not.
    """
    if not np.isfinite(action).all():
        raise NafRobotError("policy gave an action that is not finite")
    return action
