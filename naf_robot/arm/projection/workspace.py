"""Where the tool may be: a sphere, half-spaces and keep-out boxes, each as one signed distance."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from naf_robot.core.records import FloatArray


class ToolLimit(Protocol):
    """A set of admitted tool positions as {p: value(p) <= 0}."""

    @property
    def name(self) -> str:
        """How the limit appears in results and counters."""
        ...

    @property
    def margin(self) -> float:
        """Distance kept from the surface [m]."""
        ...

    def value(self, point: Sequence[float]) -> float:
        """Distance of `point` (3,), base frame, beyond the surface [m]; negative where admitted."""
        ...

    def normal(self, point: FloatArray) -> FloatArray:
        """Gradient of `value` at `point`, a unit vector (3,)."""
        ...


@dataclass(frozen=True)
class Sphere:
    """The tool stays within `radius` of `centre`: value = |p - c| - R."""

    centre: tuple[float, float, float]  # base frame [m]
    radius: float  # [m]
    margin: float  # [m]
    name: str = "sphere"

    def value(self, point: Sequence[float]) -> float:
        """Distance beyond the surface [m]."""
        return math.dist(point, self.centre) - self.radius

    def normal(self, point: FloatArray) -> FloatArray:
        """Away from the centre; at the centre itself any direction serves, the z axis is taken."""
        length = math.dist(point, self.centre)
        if length < 1e-9:
            return np.array([0.0, 0.0, 1.0])
        (x, y, z), (a, b, c) = point.tolist(), self.centre
        return np.array([(x - a) / length, (y - b) / length, (z - c) / length])


@dataclass(frozen=True)
class HalfSpace:
    """The tool stays where n.p >= offset: value = offset - n.p, n a unit vector."""

    name: str
    inward: tuple[float, float, float]  # unit vector into the admitted side
    offset: float  # [m]
    margin: float  # [m]

    def value(self, point: Sequence[float]) -> float:
        """Distance beyond the plane [m]."""
        (a, b, c), (x, y, z) = self.inward, point
        return self.offset - (a * x + b * y + c * z)

    def normal(self, point: FloatArray) -> FloatArray:
        """Out of the admitted side, the same everywhere."""
        return -np.array(self.inward)


@dataclass(frozen=True)
class KeepOutBox:
    """The tool stays out of an axis-aligned box.

    Outside, the face with the largest clearance acts as a half-space; `value` is minus that
    clearance, so it is exact before a face and smaller than the true distance beside an edge.
    """

    name: str
    lower: tuple[float, float, float]  # [m]
    upper: tuple[float, float, float]  # [m]
    margin: float  # [m]

    def value(self, point: Sequence[float]) -> float:
        """Depth inside the box [m]; negative outside."""
        return min(min(p - low, high - p) for p, low, high in zip(point, self.lower, self.upper, strict=True))

    def normal(self, point: FloatArray) -> FloatArray:
        """Into the box through the face that is nearest to being a separating one."""
        below, above = point - np.array(self.lower), np.array(self.upper) - point
        normal = np.zeros(3)
        if below.min() <= above.min():
            normal[int(below.argmin())] = 1.0
        else:
            normal[int(above.argmin())] = -1.0
        return normal
