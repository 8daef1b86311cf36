"""One arm's kinematics out of its URDF, computed by pinocchio, joints addressed by name."""

import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pinocchio

from naf_robot.arm.model.limits import JointLimits
from naf_robot.arm.model.lipschitz import lipschitz_bounds
from naf_robot.core.errors import RobotModelError, UnknownNameError
from naf_robot.core.records import FloatArray

ENDLESS = 1.0e6  # [rad], the range given to continuous joints


class ArmModel:
    """Fixed-base serial arm with n controlled joints, in the order of `joint_names`.

    Joints that the URDF has but `joint_names` leaves out are locked at zero. Positions and
    velocities everywhere are of shape (n,), [rad] and [rad/s] (or [m], [m/s] for sliders);
    tool quantities are of the origin of `tool_frame`, in the base frame, [m].

    Raises:
        RobotModelError: the URDF cannot be read, or a controlled joint has not one degree of freedom.
        UnknownNameError: a joint or the tool frame is not in the URDF; the valid names are listed.
    """

    def __init__(self, urdf: str | Path, tool_frame: str, joint_names: Sequence[str] | None = None) -> None:
        self.urdf = Path(urdf)
        full, self._text = _read(self.urdf)
        self._full = full
        movable = [name for name in full.names[1:]]
        self.joint_names = tuple(joint_names) if joint_names else tuple(movable)
        for name in self.joint_names:
            if name not in movable:
                raise UnknownNameError("joint", name, movable, f"URDF {self.urdf.name}")
        self._locked = locked = [full.getJointId(name) for name in movable if name not in self.joint_names]
        model = pinocchio.buildReducedModel(full, locked, pinocchio.neutral(full)) if locked else full
        frames = [frame.name for frame in model.frames if frame.type == pinocchio.FrameType.BODY]
        if tool_frame not in frames:
            raise UnknownNameError("tool frame", tool_frame, frames, f"URDF {self.urdf.name}")
        self.tool_frame = tool_frame
        self.pinocchio_model = model
        self._data = model.createData()
        self._tool_id = model.getFrameId(tool_frame, pinocchio.FrameType.BODY)
        self._tool_placement = self._data.oMf[self._tool_id]
        self._tool_translation = self._tool_placement.translation  # a view: it follows the placement
        joints = [model.joints[model.getJointId(name)] for name in self.joint_names]
        for name, joint in zip(self.joint_names, joints, strict=True):
            if joint.nv != 1 or joint.nq != 1:
                raise RobotModelError(
                    f"joint {name!r} in URDF {self.urdf.name} has {joint.nq} position coordinates; "
                    "only revolute and prismatic joints with limits can be controlled"
                )
        self._index = np.array([joint.idx_v for joint in joints])
        self._identity_order = bool((self._index == np.arange(model.nv)).all()) and model.nv == len(joints)

    @property
    def size(self) -> int:
        """Number n of controlled joints."""
        return len(self.joint_names)

    def limits(self) -> JointLimits:
        """Position, velocity and effort limits as the URDF states them."""
        model, order = self.pinocchio_model, self._index
        return JointLimits(
            min_position=np.asarray(model.lowerPositionLimit)[order],
            max_position=np.asarray(model.upperPositionLimit)[order],
            max_velocity=np.asarray(model.velocityLimit)[order],
            max_acceleration=np.full(self.size, np.inf),
            max_effort=np.asarray(model.effortLimit)[order],
        )

    def collision_geometry(self) -> pinocchio.GeometryModel:
        """The URDF's collision shapes on the links of `pinocchio_model`.

        Raises:
            RobotModelError: a shape cannot be loaded, such as a mesh whose file is not found.
        """
        try:
            shapes = pinocchio.buildGeomFromUrdfString(
                self._full, self._text, pinocchio.GeometryType.COLLISION, package_dirs=[str(self.urdf.parent)]
            )
        except (RuntimeError, ValueError) as error:
            raise RobotModelError(
                f"cannot load the collision shapes of {str(self.urdf)!r}: {_first_line(error)}"
            ) from None
        if not self._locked:
            return shapes
        neutral = pinocchio.neutral(self._full)
        return pinocchio.buildReducedModel(self._full, shapes, self._locked, neutral)[1]

    def dropped_shapes(self, links: Sequence[str]) -> tuple[str, ...]:
        """What the URDF's parser dropped, in sentences, where `links` are those of the shapes that it loaded.

        It knows boxes, cylinders, spheres and meshes; one shape of another kind costs all of its link's.
        """
        loaded, found = Counter(links), []
        for link in ElementTree.fromstring(self._text).iter("link"):
            name, stated = link.get("name", ""), link.findall("collision")
            if len(stated) > loaded[name]:
                kinds = [shape.tag for item in stated for shape in item.findall("geometry/*")] or ["no geometry"]
                found.append(
                    f"{len(stated) - loaded[name]} of {len(stated)} collision shapes of link {name!r} are not loaded "
                    f"({', '.join(kinds)}): only box, cylinder, sphere and mesh are"
                )
        return tuple(found)

    def controlled(self, full: FloatArray) -> FloatArray:
        """The controlled joints' entries of `full`, which is in pinocchio's own joint order."""
        return full if self._identity_order else full[self._index]

    def tool_lipschitz_bounds(self) -> FloatArray:
        """How far a unit of motion of each joint can move the tool at most, in any posture: (n,) [m/rad]."""
        frame = self.pinocchio_model.frames[self._tool_id]
        found = lipschitz_bounds(self.pinocchio_model, frame.parentJoint, frame.placement.translation[None])
        return self.by_joint(found)

    def by_joint(self, values: dict[int, float]) -> FloatArray:
        """Values by pinocchio joint number as an array (n,), zero where there is none."""
        full = np.zeros(self.pinocchio_model.nv)
        for joint, value in values.items():
            full[self.pinocchio_model.joints[joint].idx_v] = value
        return self.controlled(full)

    def full_position(self, position: FloatArray) -> FloatArray:
        """`position` (n,) in pinocchio's own joint order."""
        if self._identity_order:
            return position
        full = np.zeros(self.pinocchio_model.nq)
        full[self._index] = position
        return full

    def tool_position(self, position: FloatArray) -> FloatArray:
        """Origin of the tool frame at joint `position` (n,): shape (3,), base frame [m]."""
        return np.array(self.tool_point(position))

    def tool_point(self, position: FloatArray) -> list[float]:
        """The same as three plain numbers, for loops that cannot afford an array each."""
        pinocchio.forwardKinematics(self.pinocchio_model, self._data, self.full_position(position))
        pinocchio.updateFramePlacement(self.pinocchio_model, self._data, self._tool_id)
        return self._tool_translation.tolist()

    def tool_jacobian(self, position: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Tool origin (3,) [m] and the Jacobian (3, n) of its velocity, both in the base frame."""
        jacobian = pinocchio.computeFrameJacobian(
            self.pinocchio_model,
            self._data,
            self.full_position(position),
            self._tool_id,
            pinocchio.ReferenceFrame.LOCAL_WORLD_ALIGNED,
        )
        pinocchio.updateFramePlacement(self.pinocchio_model, self._data, self._tool_id)
        origin = self._data.oMf[self._tool_id].translation.copy()
        linear = jacobian[:3] if self._identity_order else jacobian[:3, self._index]
        return origin, linear

    def tool_twist_jacobian(self, position: FloatArray) -> FloatArray:
        """Jacobian (6, n) of the tool origin's linear and the tool's angular velocity, both in the base frame."""
        jacobian: FloatArray = pinocchio.computeFrameJacobian(
            self.pinocchio_model,
            self._data,
            self.full_position(position),
            self._tool_id,
            pinocchio.ReferenceFrame.LOCAL_WORLD_ALIGNED,
        )
        return jacobian if self._identity_order else jacobian[:, self._index]


def _read(urdf: Path) -> tuple[pinocchio.Model, str]:
    try:
        text = _bounded(urdf.read_text(encoding="utf-8"))
    except OSError as error:
        raise RobotModelError(f"cannot read URDF {str(urdf)!r}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise RobotModelError(
            f"URDF {str(urdf)!r} is not UTF-8 text (byte {error.start}): save it in that encoding"
        ) from None
    except ElementTree.ParseError as error:
        raise RobotModelError(f"{str(urdf)!r} is not a valid URDF: {error}") from None
    try:
        return pinocchio.buildModelFromXML(text), text
    except (RuntimeError, ValueError) as error:
        raise RobotModelError(f"{str(urdf)!r} is not a valid URDF: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _bounded(text: str) -> str:
    """`text` with continuous joints as revolute ones of endless range.

    Pinocchio gives a continuous joint two coordinates (cosine and sine); drivers report one angle.
    """
    robot = ElementTree.fromstring(text)
    joints = [joint for joint in robot.iter("joint") if joint.get("type") == "continuous"]
    if not joints:
        return text
    for joint in joints:
        joint.set("type", "revolute")
        limit = joint.find("limit")
        if limit is None:
            limit = ElementTree.SubElement(joint, "limit", {"effort": "0", "velocity": "0"})
        limit.set("lower", str(-ENDLESS))
        limit.set("upper", str(ENDLESS))
    return ElementTree.tostring(robot, encoding="unicode")
