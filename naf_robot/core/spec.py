"""What an array means: named, ordered fields with sizes; its hash guards every message."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from naf_robot.core.errors import NafRobotError


class SpecError(NafRobotError):
    """An array that does not fit the spec it was checked against."""


@dataclass(frozen=True)
class Field:
    """One named part of a vector, `size` numbers in `unit`, expressed in `frame`."""

    name: str
    size: int
    unit: str = ""
    frame: str = ""


@dataclass(frozen=True)
class VectorSpec:
    """A flat float32 vector made of named fields in a fixed order."""

    name: str
    fields: tuple[Field, ...]

    @cached_property
    def size(self) -> int:
        """Length of the vector."""
        return sum(field.size for field in self.fields)

    @cached_property
    def hash(self) -> str:
        """Twelve hexadecimal digits that change when any field's name, size, unit or frame does."""
        text = repr([(f.name, f.size, f.unit, f.frame) for f in self.fields])
        return hashlib.sha256(f"{self.name}:{text}".encode()).hexdigest()[:12]

    def slice_of(self, field_name: str) -> slice:
        """Where `field_name` stands in the vector."""
        start = 0
        for field in self.fields:
            if field.name == field_name:
                return slice(start, start + field.size)
            start += field.size
        raise SpecError(f"{self.name} has no field {field_name!r}; fields: {[f.name for f in self.fields]}")

    def validate(self, vector: NDArray[np.floating]) -> None:
        """Check shape and finiteness of `vector`, shape `(size,)`.

        Raises:
            SpecError: naming the first field that does not fit.
        """
        if vector.shape != (self.size,):
            raise SpecError(f"{self.name} must have shape ({self.size},), got {vector.shape}")
        if not np.isfinite(vector).all():
            bad = [f.name for f in self.fields if not np.isfinite(vector[self.slice_of(f.name)]).all()]
            raise SpecError(f"{self.name} is not finite in {bad}")
