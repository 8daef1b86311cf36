"""The records that pass between rooms. N steps, A action size, K reward terms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from naf_robot.core import frames
from naf_robot.core.array_spec import ObservationSpec
from naf_robot.core.errors import NafRobotError
from naf_robot.core.frames import Frames

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class ColumnSpec:
    """An extra value of every step (an operator's intervention, a phase, a condition), by name."""

    name: str
    dtype: Literal["bool", "uint8", "int64", "float32", "float64"]
    shape: tuple[int, ...] = ()  # of one step


@dataclass(frozen=True)
class StepSpec:
    """What the arrays of a step are."""

    observation: ObservationSpec
    action_size: int
    reward_names: tuple[str, ...]
    extra: tuple[ColumnSpec, ...] = ()


STEP_DTYPES: dict[str, np.dtype] = {
    name: np.dtype(kind)
    for name, kind in {
        "action": "float32",
        "requested_action": "float32",
        "reward": "float32",
        "reward_terms": "float32",
        "has_action": "bool",
        "closing": "bool",
        "terminated": "bool",
        "truncated": "bool",
        "episode": "int64",
        "step": "int64",
        "policy_version": "int64",
        "greedy": "bool",
        "success": "bool",
        "stamp_s": "float64",
    }.items()
}


@dataclass(frozen=True)
class StepBatch:
    """N consecutive steps of one robot, oldest first: each an observation and what followed it.

    The last observation of an episode is a step too, `closing`: no action follows it, and it says how the episode
    ended. A step whose executed velocity never came has no action; nothing can be learned from it. After
    every other step stands its successor, in this batch or at the beginning of the next. A transition is a view of
    a step and its successor (`core.transitions`), so every observation is held once.
    """

    observation: Mapping[str, NDArray]  # (N, *shape) by the names of the spec, but for pictures
    action: NDArray[np.float32]  # (N, A) executed after the safety projection, in units of the action box
    requested_action: NDArray[np.float32]  # (N, A) in [-1, 1] as the behaviour policy asked
    reward: NDArray[np.float32]  # (N,) of the executed action and the next observation
    reward_terms: NDArray[np.float32]  # (N, K) weighted terms, they sum to the reward
    has_action: NDArray[np.bool_]  # (N,) whether the four above hold; else they are zero
    closing: NDArray[np.bool_]  # (N,) the last observation of its episode,
    terminated: NDArray[np.bool_]  # (N,) because the task ended: no bootstrap,
    truncated: NDArray[np.bool_]  # (N,) or by time limit or fault: bootstrap
    episode: NDArray[np.int64]  # (N,) counted per robot from 0
    step: NDArray[np.int64]  # (N,) within the episode from 0
    policy_version: NDArray[np.int64]  # (N,)
    greedy: NDArray[np.bool_]  # (N,) no exploration noise: counts for evaluation
    success: NDArray[np.bool_]  # (N,) whether the episode would be a success if it ended with this observation
    stamp_s: NDArray[np.float64]  # (N,) time of the observation on the robot's clock
    images: Mapping[str, Frames] = field(default_factory=dict)  # N compressed pictures per camera
    extra: Mapping[str, NDArray] = field(default_factory=dict)  # (N, *shape) by the names of the extra columns

    def __len__(self) -> int:
        return int(self.reward.shape[0])

    @property
    def transitions(self) -> int:
        """Steps with an action, each the origin of one transition."""
        return int(np.count_nonzero(self.has_action))

    @property
    def bytes(self) -> int:
        """Memory of the arrays."""
        arrays = [*self.observation.values(), *self.extra.values(), *(getattr(self, name) for name in STEP_DTYPES)]
        return sum(a.nbytes for a in arrays) + sum(f.data.nbytes + f.offsets.nbytes for f in self.images.values())

    def vectors(self, spec: ObservationSpec, start: int = 0) -> NDArray[np.float32]:
        """The flat observation vectors of `spec` from step `start` on, shape (N, D)."""
        rows = len(self.reward[start:])
        parts = [self.observation[array.name][start:].reshape(rows, array.size) for array in spec.vector_arrays]
        return np.concatenate(parts, axis=1) if parts else np.zeros((rows, 0), np.float32)

    def between(self, start: int, stop: int) -> "StepBatch":
        """Steps `start` to `stop`; the arrays are shared."""
        rows = slice(start, stop)
        return StepBatch(
            observation={name: array[rows] for name, array in self.observation.items()},
            images={name: part.between(start, stop) for name, part in self.images.items()},
            extra={name: array[rows] for name, array in self.extra.items()},
            **{name: getattr(self, name)[rows] for name in STEP_DTYPES},
        )

    def validate(self, spec: StepSpec) -> None:
        """Check names, shapes, dtypes, finiteness, bounds, and that the steps follow each other.

        Compressed pictures are counted here; `experience.codec` opens them.

        Raises:
            NafRobotError: naming the array that is wrong.
        """
        count = len(self)
        widths = {"action": spec.action_size, "requested_action": spec.action_size}
        widths["reward_terms"] = len(spec.reward_names)
        for name, dtype in STEP_DTYPES.items():
            _check_array(name, getattr(self, name), dtype, (count, widths[name]) if name in widths else (count,))
        _check_names("observation", {**self.observation, **self.images}, [a.name for a in spec.observation.arrays])
        for array in spec.observation.arrays:
            if array.is_image:
                if array.name not in self.images:
                    raise NafRobotError(f"observation array {array.name!r} must come as compressed frames")
                self.images[array.name].validate(array.name, count)
                continue
            if array.name not in self.observation:
                raise NafRobotError(f"observation array {array.name!r} is no picture and must not be compressed")
            values = self.observation[array.name]
            _check_array(f"observation.{array.name}", values, np.dtype(array.dtype), (count, *array.shape))
            if array.is_bounded and not ((values >= array.low).all() and (values <= array.high).all()):
                raise NafRobotError(f"observation array {array.name!r} must lie within [{array.low}, {array.high}]")
        _check_names("extra column", self.extra, [column.name for column in spec.extra])
        for column in spec.extra:
            _check_array(
                f"extra.{column.name}", self.extra[column.name], np.dtype(column.dtype), (count, *column.shape)
            )
        self._check_order()

    def _check_order(self) -> None:
        closing = self.closing
        if (closing != (self.terminated | self.truncated)).any() or (closing & self.has_action).any():
            raise NafRobotError("a closing step, and no other, must be terminated or truncated, and has no action")
        follows = self.episode[1:] == self.episode[:-1]
        ahead = self.step[1:] - self.step[:-1]
        if not closing[:-1].any() and follows.all() and (ahead == 1).all():
            return  # the usual batch, of one episode without a gap
        wrong = np.where(closing[:-1], follows, ~follows | (ahead < 1) | (self.has_action[:-1] & (ahead != 1)))
        if wrong.any():
            first = int(np.flatnonzero(wrong)[0])
            raise NafRobotError(
                f"step {self.step[first + 1]} of episode {self.episode[first + 1]} does not follow step "
                f"{self.step[first]} of episode {self.episode[first]}; every episode ends with a closing step"
            )


def concatenate(batches: Sequence[StepBatch]) -> StepBatch:
    """Join batches in the order given."""
    first = batches[0]
    return StepBatch(
        observation={name: np.concatenate([b.observation[name] for b in batches]) for name in first.observation},
        images={name: frames.join([b.images[name] for b in batches]) for name in first.images},
        extra={name: np.concatenate([b.extra[name] for b in batches]) for name in first.extra},
        **{name: np.concatenate([getattr(b, name) for b in batches]) for name in STEP_DTYPES},
    )


def _check_array(name: str, array: NDArray, dtype: np.dtype, shape: tuple[int, ...]) -> None:
    if array.shape != shape or array.dtype != dtype:
        raise NafRobotError(f"step array {name!r} must be {dtype} of shape {shape}, got {array.dtype} of {array.shape}")
    if dtype.kind == "f" and not np.isfinite(array).all():
        raise NafRobotError(f"step array {name!r} holds values that are not finite")


def _check_names(what: str, found: Mapping[str, object], expected: list[str]) -> None:
    if found.keys() != set(expected):
        raise NafRobotError(f"steps must have the {what} arrays {sorted(expected)}, got {sorted(found)}")


@dataclass(frozen=True)
class PolicyParameters:
    """One published policy: arrays by name, and what they were trained for."""

    arrays: dict[str, NDArray[np.float32]]
    version: int
    task: str
    observation_spec: str  # hash of the observation spec
    updates: int  # gradient updates behind these parameters
    transitions: int  # transitions the trainer had stored by then
    run_id: str = ""  # of the run that published it
    kind: str = "mlp"  # of policy: what its arrays mean
    addressee: str = ""  # the robot that acts with it; "": all
