"""What is drawn, without any library that draws: solids, bodies that move as one, and a robot's bodies."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from transforms3d import euler, quaternions

from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.arm.model.moving_parts import MovingParts
from naf_robot.arm.model.visuals import Colour, Visual, read_visuals
from naf_robot.core.records import FloatArray

UPRIGHT = (1.0, 0.0, 0.0, 0.0)
ALONG_Z = np.array((0.0, 0.0, 1.0))


class Pose(NamedTuple):
    """A place: quaternion (4,), w first, and origin (3,) [m]."""

    quaternion: FloatArray
    origin: FloatArray


@dataclass(frozen=True, eq=False)
class Solid:
    """One shape of a body. `size` [m]: sides of a box, radius and length of a cylinder along z, radius of a sphere.

    Of a mesh it is the factors on the coordinates in `file`.
    """

    kind: Literal["box", "cylinder", "mesh", "sphere"]
    size: tuple[float, ...]
    pose: Pose  # in the body
    colour: Colour | None  # None: as the mesh has it
    file: Path | None = None


class Body(NamedTuple):
    """Solids that move as one."""

    name: str
    solids: tuple[Solid, ...]


def pose_of(placement: FloatArray) -> Pose:
    """The place that a homogeneous matrix (4, 4) is."""
    return Pose(quaternions.mat2quat(placement[:3, :3]), np.array(placement[:3, 3]))


def base_pose(values: Sequence[float]) -> Pose:
    """A robot's `base_pose`, x, y, z [m] and roll, pitch, yaw in rad, as a place in the world."""
    return Pose(euler.euler2quat(*values[3:], axes="sxyz"), np.array(values[:3]))


def about(axis: ArrayLike, angle: float, origin: ArrayLike) -> Pose:
    """The place at `origin` (3,) [m] that is turned by `angle` [rad] about `axis` (3,)."""
    return Pose(quaternions.axangle2quat(np.asarray(axis), angle), np.asarray(origin, dtype=np.float64))


def capsule(start: ArrayLike, end: ArrayLike, radius: float, colour: Colour | None) -> list[Solid]:
    """A capsule from `start` (3,) to `end` (3,) [m] as a cylinder and two spheres."""
    first, last = np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64)
    length = float(np.linalg.norm(last - first))
    ends = [Solid("sphere", (radius,), Pose(np.array(UPRIGHT), place), colour) for place in (first, last)]
    if length == 0.0:
        return ends[:1]
    axis = np.cross(ALONG_Z, last - first)
    angle = float(np.arccos(np.clip((last - first)[2] / length, -1.0, 1.0)))
    turned = quaternions.axangle2quat(axis if np.linalg.norm(axis) > 0.0 else (1.0, 0.0, 0.0), angle)
    return [Solid("cylinder", (radius, length), Pose(turned, (first + last) / 2.0), colour), *ends]


class RobotBodies:
    """The bodies of one robot, and where they are at a joint position."""

    def __init__(self, model: ArmModel) -> None:
        """Read what there is to see of `model`.

        Raises:
            RobotModelError: a shape has no size or place.
        """
        self.model = model
        self._parts = MovingParts(model.pinocchio_model)
        solids: list[list[Solid]] = [[] for _ in range(self._parts.count)]
        for visual in read_visuals(model.description):
            part, link = self._parts.part_of(visual.link)
            solids[part] += _solids(visual, link @ visual.placement)
        self.bodies = tuple(Body(f"part_{part}", tuple(own)) for part, own in enumerate(solids))

    def poses(self, position: FloatArray) -> list[Pose]:
        """The places of `bodies` in the base frame at joint `position` (n,) [rad]."""
        turns, origins = self._parts.poses(self.model.full_position(position))
        return [Pose(turn, origin) for turn, origin in zip(turns, origins, strict=True)]

    def tool_position(self, position: FloatArray) -> FloatArray:
        """The tool (3,) [m] in the base frame at joint `position` (n,) [rad]."""
        return self.model.tool_position(position)


def _solids(visual: Visual, placement: FloatArray) -> list[Solid]:
    if visual.kind == "capsule":
        radius, length = visual.size
        half = ALONG_Z * length / 2.0
        ends = [(placement @ np.append(sign * half, 1.0))[:3] for sign in (-1.0, 1.0)]
        return capsule(ends[0], ends[1], radius, visual.colour)
    return [Solid(visual.kind, visual.size, pose_of(placement), visual.colour, visual.file)]
