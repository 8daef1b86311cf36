"""Convex hulls as mesh files, which is how gz-sim takes them."""

from itertools import pairwise
from pathlib import Path

import coal
import numpy as np

from naf_robot.arm.model.meshes import STL_HEADER, STL_TRIANGLE
from naf_robot.core.records import FloatArray

SAME_PLANE = 1e-9  # of the hull's extent: corners that are so near to a plane lie in it


def write_hull(path: Path, hull: coal.ConvexBase) -> None:
    """The surface of `hull` as binary STL in metres."""
    triangles = hull_triangles(hull)
    faces = np.zeros(len(triangles), STL_TRIANGLE)
    faces["corners"] = triangles
    path.write_bytes(len(triangles).to_bytes(4, "little").rjust(STL_HEADER, b"\0") + faces.tobytes())


def hull_triangles(hull: coal.ConvexBase) -> FloatArray:
    """Triangles (m, 3 corners, 3) [m] of the surface of `hull`, counter-clockwise as seen from outside.

    Coal's bindings give the planes of the faces and not their corners: those are found again.
    """
    corners, tolerance = np.asarray(hull.points()), SAME_PLANE * float(np.ptp(hull.points(), axis=0).max())
    planes = np.column_stack((hull.normals(), np.asarray(hull.offsets())))
    faces = {}
    for *normal, offset in planes:
        inside = np.abs(corners @ normal + offset) <= tolerance
        faces[frozenset(np.flatnonzero(inside).tolist())] = np.array(normal)
    found, polygons = [], list[frozenset[int]]()
    for members in sorted(faces, key=len, reverse=True):
        if len(members) < 3 or any(members < larger for larger in polygons):
            continue
        if len(members) > 3:  # a part of it may be found as a face, too; fine meshes have few of them
            polygons.append(members)
        ordered = _in_order(corners[sorted(members)], faces[members])
        found += [(ordered[0], one, other) for one, other in pairwise(ordered[1:])]
    return np.array(found)


def _in_order(ring: FloatArray, normal: FloatArray) -> FloatArray:
    """The corners (k, 3) of a face, counter-clockwise about its `normal` (3,)."""
    spokes = ring - ring.mean(axis=0)
    across = spokes[0] / np.linalg.norm(spokes[0])
    ordered: FloatArray = ring[np.argsort(np.arctan2(spokes @ np.cross(normal, across), spokes @ across))]
    return ordered
