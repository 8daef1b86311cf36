"""What a learner sees: transitions, a view of consecutive steps. N transitions, M observations, D and A sizes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from naf_robot.core.array_spec import ObservationSpec
from naf_robot.core.frames import Frames, join
from naf_robot.core.records import StepBatch

OF_ORIGIN = ("action", "requested_action", "reward", "episode")  # what a transition has of its step,
OF_SUCCESSOR = ("terminated", "truncated", "success")  # and of the step after it


@dataclass(frozen=True)
class Transitions:
    """N transitions between M observations: transition i leads from row `origin[i]` to row `successor[i]`.

    With `continues`, row 0 is the last row of the transitions that came before from the same source.
    """

    vectors: NDArray[np.float32]  # (M, D) flat observations
    origin: NDArray[np.int64]  # (N,)
    successor: NDArray[np.int64]  # (N,)
    action: NDArray[np.float32]  # (N, A) the one to learn from
    requested_action: NDArray[np.float32]  # (N, A)
    reward: NDArray[np.float32]  # (N,)
    terminated: NDArray[np.bool_]  # (N,)
    truncated: NDArray[np.bool_]  # (N,)
    success: NDArray[np.bool_]  # (N,) whether the episode, ended at the successor, would be one
    episode: NDArray[np.int64]  # (N,)
    images: Mapping[str, Frames] = field(default_factory=dict)  # M compressed pictures per camera
    continues: bool = False

    def __len__(self) -> int:
        return len(self.origin)

    @property
    def observation(self) -> NDArray[np.float32]:
        """Flat observations (N, D); a copy."""
        return self.vectors[self.origin]

    @property
    def next_observation(self) -> NDArray[np.float32]:
        """Flat observations (N, D) of the successors; a copy."""
        return self.vectors[self.successor]


def transitions_of(
    steps: StepBatch, spec: ObservationSpec, before: StepBatch | None = None, continues: bool = False
) -> Transitions:
    """The transitions whose step and successor are both in `steps`, and the one from the step `before` into them.

    `continues` says that the first observation, be it that of `before`, is the last one of the transitions before.
    """
    origin = np.flatnonzero(steps.has_action[:-1])
    successor = origin + 1
    vectors, images = steps.vectors(spec), steps.images
    columns = {name: getattr(steps, name)[origin] for name in OF_ORIGIN}
    columns |= {name: getattr(steps, name)[successor] for name in OF_SUCCESSOR}
    if before is not None:
        vectors = np.concatenate((before.vectors(spec), vectors))
        images = {name: join([before.images[name], frames]) for name, frames in images.items()}
        first = {name: getattr(before, name) for name in OF_ORIGIN}
        first |= {name: getattr(steps, name)[:1] for name in OF_SUCCESSOR}
        columns = {name: np.concatenate((first[name], column)) for name, column in columns.items()}
        origin, successor = np.append(0, origin + 1), np.append(1, successor + 1)
    return Transitions(
        vectors=vectors, origin=origin, successor=successor, images=images, continues=continues, **columns
    )
