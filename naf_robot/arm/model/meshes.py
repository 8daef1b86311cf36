"""Collision meshes as convex hulls: STL, OBJ and DAE files, read and wrapped by coal."""

import re
from functools import lru_cache
from pathlib import Path

import coal
import numpy as np

from naf_robot.arm.model.kept_hulls import kept_corners
from naf_robot.core.errors import RobotModelError
from naf_robot.core.records import FloatArray

COARSE = 200  # corners of a hull where the exact one cannot be had
COLLADA_UNIT = re.compile(rb"<unit\b[^>]*\bmeter\s*=\s*[\"']([^\"']+)[\"']")
STL_HEADER = 84  # bytes before the triangles of a binary STL file; the last four are their number
STL_TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
THINNEST = 1e-3  # [m], thickness of the hull of a flat mesh, which has none of its own


def hull_of(path: Path, scale: FloatArray) -> coal.ConvexBase:
    """The convex hull of the mesh at `path`, its coordinates multiplied by `scale` (3,) to metres.

    A flat mesh gets a thickness of `THINNEST`. Equal files are read once.

    Raises:
        RobotModelError: the file holds no mesh that coal can read, or no points.
    """
    status = path.stat()
    return _hull(path, status.st_mtime_ns, status.st_size, tuple(float(value) for value in scale))


@lru_cache(maxsize=512)
def _hull(path: Path, time_ns: int, size: int, scale: tuple[float, float, float]) -> coal.ConvexBase:
    return _hull_around(
        kept_corners(path, scale, lambda: np.array(_wrapped(_thickened(_points(path, scale))).points()))
    )


def _points(path: Path, scale: tuple[float, float, float]) -> FloatArray:
    """All corners (k, 3) of a mesh [m]."""
    points = _corners(path) * scale if path.suffix.lower() == ".stl" else np.empty((0, 3))
    if len(points) == 0:
        try:
            mesh = coal.MeshLoader(coal.NODE_TYPE.BV_AABB).load(str(path), np.array(scale) * _unit(path))
        except (RuntimeError, ValueError) as error:
            raise RobotModelError(f"cannot read mesh {str(path)!r}: {_reason(path, error)}") from None
        points = np.array(mesh.vertices())
    if len(points) < 3 or not np.isfinite(points).all():
        raise RobotModelError(f"mesh {str(path)!r} has fewer than three points, or some that are not finite")
    return points


def _corners(path: Path) -> FloatArray:
    """The different corners (k, 3) in a binary STL file, none where it is no such file.

    Coal also builds what only exact meshes need, which takes many times as long.
    """
    content = path.read_bytes()
    count = int.from_bytes(content[STL_HEADER - 4 : STL_HEADER], "little")
    if len(content) != STL_HEADER + count * STL_TRIANGLE.itemsize:
        return np.empty((0, 3))
    corners = np.frombuffer(content, STL_TRIANGLE, offset=STL_HEADER)["corners"].reshape(-1, 3).astype(np.float64)
    ordered = corners[np.lexsort(corners.T)]
    new = np.ones(len(ordered), dtype=bool)
    new[1:] = (np.diff(ordered, axis=0) != 0.0).any(axis=1)
    return ordered[new]


def _unit(path: Path) -> float:
    """Metres of one unit of the mesh at `path`: COLLADA files may state it, as viewers of ROS read it."""
    stated = COLLADA_UNIT.search(path.read_bytes()) if path.suffix.lower() == ".dae" else None
    try:
        return float(stated.group(1)) if stated is not None else 1.0
    except ValueError:
        return 1.0


def _reason(path: Path, error: Exception) -> str:
    if path.read_bytes()[:40].startswith(b"version https://git-lfs"):
        return "it is a pointer of Git LFS; fetch the file itself with `git lfs pull`"
    return " ".join(str(error).rpartition("message:")[2].split())


def _thickened(points: FloatArray) -> FloatArray:
    """`points` (k, 3), doubled in every direction in which they are thinner than `THINNEST`: qhull needs a volume."""
    _, axes = np.linalg.eigh(np.cov(points.T))
    for axis in axes.T:
        if np.ptp(points @ axis) < THINNEST:
            points = np.concatenate([points + sign * THINNEST / 2.0 * axis for sign in (-1.0, 1.0)])
    return points


def _wrapped(points: FloatArray) -> coal.ConvexBase:
    try:
        return _hull_around(points)
    except RuntimeError:  # a corner with more neighbours than coal can count, as at the tip of a fine cone
        return _coarse_hull(points)


def _hull_around(points: FloatArray) -> coal.ConvexBase:
    mesh = coal.BVHModelOBBRSS()
    mesh.beginModel(0, len(points))
    mesh.addVertices(points)
    mesh.endModel()
    mesh.buildConvexHull(True, "Qt")
    return mesh.convex


def _coarse_hull(points: FloatArray) -> coal.ConvexBase:
    """A hull of at most `COARSE` corners around all `points` (k, 3): the outermost ones, moved outward together."""
    index = np.arange(COARSE) + 0.5
    height, angle = 1.0 - 2.0 * index / COARSE, index * np.pi * (1.0 + np.sqrt(5.0))
    ring = np.sqrt(1.0 - height**2)
    directions = np.stack([ring * np.cos(angle), ring * np.sin(angle), height], axis=1)  # even over the sphere
    outermost = points[np.unique(np.argmax(points @ directions.T, axis=0))]
    centre = outermost.mean(axis=0)  # inside of them
    hull = _hull_around(outermost - centre)
    normals, offsets = np.array(hull.normals()), -np.array(hull.offsets())
    growth = float(((points - centre) @ normals.T / offsets).max())
    return _hull_around(centre + (outermost - centre) * max(growth, 1.0))
