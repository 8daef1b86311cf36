"""What an array means: name, shape, dtype, unit, frame and bounds; a hash of them guards every message.

An observation is named arrays. The flat vector that a multilayer perceptron takes is derived from
the arrays of float32, in the order of the spec; images stay `uint8 (H, W, 3)` beside it.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from naf_robot.core.errors import NafRobotError

Dtype = Literal["float32", "uint8"]
Observation = Mapping[str, NDArray]  # arrays by the names of an ObservationSpec


class SpecError(NafRobotError):
    """An array that does not fit the spec it was checked against, or a spec that contradicts itself."""


@dataclass(frozen=True)
class ArraySpec:
    """One named array, in `unit`, expressed in `frame`, every element within [`low`, `high`].

    Raises:
        SpecError: a size below one, a dtype that is not supported, or bounds that exclude every value.
    """

    name: str
    shape: tuple[int, ...]
    unit: str = ""
    frame: str = ""
    dtype: Dtype = "float32"
    low: float = -math.inf
    high: float = math.inf

    def __post_init__(self) -> None:
        if any(size < 1 for size in self.shape):
            raise SpecError(f"array {self.name!r} has shape {self.shape}; every size must be at least 1")
        if self.dtype not in ("float32", "uint8"):
            raise SpecError(f"array {self.name!r} has dtype {self.dtype!r}; valid: float32, uint8")
        if not self.low < self.high:
            raise SpecError(f"array {self.name!r} has bounds {self.low} and {self.high}, which exclude every value")

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def is_image(self) -> bool:
        """Whether it is a picture `uint8 (H, W, 3)`, which travels compressed and stays out of the flat vector."""
        return self.dtype == "uint8" and len(self.shape) == 3 and self.shape[2] == 3

    @property
    def is_bounded(self) -> bool:
        """Whether a bound is finite."""
        return not (math.isinf(self.low) and math.isinf(self.high))

    def validate(self, array: NDArray) -> None:
        """Check shape, dtype, finiteness and bounds.

        Raises:
            SpecError: saying which of them is wrong.
        """
        if array.shape != self.shape or array.dtype != self.dtype:
            raise SpecError(
                f"array {self.name!r} must be {self.dtype} of shape {self.shape}, got {array.dtype} of {array.shape}"
            )
        if self.dtype == "float32" and not np.isfinite(array).all():
            raise SpecError(f"array {self.name!r} is not finite")
        if self.is_bounded and not ((array >= self.low).all() and (array <= self.high).all()):
            raise SpecError(f"array {self.name!r} must lie within [{self.low}, {self.high}]")


@dataclass(frozen=True)
class ObservationSpec:
    """Named arrays in a fixed order.

    Raises:
        SpecError: a name that occurs twice.
    """

    name: str
    arrays: tuple[ArraySpec, ...]

    def __post_init__(self) -> None:
        names = [array.name for array in self.arrays]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise SpecError(f"observation {self.name!r} names {', '.join(twice)} more than once")

    @cached_property
    def vector_arrays(self) -> tuple[ArraySpec, ...]:
        """The float32 arrays, which make the flat vector."""
        return tuple(array for array in self.arrays if array.dtype == "float32")

    @cached_property
    def images(self) -> tuple[ArraySpec, ...]:
        """The pictures."""
        return tuple(array for array in self.arrays if array.is_image)

    @cached_property
    def size(self) -> int:
        """Length of the flat vector."""
        return sum(array.size for array in self.vector_arrays)

    @cached_property
    def hash(self) -> str:
        """Twelve hexadecimal digits that change when any array's name, shape, dtype, unit, frame or bound does."""
        text = repr([(a.name, a.shape, a.dtype, a.unit, a.frame, a.low, a.high) for a in self.arrays])
        return hashlib.sha256(f"{self.name}:{text}".encode()).hexdigest()[:12]

    def slice_of(self, array_name: str) -> slice:
        """Where the array is in the flat vector.

        Raises:
            SpecError: the vector has no such array.
        """
        start = 0
        for array in self.vector_arrays:
            if array.name == array_name:
                return slice(start, start + array.size)
            start += array.size
        raise SpecError(f"{self.name} has no array {array_name!r}; arrays: {[a.name for a in self.vector_arrays]}")

    def flatten(self, observation: Observation) -> NDArray[np.float32]:
        """The flat vector, shape `(size,)`, float32, of a whole observation."""
        return np.concatenate([np.ravel(observation[array.name]) for array in self.vector_arrays]).astype(
            np.float32, copy=False
        )

    def unflatten(self, vectors: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """The named arrays, shapes (N, *shape), of flat vectors (N, D); they share the memory."""
        count = len(vectors)
        return {a.name: vectors[:, self.slice_of(a.name)].reshape(count, *a.shape) for a in self.vector_arrays}

    def validate(self, vector: NDArray[np.floating]) -> None:
        """Check shape and finiteness of a flat `vector`, shape `(size,)`.

        Raises:
            SpecError: naming the arrays that do not fit.
        """
        if vector.shape != (self.size,):
            raise SpecError(f"{self.name} must have shape ({self.size},), got {vector.shape}")
        if not np.isfinite(vector).all():
            bad = [a.name for a in self.vector_arrays if not np.isfinite(vector[self.slice_of(a.name)]).all()]
            raise SpecError(f"{self.name} is not finite in {bad}")
