"""Who publishes an arm's commands and joint states, looked up once a second."""

from naf_robot.arm.control.publishers import SoleWriter
from naf_robot.arm.control.velocity_control import VelocityControl
from naf_robot.core.clock import SteadyClock
from naf_robot.nodes.command_output import CommandOutput, publishers
from naf_robot.nodes.control_input import ControlInput
from naf_robot.nodes.executable import STEADY, ExecutableNode

PERIOD_S = 1.0


class PublisherChecks:
    """Tells `control` of publishers that should not be there; of commands only while `commands` are sent."""

    def __init__(
        self,
        node: ExecutableNode,
        joint_states: str,
        control: VelocityControl,
        commands: CommandOutput,
        inputs: ControlInput,
    ) -> None:
        self._node, self._joint_states = node, joint_states
        self._control, self._commands, self._inputs = control, commands, inputs
        self._own = node.get_fully_qualified_name()
        self._sole_writer = SoleWriter(self._own, SteadyClock())
        node.create_timer(PERIOD_S, self.look, clock=STEADY)

    def other_writers(self) -> str | None:
        """Why nobody else may begin to send commands now, or None."""
        others = sorted({name for name in self._commands.writers() if name != self._own})
        if not others:
            return None
        return f"{', '.join(others)} publishes on {self._commands.topic}; only one node may write to the arm"

    def look(self) -> None:
        """Check the publishers of commands and of joint states."""
        if not self._commands.silent:
            self._control.permission.writers(self._sole_writer.violation(self._commands.writers()))
        names = publishers(self._node, self._joint_states)
        self._control.measured.publishers(names)
        self._control.permission.state_publishers(self._inputs.state_publishers.violation(names))
        self._inputs.states.publishers = len(names)
        self._inputs.requests.publishers = self._node.count_publishers(self._inputs.requests.topic)
