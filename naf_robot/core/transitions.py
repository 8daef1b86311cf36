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
    """The transitions whose step and successor are both in `steps`, and the one from the last step of `before` to them.

    `continues` says that the first observation, be it that of `before`, is the last one of the transitions before.
    The arrays may share the memory of the steps.
    """
    acted = steps.has_action[:-1]
    gapless = bool(acted.all())
    origin = np.arange(len(acted)) if gapless else np.flatnonzero(acted)
    at_origin, at_successor = (slice(len(acted)), slice(1, None)) if gapless else (origin, origin + 1)
    columns = {name: getattr(steps, name)[at_origin] for name in OF_ORIGIN}
    vectors, images = steps.vectors(spec), steps.images
    if before is not None:
        vectors = np.concatenate((before.vectors(spec, -1), vectors))
        last = len(before) - 1
        images = {name: join([before.images[name].between(last, last + 1), part]) for name, part in images.items()}
        columns = {name: np.concatenate((getattr(before, name)[last:], column)) for name, column in columns.items()}
        origin = np.arange(len(steps)) if gapless else np.append(0, origin + 1)
        at_successor = slice(None) if gapless else origin
    columns |= {name: getattr(steps, name)[at_successor] for name in OF_SUCCESSOR}
    return Transitions(
        vectors=vectors, origin=origin, successor=origin + 1, images=images, continues=continues, **columns
    )
