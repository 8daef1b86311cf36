"""Capsules around collision shapes: their distances bound those of the shapes from below, and cost next to nothing."""

import coal
import numpy as np
import pinocchio

from naf_robot.arm.model.lipschitz import hull
from naf_robot.core.records import FloatArray

SHORTENED = (0.0, 0.25, 0.5, 0.75, 1.0)  # shares of the radius tried by which the ends of a segment move inward


def capsule(item: pinocchio.GeometryObject) -> tuple[FloatArray, float]:
    """A segment (2, 3) in the frame of the joint that carries the shape [m], and the radius around it that holds it."""
    shape, turn, shift = item.geometry, item.placement.rotation, item.placement.translation
    if isinstance(shape, coal.Sphere):
        return np.array((shift, shift)), float(shape.radius)
    if isinstance(shape, coal.Cylinder | coal.Capsule):
        half = turn[:, 2] * shape.halfLength
        return np.array((shift - half, shift + half)), float(shape.radius)
    points = hull(item)
    candidates = [found for axis in _axes(points) for found in _along(points, axis)]
    return min(candidates, key=lambda found: _volume(*found))


def _axes(points: FloatArray) -> FloatArray:
    """Directions to lay a segment along: the frame's and the principal ones, unit rows."""
    principal = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2]
    return np.concatenate((np.eye(3), principal))


def _along(points: FloatArray, axis: FloatArray) -> list[tuple[FloatArray, float]]:
    height = points @ axis
    across = points - np.outer(height, axis)
    middle = 0.5 * (across.min(axis=0) + across.max(axis=0))
    middle -= (middle @ axis) * axis
    radius = float(np.linalg.norm(across - middle, axis=1).max())
    low, high = float(height.min()), float(height.max())
    found = []
    for share in SHORTENED:
        less = min(share * radius, 0.5 * (high - low))
        ends = np.array((middle + (low + less) * axis, middle + (high - less) * axis))
        nearest = middle + np.outer(np.clip(height, low + less, high - less), axis)
        found.append((ends, float(np.linalg.norm(points - nearest, axis=1).max())))
    return found


def _volume(ends: FloatArray, radius: float) -> float:
    length = float(np.linalg.norm(ends[1] - ends[0]))
    return np.pi * radius**2 * (length + 4.0 / 3.0 * radius)
