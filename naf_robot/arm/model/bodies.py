"""An arm as the rigid bodies that its joints move: what a simulator builds it from."""

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

import numpy as np
import pinocchio

from naf_robot.arm.model.kinematics import ENDLESS, ArmModel
from naf_robot.arm.model.shapes import Shape
from naf_robot.arm.model.urdf_values import vector
from naf_robot.core.records import FloatArray


@dataclass(frozen=True, eq=False)
class Pose:
    """A place: `position` (3,) [m], `orientation` (4,) as quaternion x, y, z, w."""

    position: FloatArray
    orientation: FloatArray

    @classmethod
    def of(cls, placed: pinocchio.SE3) -> "Pose":
        """`placed` in numbers."""
        return cls(np.array(placed.translation), np.array(pinocchio.Quaternion(placed.rotation).coeffs()))


@dataclass(frozen=True, eq=False)
class Body:
    """Everything that one joint moves, in the frame of the joint; the first body of an arm is its base, which rests."""

    joint: str  # "" of the base
    parent: int  # number of the body that the joint is on
    pose: Pose  # in the frame of the parent, at joint position 0
    prismatic: bool
    axis: FloatArray  # (3,), unit
    limits: tuple[float, float]  # [rad or m], infinite where there are none
    mass: float  # [kg]
    centre: FloatArray  # (3,) of mass [m]
    inertia: FloatArray  # (3, 3) about it [kg m^2]
    shapes: tuple[tuple[Shape, Pose], ...]


def bodies_of(arm: ArmModel) -> list[Body]:
    """The base, then one body for each joint that moves, joints that follow others included; parents come first."""
    model, robot = arm.pinocchio_model, ElementTree.fromstring(arm.description.text)
    joints = {joint.get("name", ""): joint for joint in robot.findall("joint")}
    shapes: list[list[tuple[Shape, Pose]]] = [[] for _ in model.names]
    for shape in arm.description.shapes:
        frame = model.frames[model.getFrameId(shape.link, pinocchio.FrameType.BODY)]
        shapes[frame.parentJoint].append((shape, Pose.of(frame.placement * shape.placement)))
    base = Pose.of(pinocchio.SE3.Identity())
    found = [Body("", 0, base, False, np.zeros(3), (0.0, 0.0), 1.0, np.zeros(3), np.eye(3), tuple(shapes[0]))]
    for number in range(1, len(model.names)):
        element, own, index = joints[model.names[number]], model.inertias[number], model.joints[number].idx_v
        where = f"joint {model.names[number]!r}"
        axis = np.array([1.0, 0.0, 0.0])
        if (stated := element.find("axis")) is not None:
            axis = vector(stated, "xyz", where, (1.0, 0.0, 0.0))
        lower, upper = float(model.lowerPositionLimit[index]), float(model.upperPositionLimit[index])
        endless = upper - lower >= 2.0 * ENDLESS
        found.append(
            Body(
                model.names[number],
                int(model.parents[number]),
                Pose.of(model.jointPlacements[number]),
                element.get("type") == "prismatic",
                axis / np.linalg.norm(axis),
                (-np.inf, np.inf) if endless else (lower, upper),
                float(own.mass),
                np.array(own.lever),
                np.array(own.inertia),
                tuple(shapes[number]),
            )
        )
    return found
