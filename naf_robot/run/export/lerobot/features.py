"""What a frame of the data set has, named as users of LeRobot expect it: a frame is a step with its action.

What follows from the action (`next.`) is in its frame, so the observation that closes an episode is in none.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from naf_robot.core.array_spec import ArraySpec, ObservationSpec
from naf_robot.core.frames import Frames
from naf_robot.core.records import StepBatch, StepSpec
from naf_robot.sensing.signals import OF_ARM

ActionChoice = Literal["requested", "executed"]
PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


class Feature(NamedTuple):
    """One feature: a column of N rows, each `shape` elements of `dtype`, or a picture."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    names: tuple[str, ...] | None = None
    picture: ArraySpec | None = None

    @property
    def info(self) -> dict[str, Any]:
        """As meta/info.json says it."""
        return {"dtype": self.dtype, "shape": list(self.shape), "names": list(self.names) if self.names else None}

    @property
    def arrow(self) -> pa.DataType:
        """The type of the column; a vector of one element stands as a plain value."""
        if self.picture is not None:
            return PICTURE
        kind = pa.from_numpy_dtype(np.dtype(self.dtype))
        return kind if self.shape == (1,) else pa.list_(kind, *self.shape)

    @property
    def hugging_face(self) -> dict[str, Any]:
        """As the library `datasets` describes the column."""
        if self.picture is not None:
            return {"_type": "Image"}
        value = {"dtype": self.dtype, "_type": "Value"}
        return value if self.shape == (1,) else {"feature": value, "length": self.shape[0], "_type": "List"}

    def column(self, values: NDArray | Frames, suffix: str) -> pa.Array:
        """The column that holds `values` (N, *shape), or N pictures whose file names would end in `suffix`."""
        if isinstance(values, Frames):
            pictures = pa.array([values[i] for i in range(len(values))], pa.binary())
            paths = pa.array([f"frame-{i:06d}{suffix}" for i in range(len(values))], pa.string())
            return pa.StructArray.from_arrays([pictures, paths], fields=list(PICTURE))
        flat = pa.array(np.ascontiguousarray(values).reshape(-1))
        return flat if self.shape == (1,) else pa.FixedSizeListArray.from_arrays(flat, *self.shape)


def features_of(steps: StepSpec, action_names: Sequence[str], action: ActionChoice) -> list[Feature]:
    """The features of `steps` in their order; `action` says which of the two actions is called so."""
    spec = steps.observation
    found = []
    for name, part in vectors_of(spec).items():
        names = [element for array in part.vector_arrays for element in _element_names(array.name, array.shape)]
        found.append(Feature(name, "float32", (part.size,), tuple(names)))
    for array in spec.arrays:
        if array.is_image:
            axes = ("height", "width", "channels")
            found.append(Feature(f"observation.images.{array.name}", "image", array.shape, axes, array))
        elif array.dtype != "float32":
            found.append(_flat(f"observation.{array.name}", array.dtype, array.name, array.shape))
    other = "executed" if action == "requested" else "requested"
    for name in ("action", f"{other}_action"):
        found.append(Feature(name, "float32", (steps.action_size,), tuple(action_names)))
    found.append(Feature("next.reward", "float32", (1,)))
    found.append(Feature("next.reward_terms", "float32", (len(steps.reward_names),), steps.reward_names))
    found += [Feature(f"next.{name}", "bool", (1,)) for name in ("done", "terminated", "truncated", "success")]
    found += [Feature("greedy", "bool", (1,)), Feature("policy_version", "int64", (1,))]
    found.append(Feature("stamp_s", "float64", (1,)))
    found += [_flat(f"extra.{extra.name}", extra.dtype, extra.name, extra.shape) for extra in steps.extra]
    found.append(Feature("timestamp", "float32", (1,)))
    return found + [Feature(f"{name}index", "int64", (1,)) for name in ("frame_", "episode_", "", "task_")]


def vectors_of(spec: ObservationSpec) -> dict[str, ObservationSpec]:
    """The arrays of each flat vector by its name: all of the state, and what the arm does not say of itself."""
    around = ObservationSpec(spec.name, tuple(a for a in spec.vector_arrays if a.name not in OF_ARM))
    vectors = {"observation.state": spec, "observation.environment_state": around}
    return {name: part for name, part in vectors.items() if part.size}


def values_of(
    batch: StepBatch, rows: slice, steps: StepSpec, action: ActionChoice, fps: float, episode: int, start: int
) -> Iterator[NDArray | Frames]:
    """What the steps `rows` of one episode have of each feature, in the order of `features_of`: N rows.

    They are frames `start` and on of the data set, in its episode `episode`. After each of them a step follows
    in `batch`, of which `next.` speaks.
    """
    count = rows.stop - rows.start
    taken = batch.between(rows.start, rows.stop)
    for part in vectors_of(steps.observation).values():
        yield taken.vectors(part)
    for array in steps.observation.arrays:
        if array.is_image:
            yield taken.images[array.name]
        elif array.dtype != "float32":
            yield taken.observation[array.name].reshape(count, -1)
    actions = (taken.requested_action, taken.action)
    yield from actions if action == "requested" else actions[::-1]
    following = slice(rows.start + 1, rows.stop + 1)
    done = np.arange(count) == count - 1
    terminated = batch.terminated[following]
    yield taken.reward
    yield taken.reward_terms
    yield done
    yield terminated
    yield done & ~terminated
    yield batch.success[following]
    yield taken.greedy
    yield taken.policy_version
    yield taken.stamp_s
    for extra in steps.extra:
        yield taken.extra[extra.name].reshape(count, -1)
    frame = np.arange(count, dtype=np.int64)
    yield (frame / fps).astype(np.float32)
    yield frame
    yield np.full(count, episode, np.int64)
    yield start + frame
    yield np.zeros(count, np.int64)


def schema_of(features: Sequence[Feature]) -> pa.Schema:
    """The schema of the data files, with the key by which the library `datasets` knows what the columns are."""
    described = {"info": {"features": {feature.name: feature.hugging_face for feature in features}}}
    fields = [pa.field(feature.name, feature.arrow) for feature in features]
    return pa.schema(fields, metadata={"huggingface": json.dumps(described)})


def _flat(name: str, dtype: str, own_name: str, shape: tuple[int, ...]) -> Feature:
    names = _element_names(own_name, shape)
    return Feature(name, dtype, (len(names),), names)


def _element_names(name: str, shape: tuple[int, ...]) -> tuple[str, ...]:
    """Names of an array's elements in the order of C: `name.0`, `name.1.2`, or `name` where there is but one."""
    return tuple(".".join([name, *map(str, place)]) for place in np.ndindex(shape))
