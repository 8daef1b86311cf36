"""A gripper with joints of its own beside the arm's: what an action's numbers ask of it.

Its controller takes efforts (`effort_controllers/JointGroupEffortController` of ros2_control, or the simulator's
motors). m joints of the gripper, k numbers of an action: one for all joints together, or one for each.
"""

import numpy as np

from naf_robot.core.config import Config
from naf_robot.core.errors import ConfigError
from naf_robot.core.finite import require_finite
from naf_robot.core.graph_names import GRIPPER_COMMANDS
from naf_robot.core.records import FloatArray

OPENING = -1.0  # the number that asks for full effort away from what is held


class GripperConfig(Config, frozen=True):
    """One gripper; it belongs to the arm's description, and its joints are not among those of the arm."""

    joints: tuple[str, ...]  # names of its joints, in the order of all its arrays
    max_effort: tuple[float, ...]  # [N m], of sliders [N]; effort of each joint that a full closing action asks for,
    # negative where the joint closes backwards
    home: tuple[float, ...] = ()  # [rad] or [m] positions at the start of an episode; empty: all 0
    topic: str = GRIPPER_COMMANDS  # topic of its controller's commands, in the robot's namespace

    def __post_init__(self) -> None:
        require_finite(self, "gripper")
        if not self.joints or len(set(self.joints)) != len(self.joints):
            raise ConfigError(f"gripper.joints must name at least one joint, each once, got {list(self.joints)}")
        if len(self.max_effort) != len(self.joints) or 0.0 in self.max_effort:
            raise ConfigError(
                f"gripper.max_effort must have one value, not 0, for each of the {len(self.joints)} joints, "
                f"got {list(self.max_effort)}"
            )
        if self.home and len(self.home) != len(self.joints):
            raise ConfigError(
                f"gripper.home must have one position for each of the {len(self.joints)} joints, got {len(self.home)}"
            )

    @property
    def size(self) -> int:
        """Number m of its joints."""
        return len(self.joints)

    @property
    def home_position(self) -> FloatArray:
        """Its posture (m,) at the start of an episode."""
        return np.asarray(self.home or (0.0,) * self.size)

    def effort(self, numbers: FloatArray) -> FloatArray:
        """The joints' efforts (m,) that an action's `numbers` (k,) in [-1, 1] ask for, positive ones to close."""
        return np.broadcast_to(numbers, (self.size,)) * np.asarray(self.max_effort)

    def numbers(self, effort: FloatArray, count: int) -> FloatArray:
        """The `count` numbers k of an action that ask for the joints' `effort` (m,)."""
        each = np.asarray(effort) / np.asarray(self.max_effort)
        return each if count == self.size else each[:1]


def check_gripper(gripper: GripperConfig | None, numbers: int, robot: str) -> None:
    """Whether `numbers` k of an action fit the gripper of `robot`.

    Raises:
        ConfigError: it has none, or neither one joint nor `numbers` of them.
    """
    if not numbers:
        return
    if gripper is None:
        raise ConfigError(
            f"the task's actions have {numbers} numbers for a gripper, and {robot!r} has none: choose a robot whose "
            "profile has a gripper, or other task.actions"
        )
    if numbers not in (1, gripper.size):
        raise ConfigError(
            f"the task's actions have {numbers} numbers for a gripper, and the one of {robot!r} has {gripper.size} "
            f"joints: task.actions needs 1, for all of them together, or {gripper.size}"
        )
