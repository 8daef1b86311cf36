"""One arm's kinematics out of its description, computed by pinocchio, joints addressed by name."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pinocchio

from naf_robot.arm.model.description import Description, Pair
from naf_robot.arm.model.limits import JointLimits
from naf_robot.arm.model.lipschitz import lipschitz_bounds
from naf_robot.core.errors import RobotModelError, UnknownNameError
from naf_robot.core.records import FloatArray

ENDLESS = 1.0e6  # [rad], the range given to continuous joints
SAMPLED_POSTURES = 64  # enough to tell what is so in every posture from what is so in some
KINEMATIC = ("link", "joint")  # what pinocchio reads of a description


class ArmModel:
    """Fixed-base serial arm with n controlled joints, in the order of `joint_names`.

    Joints that `joint_names` leaves out are locked where the description says, or follow a controlled one (`mimic`).
    Positions and velocities everywhere are of shape (n,), [rad] and [rad/s] (or [m], [m/s] for sliders);
    tool quantities are of the origin of `tool_frame`, in the base frame, [m]. Pinocchio's own order has one entry
    for each joint that moves, those that follow included: `full_position` and `controlled` go there and back.

    Raises:
        RobotModelError: the description cannot be read or is not sound, or a joint cannot be controlled.
        UnknownNameError: a joint or the tool frame is not in the description; the valid names are listed.
    """

    def __init__(
        self,
        description: Description | str | Path,
        tool_frame: str,
        joint_names: Sequence[str] | None = None,
        locked: Mapping[str, float] | None = None,
    ) -> None:
        if not isinstance(description, Description):
            description = Description.from_file(
                Path(description), joints=tuple(joint_names or ()), tool_frame=tool_frame, locked=locked
            )
        self.description = description
        self.urdf = Path(description.source)
        model, continuous = _read(description)
        movable = [name for name in model.names[1:] if name not in description.mimics]
        self.joint_names = tuple(joint_names) if joint_names else tuple(movable)
        for name in self.joint_names:
            if name not in movable:
                raise UnknownNameError("joint", name, movable, f"URDF {self.urdf.name}")
        frames = [frame.name for frame in model.frames if frame.type == pinocchio.FrameType.BODY]
        if tool_frame not in frames:
            raise UnknownNameError("tool frame", tool_frame, frames, f"URDF {self.urdf.name}")
        self.tool_frame = tool_frame
        self.base_frame = description.root  # the link whose frame all positions are in
        self.disabled_pairs: frozenset[Pair] = description.disabled_pairs
        self.pinocchio_model = model
        self._data = model.createData()
        self._tool_id = model.getFrameId(tool_frame, pinocchio.FrameType.BODY)
        self._tool_placement = self._data.oMf[self._tool_id]
        self._tool_translation = self._tool_placement.translation  # a view: it follows the placement
        self.continuous = np.array([name in continuous for name in self.joint_names], dtype=bool)
        self.continuous.setflags(write=False)
        self._index = np.array([model.joints[model.getJointId(name)].idx_v for name in self.joint_names], dtype=int)
        self._identity_order = np.array_equal(self._index, np.arange(model.nv))
        self._coupling, self._offset = self._follow(description)

    @property
    def size(self) -> int:
        """Number n of controlled joints."""
        return len(self.joint_names)

    @property
    def moving_joints(self) -> tuple[str, ...]:
        """Names of all joints that move, those that follow others included, in pinocchio's own order."""
        return tuple(self.pinocchio_model.names)[1:]

    def limits(self) -> JointLimits:
        """Position, velocity and effort limits as the description states them; infinite where it states none.

        An effort or velocity of 0 means "not stated". The limits of a joint that follows narrow its master's.
        """
        model, order = self.pinocchio_model, self._index
        lower, upper = np.array(model.lowerPositionLimit), np.array(model.upperPositionLimit)
        velocity, effort = (
            np.where(np.asarray(stated) > 0.0, stated, np.inf) for stated in (model.velocityLimit, model.effortLimit)
        )
        for name, mimic in self.description.mimics.items():
            follower, master = (model.joints[model.getJointId(each)].idx_v for each in (name, mimic.master))
            if mimic.multiplier == 0.0:
                continue
            if lower[follower] < upper[follower]:  # else it states none of its own
                ends = sorted((limit[follower] - mimic.offset) / mimic.multiplier for limit in (lower, upper))
                lower[master], upper[master] = max(lower[master], ends[0]), min(upper[master], ends[1])
            velocity[master] = min(velocity[master], velocity[follower] / abs(mimic.multiplier))
        return JointLimits(
            min_position=lower[order],
            max_position=upper[order],
            max_velocity=velocity[order],
            max_acceleration=np.full(self.size, np.inf),
            max_effort=effort[order],
        )

    def sampled_postures(self) -> FloatArray:
        """Postures (k, n) [rad] spread over the joints' ranges, the same in every process."""
        limits, random = self.limits(), np.random.default_rng(0)
        lower, upper, turn = limits.min_position, limits.max_position, 2.0 * np.pi
        begin = np.where(upper - lower > turn, np.minimum(np.maximum(-np.pi, lower), upper - turn), lower)
        end = np.maximum(np.minimum(begin + turn, upper), begin)
        return random.uniform(begin, end, (SAMPLED_POSTURES, self.size))

    def largest_inertia(self) -> FloatArray:
        """The largest inertia that each joint moves in sampled postures: (n,) [kg m^2], of sliders [kg]."""
        largest = np.zeros(self.size)
        for posture in self.sampled_postures():
            largest = np.maximum(largest, np.diag(self.inertia(posture)))
        return largest

    def with_rotors(self, armature: FloatArray) -> "ArmModel":
        """The same arm whose links carry the rotors of their motors, too.

        `armature` (n,) [kg m^2] is theirs about the joints, of sliders a mass [kg]; across the axis a rotor has half of
        it, for no body has less.
        """
        made = ArmModel(self.description, self.tool_frame, self.joint_names)
        model = made.pinocchio_model
        for name, value in zip(self.joint_names, armature.tolist(), strict=True):
            number = model.getJointId(name)
            joint = model.joints[number].createData()
            model.joints[number].calc(joint, np.zeros(model.nq))
            axis = np.ravel(joint.S)[3:]  # of rotation; zero for a slider
            turning = bool(np.any(axis))
            rotor = 0.5 * value * (np.eye(3) + np.outer(axis, axis)) if turning else np.zeros((3, 3))
            own = model.inertias[number]
            mass = own.mass if turning else own.mass + value
            model.inertias[number] = pinocchio.Inertia(mass, own.lever, own.inertia + rotor)
        return made

    def inertia(self, position: FloatArray) -> FloatArray:
        """Joint-space inertia (n, n) [kg m^2] at `position` (n,); joints that follow add to their masters."""
        full = self.full_inertia(position)
        if self._coupling is not None:
            return np.asarray(self._coupling.T @ full @ self._coupling)
        return np.array(full[np.ix_(self._index, self._index)])

    def full_inertia(self, position: FloatArray) -> FloatArray:
        """Inertia (nv, nv) [kg m^2] at `position` (n,) of all joints that move, in pinocchio's own order."""
        posture = self.full_position(position)
        return np.array(pinocchio.crba(self.pinocchio_model, self._data, posture, pinocchio.Convention.WORLD))

    def shortest(self, target: FloatArray, position: FloatArray) -> FloatArray:
        """`target` less `position`, both (n,): the shortest way, which for continuous joints is at most half a turn."""
        difference = np.asarray(target, dtype=np.float64) - position
        if not self.continuous.any():
            return difference
        turned = (difference + np.pi) % (2.0 * np.pi) - np.pi
        return np.where(self.continuous, turned, difference)

    def collision_geometry(self) -> pinocchio.GeometryModel:
        """The description's collision shapes on the links of `pinocchio_model`, meshes as their convex hulls."""
        model, found = self.pinocchio_model, pinocchio.GeometryModel()
        count: dict[str, int] = {}
        for shape in self.description.shapes:
            number = count[shape.link] = count.get(shape.link, -1) + 1
            frame = model.getFrameId(shape.link, pinocchio.FrameType.BODY)
            carrier = model.frames[frame]
            placed = carrier.placement * shape.placement
            found.addGeometryObject(
                pinocchio.GeometryObject(
                    f"{shape.link}_{number}", carrier.parentJoint, frame, placed, shape.geometry.clone()
                )
            )
        return found

    def controlled(self, full: FloatArray) -> FloatArray:
        """A gradient (n,) with respect to the controlled joints out of one in pinocchio's own order.

        Those are its entries; what depends on a joint that follows adds to its master's.
        """
        if self._identity_order:
            return full
        return full[self._index] if self._coupling is None else full @ self._coupling

    def tool_lipschitz_bounds(self) -> FloatArray:
        """How far a unit of motion of each joint can move the tool at most, in any posture: (n,) [m/rad]."""
        frame = self.pinocchio_model.frames[self._tool_id]
        found = lipschitz_bounds(self.pinocchio_model, frame.parentJoint, frame.placement.translation[None])
        return self.by_joint(found)

    def by_joint(self, values: dict[int, float]) -> FloatArray:
        """Bounds by pinocchio joint number as an array (n,), zero where there is none."""
        full = np.zeros(self.pinocchio_model.nv)
        for joint, value in values.items():
            full[self.pinocchio_model.joints[joint].idx_v] = value
        return self.controlled(full) if self._coupling is None else full @ np.abs(self._coupling)

    def full_position(self, position: FloatArray) -> FloatArray:
        """`position` (n,) in pinocchio's own joint order."""
        if self._identity_order:
            return position
        if self._coupling is not None:
            return self._coupling @ position + self._offset
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

    def tool_pose(self, position: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Origin (3,) [m] and rotation matrix (3, 3) of the tool frame at joint `position` (n,), in the base frame."""
        origin = self.tool_position(position)
        return origin, np.array(self._tool_placement.rotation)

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
        return origin, self._columns(jacobian[:3])

    def tool_twist_jacobian(self, position: FloatArray) -> FloatArray:
        """Jacobian (6, n) of the tool origin's linear and the tool's angular velocity, both in the base frame."""
        jacobian: FloatArray = pinocchio.computeFrameJacobian(
            self.pinocchio_model,
            self._data,
            self.full_position(position),
            self._tool_id,
            pinocchio.ReferenceFrame.LOCAL_WORLD_ALIGNED,
        )
        return self._columns(jacobian)

    def _columns(self, jacobian: FloatArray) -> FloatArray:
        """The columns of the controlled joints out of those in pinocchio's own order."""
        jacobian = jacobian.reshape(len(jacobian), -1)  # of an arm with one joint it has one dimension
        if self._identity_order:
            return jacobian
        return jacobian[:, self._index] if self._coupling is None else jacobian @ self._coupling

    def _follow(self, description: Description) -> tuple[FloatArray | None, FloatArray]:
        """What full positions are of controlled ones: a matrix (nq, n), None for mere selection, and offsets (nq,)."""
        model = self.pinocchio_model
        offset = np.zeros(model.nq)
        if not description.mimics:
            return None, offset
        coupling = np.zeros((model.nv, self.size))
        coupling[self._index, np.arange(self.size)] = 1.0
        for name, mimic in description.mimics.items():
            row = model.joints[model.getJointId(name)].idx_v
            coupling[row, self.joint_names.index(mimic.master)] = mimic.multiplier
            offset[row] = mimic.offset
        return coupling, offset


def _read(description: Description) -> tuple[pinocchio.Model, set[str]]:
    """Pinocchio's model, and the names of continuous joints.

    Those are revolute ones of endless range there: else pinocchio gives them two coordinates (cosine and sine), while
    drivers report one angle.
    """
    robot = ElementTree.fromstring(description.text)
    for element in [each for each in robot if each.tag not in KINEMATIC]:
        robot.remove(element)
    for link in robot.findall("link"):
        for shape in [*link.findall("visual"), *link.findall("collision")]:
            link.remove(shape)
    continuous = set()
    for joint in robot.findall("joint"):
        for mimic in joint.findall("mimic"):
            joint.remove(mimic)
        if joint.get("type") == "continuous":
            continuous.add(joint.get("name", ""))
            joint.set("type", "revolute")
            limit = joint.find("limit")
            assert limit is not None  # `state_limits` gave it one
            limit.attrib.update(lower=str(-ENDLESS), upper=str(ENDLESS))
    try:
        return pinocchio.buildModelFromXML(ElementTree.tostring(robot, encoding="unicode")), continuous
    except (RuntimeError, ValueError) as error:
        raise RobotModelError(f"{description.source!r} is not a valid URDF: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
