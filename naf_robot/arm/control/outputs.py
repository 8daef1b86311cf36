"""How a joint velocity is sent to an arm: one kind of output for each kind of controller below.

`velocity` sends the velocities themselves, `position` and `trajectory` positions along the motion that they make
(`naf_robot.arm.control.position_outputs`). `register_output` adds a kind from outside.
"""

from typing import Any, Protocol

from naf_robot.arm.control.output import Message, Output, OutputArm
from naf_robot.arm.control.position_outputs import PositionOutput, TrajectoryOutput
from naf_robot.core.records import FloatArray
from naf_robot.core.registry import Registry

__all__ = ["OUTPUTS", "Output", "OutputArm", "OutputKind", "register_output"]


class OutputKind(Protocol):
    """What one kind of controller accepts; its class, called with an arm, makes the output of that arm."""

    kind: str  # its name in a robot's configuration
    message_type: str  # ROS type of the command, such as "std_msgs/msg/Float64MultiArray"
    default_topic: str  # where commands go unless the robot says otherwise, in its namespace
    takes_trajectories: bool  # each message is a motion, which its controller may begin at the measured state
    needs_order: bool  # even a command to stand would move the arm in another order of joints: none before it is known

    def __call__(self, arm: OutputArm) -> Output:
        """The output of one arm."""
        ...


class VelocityOutput:
    """A `forward_command_controller` or `JointGroupVelocityController` of ros2_control, or our simulator.

    It repeats its last command without end: only a command of zeros stops the arm.
    """

    kind = "velocity"
    message_type = "std_msgs/msg/Float64MultiArray"
    default_topic = "velocity_controller/commands"
    takes_trajectories = False
    needs_order = False  # zeros are zeros in any order

    def __init__(self, arm: OutputArm) -> None:
        self._arm = arm

    def command(self, velocity: FloatArray, position: FloatArray | None, period_s: float) -> Message | None:
        """The velocities themselves."""
        return {"data": velocity[self._arm.order]}

    def between(self, elapsed_s: float) -> Message | None:
        """Nothing: the controller repeats the last one."""
        return None


OUTPUTS: Registry[Any] = Registry(  # of `OutputKind`
    "output",
    {kind.kind: kind for kind in (VelocityOutput, PositionOutput, TrajectoryOutput)},
    "output.kind",
)


def register_output(kind: OutputKind) -> None:
    """Make a kind of output available under its name.

    Raises:
        ConfigError: there is one of that name.
    """
    OUTPUTS.register(kind.kind, kind)
