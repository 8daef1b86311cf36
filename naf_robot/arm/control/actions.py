"""How a policy's action in [-1, 1] becomes joint velocities at a posture, and back. `register` adds a kind.

A task names the spec of its actions, a small record; bound to an arm it converts. `joint_velocity` has one number
per joint. `tool_twist` moves the tool. Both may carry numbers for a gripper (`arm.control.gripper`), the second also
one for ending the episode.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.arm.model.limits import JointLimits
from naf_robot.core.config import Config, build
from naf_robot.core.errors import UnknownNameError
from naf_robot.core.records import FloatArray
from naf_robot.core.registry import Registry
from naf_robot.core.types import NonNegativeInt, PositiveFloat

VERTICAL = 5  # row of the Jacobian: rotation about the base's z axis
UNDECIDED = 0.0  # a terminating number above it asks for the end of the episode


class BoundActions(Protocol):
    """The actions of one arm: A numbers in [-1, 1], named `names`; `bounds` (A,) is what a 1 stands for, in SI units.

    `max_joint_velocity` (n,) [rad/s] bounds the joint velocities that any action asks for.
    """

    names: tuple[str, ...]
    bounds: FloatArray
    max_joint_velocity: FloatArray

    @property
    def size(self) -> int:
        """Number A of an action's numbers."""
        ...

    def joint_velocity(self, action: FloatArray, position: FloatArray) -> FloatArray:
        """The joint velocity (n,) [rad/s] that `action` (A,) asks for at joint `position` (n,)."""
        ...

    def action(self, velocity: FloatArray, position: FloatArray, requested: FloatArray) -> FloatArray:
        """The action (A,) that joint `velocity` (n,) at `position` (n,) carries out.

        What no joint shows (gripper, end) is that of the `requested` action (A,).
        """
        ...

    def gripper(self, action: FloatArray) -> FloatArray | None:
        """The numbers (k,) for the gripper in [-1, 1], positive to close; None for actions without a gripper."""
        ...

    def ends_episode(self, action: FloatArray) -> bool:
        """Whether `action` asks for the end of the episode."""
        ...


class ActionSpec(Protocol):
    """A kind of action with its settings; the arm comes with `bind`."""

    @property
    def gripper_size(self) -> int:
        """How many of an action's numbers are for a gripper; 0: none is moved."""
        ...

    def size(self, joint_count: int) -> int:
        """Number of an action's numbers on an arm with so many joints."""
        ...

    def names(self, joints: Sequence[str]) -> tuple[str, ...]:
        """What each number of an action means on an arm with these joints."""
        ...

    def bind(self, model: ArmModel, limits: JointLimits, joint_speed: float) -> BoundActions:
        """The actions of one arm whose joints move at `joint_speed` [rad/s] at most, or at their limit below it."""
        ...


class JointVelocity(Config, frozen=True):
    """One number per joint: its velocity over the joint's bound; then those of a gripper."""

    gripper: NonNegativeInt = 0  # numbers after the joints' that close (1) or open (-1) a gripper: 1 for all of its
    # joints together, or one for each; 0: none

    @property
    def gripper_size(self) -> int:
        """As configured."""
        return self.gripper

    def size(self, joint_count: int) -> int:
        """One per joint, and those of the gripper."""
        return joint_count + self.gripper

    def names(self, joints: Sequence[str]) -> tuple[str, ...]:
        """The joints, then `gripper`, or `gripper_1` and so on."""
        if self.gripper == 1:
            return (*joints, "gripper")
        return (*joints, *(f"gripper_{number + 1}" for number in range(self.gripper)))

    def bind(self, model: ArmModel, limits: JointLimits, joint_speed: float) -> "JointVelocityActions":
        """The actions of one arm."""
        return JointVelocityActions(self.names(model.joint_names), np.minimum(joint_speed, limits.max_velocity))


class JointVelocityActions:
    """Implements `BoundActions`: velocity = action times bound; names beyond the joints' bounds are the gripper's."""

    def __init__(self, names: tuple[str, ...], max_joint_velocity: FloatArray) -> None:
        self.names, self.max_joint_velocity = names, max_joint_velocity
        self._joints = len(max_joint_velocity)
        self.bounds = np.concatenate((max_joint_velocity, np.ones(len(names) - self._joints)))

    @property
    def size(self) -> int:
        """Number of joints, and of the gripper's numbers."""
        return len(self.names)

    def joint_velocity(self, action: FloatArray, position: FloatArray) -> FloatArray:
        """The velocities (n,) [rad/s]; the posture does not matter."""
        return action[: self._joints] * self.max_joint_velocity

    def action(self, velocity: FloatArray, position: FloatArray, requested: FloatArray) -> FloatArray:
        """The velocities over their bounds (n,), then the gripper's numbers as requested."""
        moved = velocity / self.max_joint_velocity
        return np.concatenate((moved, requested[self._joints :])) if len(self.names) > self._joints else moved

    def gripper(self, action: FloatArray) -> FloatArray | None:
        """The numbers after the joints', if there are any."""
        return action[self._joints :] if len(self.names) > self._joints else None

    def ends_episode(self, action: FloatArray) -> bool:
        """Never."""
        return False


class ToolTwist(Config, frozen=True):
    """Velocity of the tool in the base frame, turned into joint velocities by damped least squares (Wampler 1986).

    q' = J' (J J' + d^2 I)^-1 v with v the linear velocity and, where `rotation` says so, the angular velocity about
    the vertical (QT-Opt) or about all three axes. Near a singular posture the tool then moves slower than asked.
    """

    max_speed: PositiveFloat = 0.25  # [m/s] of a full action along each axis
    max_turn: PositiveFloat = 1.0  # [rad/s] of a full action about each axis
    rotation: str = "vertical"  # none, vertical or all
    gripper: bool = False  # a number that closes (1) or opens (-1) the gripper
    terminate: bool = False  # a number that ends the episode when it is positive
    damping: PositiveFloat = 0.02  # d, [m] for translation

    def __post_init__(self) -> None:
        if self.rotation not in ROTATIONS:
            raise UnknownNameError("rotation", self.rotation, ROTATIONS, "the action tool_twist")

    @property
    def gripper_size(self) -> int:
        """One for all of the gripper's joints, or none."""
        return int(self.gripper)

    def names(self, joints: Sequence[str] = ()) -> tuple[str, ...]:
        """Axes of the velocity and of the rotation, then gripper and terminate; whatever the joints."""
        extras = [name for name, wanted in (("gripper", self.gripper), ("terminate", self.terminate)) if wanted]
        return ("x", "y", "z", *ROTATIONS[self.rotation], *extras)

    def size(self, joint_count: int) -> int:
        """The same for every arm."""
        return len(self.names())

    def bind(self, model: ArmModel, limits: JointLimits, joint_speed: float) -> "ToolTwistActions":
        """The actions of one arm."""
        return ToolTwistActions(self, model, np.minimum(joint_speed, limits.max_velocity))


ROTATIONS: dict[str, tuple[str, ...]] = {"none": (), "vertical": ("turn_z",), "all": ("turn_x", "turn_y", "turn_z")}


class ToolTwistActions:
    """Implements `BoundActions` for the tool's velocity."""

    def __init__(self, config: ToolTwist, model: ArmModel, max_joint_velocity: FloatArray) -> None:
        self.names = config.names()
        self.max_joint_velocity = max_joint_velocity
        self._model = model
        self._damping = config.damping**2
        turns = len(ROTATIONS[config.rotation])
        self._rows = [0, 1, 2] + ([VERTICAL] if turns == 1 else [3, 4, 5][:turns])
        moving = len(self._rows)
        self.bounds = np.ones(len(self.names))
        self.bounds[:moving] = [config.max_speed] * 3 + [config.max_turn] * turns

    @property
    def size(self) -> int:
        """Number of an action's numbers."""
        return len(self.names)

    def joint_velocity(self, action: FloatArray, position: FloatArray) -> FloatArray:
        """Damped least squares; scaled down as a whole where a joint would pass its bound."""
        twist = action[: len(self._rows)] * self.bounds[: len(self._rows)]
        jacobian = self._model.tool_twist_jacobian(position)[self._rows]
        normal = jacobian @ jacobian.T
        normal[np.diag_indices_from(normal)] += self._damping
        velocity: FloatArray = jacobian.T @ np.linalg.solve(normal, twist)
        excess = float(np.max(np.abs(velocity) / self.max_joint_velocity))
        return velocity / excess if excess > 1.0 else velocity

    def action(self, velocity: FloatArray, position: FloatArray, requested: FloatArray) -> FloatArray:
        """The tool's velocity over its bounds; the numbers for gripper and end as requested."""
        moving = len(self._rows)
        found = np.array(requested, dtype=np.float64)
        found[:moving] = self._model.tool_twist_jacobian(position)[self._rows] @ velocity / self.bounds[:moving]
        return found

    def gripper(self, action: FloatArray) -> FloatArray | None:
        """The number named `gripper`, shape (1,)."""
        if "gripper" not in self.names:
            return None
        index = self.names.index("gripper")
        return action[index : index + 1]

    def ends_episode(self, action: FloatArray) -> bool:
        """Whether the number named `terminate` is positive."""
        return "terminate" in self.names and float(action[self.names.index("terminate")]) > UNDECIDED


ACTION_SPECS: Registry[type[Config]] = Registry(  # configuration records with the methods of `ActionSpec`
    "kind of action", {"joint_velocity": JointVelocity, "tool_twist": ToolTwist}, "task.actions"
)
register = ACTION_SPECS.register


def make_action_spec(values: Mapping[str, Any]) -> ActionSpec:
    """The spec that plain `values` describe: its `kind`, `joint_velocity` without one, and the kind's settings.

    Raises:
        UnknownNameError: listing the kinds there are, or the settings of the kind.
        ConfigError: a setting of the wrong type or range.
    """
    kind = values.get("kind", "joint_velocity")
    settings = {name: value for name, value in values.items() if name != "kind"}
    spec: Any = build(ACTION_SPECS[kind], settings, "task.actions")
    return spec
