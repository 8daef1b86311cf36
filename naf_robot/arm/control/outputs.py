"""How a joint velocity is sent to an arm: one kind of output for each kind of controller below."""

from collections.abc import Mapping
from typing import Protocol

from naf_robot.core.records import FloatArray
from naf_robot.core.registry import Registry


class Output(Protocol):
    """What one kind of controller accepts. Stateless: one object serves every robot."""

    @property
    def kind(self) -> str:
        """Its name in a robot's configuration."""
        ...

    @property
    def message_type(self) -> str:
        """ROS type of the command, such as "std_msgs/msg/Float64MultiArray"."""
        ...

    @property
    def default_topic(self) -> str:
        """Where commands go unless the robot says otherwise, in its namespace."""
        ...

    def arrays(self, velocity: FloatArray, position: FloatArray | None, period_s: float) -> Mapping[str, FloatArray]:
        """The message's array fields by name, joints in the arm's order.

        `velocity` (n,) [rad/s] is what was projected, `position` (n,) [rad] what was measured last, None if
        nothing was, and `period_s` how long the command is meant to last [s].
        """
        ...


class VelocityOutput:
    """A `forward_command_controller` of ros2_control with the velocity interface, or our simulator.

    It repeats its last command without end: only a command of zeros stops the arm.
    """

    kind = "velocity"
    message_type = "std_msgs/msg/Float64MultiArray"
    default_topic = "velocity_controller/commands"

    def arrays(self, velocity: FloatArray, position: FloatArray | None, period_s: float) -> Mapping[str, FloatArray]:
        """The velocities themselves."""
        return {"data": velocity}


OUTPUTS: Registry[Output] = Registry("output", {VelocityOutput.kind: VelocityOutput()}, "output.kind")


def register_output(output: Output) -> None:
    """Make a kind of output available under its name.

    Raises:
        ConfigError: there is one of that name.
    """
    OUTPUTS.register(output.kind, output)
