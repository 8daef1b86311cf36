"""Collision meshes as convex hulls: STL, OBJ and DAE files, read and wrapped by coal."""

from functools import lru_cache
from pathlib import Path

import coal
import numpy as np

from naf_robot.core.errors import RobotModelError
from naf_robot.core.records import FloatArray

THINNEST = 1e-3  # [m], the least extent of a hull: flat meshes have none of their own


def hull_of(path: Path, scale: FloatArray) -> coal.ConvexBase:
    """The convex hull of the mesh at `path`, its coordinates multiplied by `scale` (3,) to metres.

    A flat mesh gets the box around it, at least `THINNEST` thick. Equal files are read once.

    Raises:
        RobotModelError: the file holds no mesh that coal can read, or no points.
    """
    status = path.stat()
    return _hull(path, status.st_mtime_ns, status.st_size, tuple(float(value) for value in scale))


@lru_cache(maxsize=512)
def _hull(path: Path, time_ns: int, size: int, scale: tuple[float, float, float]) -> coal.ConvexBase:
    try:
        mesh = coal.MeshLoader(coal.NODE_TYPE.BV_AABB).load(str(path), np.array(scale))
    except (RuntimeError, ValueError) as error:
        raise RobotModelError(f"cannot read mesh {str(path)!r}: {_reason(path, error)}") from None
    points = np.array(mesh.vertices())
    if len(points) == 0 or not np.isfinite(points).all():
        raise RobotModelError(f"mesh {str(path)!r} has no points, or some that are not finite")
    low, high = points.min(axis=0), points.max(axis=0)
    if (high - low).min() >= THINNEST:
        try:
            mesh.buildConvexHull(True, "Qt")
            return mesh.convex
        except RuntimeError:  # flat in a direction that is no axis: qhull finds no first simplex
            pass
    return _box_hull((low + high) / 2.0, np.maximum(high - low, THINNEST) / 2.0)


def _reason(path: Path, error: Exception) -> str:
    if path.read_bytes()[:40].startswith(b"version https://git-lfs"):
        return "it is a pointer of Git LFS; fetch the file itself with `git lfs pull`"
    return " ".join(str(error).rpartition("message:")[2].split())


def _box_hull(centre: FloatArray, half: FloatArray) -> coal.ConvexBase:
    corners = np.array([(x, y, z) for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)]) * half + centre
    mesh = coal.BVHModelOBBRSS()
    mesh.beginModel(0, len(corners))
    mesh.addVertices(corners)
    mesh.endModel()
    mesh.buildConvexHull(True, "Qt")
    return mesh.convex
