"""Unit quaternions as ROS orders them, (x, y, z, w), computed by transforms3d, which puts w first."""

import numpy as np
from numpy.typing import ArrayLike
from transforms3d import quaternions

from naf_robot.core.records import FloatArray

OPPOSITE = 1e-14  # of 1 and the cosine of an angle: less, and it is half a turn


def about_axis(axis: ArrayLike, angle: float) -> FloatArray:
    """The rotation by `angle` [rad] about `axis` (3,), any length but zero: shape (4,)."""
    return _from_wxyz(quaternions.axangle2quat(np.asarray(axis, dtype=np.float64), angle))


def product(*rotations: ArrayLike) -> FloatArray:
    """The rotations (4,) one after another, the last one applied first."""
    result = _to_wxyz(rotations[0])
    for rotation in rotations[1:]:
        result = quaternions.qmult(result, _to_wxyz(rotation))
    return _from_wxyz(result)


def inverse(rotation: ArrayLike) -> FloatArray:
    """The rotation (4,) that undoes `rotation`."""
    return _from_wxyz(quaternions.qinverse(_to_wxyz(rotation)))


def rotated(rotation: ArrayLike, vector: ArrayLike) -> FloatArray:
    """`vector` (3,) turned by `rotation` (4,)."""
    return np.asarray(quaternions.rotate_vector(np.asarray(vector, dtype=np.float64), _to_wxyz(rotation)))


def distance(one: ArrayLike, other: ArrayLike) -> float:
    """Angle [rad] in [0, pi] of the rotation between two unit quaternions (4,); independent of their signs."""
    first, second = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if float(first @ second) < 0.0:
        second = -second
    return 4.0 * float(np.arctan2(np.linalg.norm(first - second), np.linalg.norm(first + second)))


def twist(rotation: ArrayLike, axis: ArrayLike) -> float:
    """Angle [rad] in (-pi, pi] by which `rotation` (4,) turns about the unit `axis` (3,); the rest is swing."""
    x, y, z, w = np.asarray(rotation, dtype=np.float64)
    along = float(np.dot((x, y, z), np.asarray(axis)))
    return float(2.0 * np.arctan2(along, w) if w >= 0.0 else 2.0 * np.arctan2(-along, -w))


def between(one: ArrayLike, other: ArrayLike) -> FloatArray:
    """The shortest rotation (4,) that turns the direction of `one` (3,) to that of `other` (3,)."""
    first, second = (each / np.linalg.norm(each) for each in (np.asarray(one), np.asarray(other)))
    half = np.array([*np.cross(first, second), 1.0 + float(first @ second)])  # of the angle between them
    if half[3] < OPPOSITE:
        half[:3] = np.cross(first, np.eye(3)[int(np.argmin(np.abs(first)))])
        half[3] = 0.0
    return np.asarray(half / np.linalg.norm(half))


def from_matrix(matrix: FloatArray) -> FloatArray:
    """The rotation (4,) of an orthonormal `matrix` (3, 3)."""
    return _from_wxyz(quaternions.mat2quat(matrix))


def vector(rotation: ArrayLike) -> FloatArray:
    """Axis times angle (3,) [rad] of a rotation (4,), its length at most pi."""
    axis, angle = quaternions.quat2axangle(_to_wxyz(rotation))
    turned = (angle + np.pi) % (2.0 * np.pi) - np.pi
    return np.asarray(axis) * float(turned)


def same_sign(rotation: ArrayLike, reference: ArrayLike) -> FloatArray:
    """Of the two quaternions of one rotation, the one nearer to `reference`: readings then never jump in sign."""
    value = np.asarray(rotation, dtype=np.float64)
    return -value if float(value @ np.asarray(reference)) < 0.0 else value.copy()


def _to_wxyz(rotation: ArrayLike) -> FloatArray:
    x, y, z, w = np.asarray(rotation, dtype=np.float64)
    return np.array([w, x, y, z])


def _from_wxyz(rotation: FloatArray) -> FloatArray:
    w, x, y, z = rotation
    return np.array([x, y, z, w])
