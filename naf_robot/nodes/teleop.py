"""Executable `teleop`: an operator moves one robot with keys or a joystick, through velocity_control.

A collector is asked to release the arm first, and does not take it back before `naf-robot resume`. While nothing is
held down, zero is published; when this process ends, whatever the reason, velocity_control decelerates the arm.

With `intervene` the collector keeps the arm and its episode: it is told what the operator asks for while something is
held down, asks for that in place of the policy's action, and goes on with the policy when it is let go.
"""

import signal
import sys
import termios
import time
from functools import partial
from typing import Any

from rclpy.client import Client
from sensor_msgs.msg import JointState, Joy
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger

from naf_robot.arm.control.joint_states import JointStates
from naf_robot.arm.model.joint_values import RefusedMessage, by_name
from naf_robot.arm.projection.projection import SafetyProjection
from naf_robot.collecting.teleoperation import JoyMapping, KeyDecoder, Teleoperation, help_lines
from naf_robot.core.clock import SteadyClock
from naf_robot.core.errors import ConfigError
from naf_robot.core.records import FloatArray
from naf_robot.nodes import topics
from naf_robot.nodes.convert import joint_state, seconds
from naf_robot.nodes.desired_output import RECENT_S, DesiredOutput
from naf_robot.nodes.executable import STEADY, ExecutableNode, run
from naf_robot.nodes.qos import COMMAND, SENSOR, latched
from naf_robot.nodes.terminal import LOST, Terminal

SERVICE_S = 5.0  # for velocity_control to be found, and for an answer
COLLECTOR_S = 2.0  # for a collector to be found, if there is one
LEAVE = ("x", "\x03", "\x04")  # also Ctrl-C and Ctrl-D
SHOW_S = 0.1


class TeleopNode(ExecutableNode):
    """One operator's keys and joystick on the graph."""

    control_rank = 1

    def __init__(self) -> None:
        super().__init__("teleop")
        self.robot = self.robot_parameter()
        joy = self.node_parameters.get("joy")
        mapping = JoyMapping(self.node_parameters.get("joy_deadman"), tuple(self.node_parameters.get("joy_axes")))
        own = self.config.robot(self.robot)
        model = own.arm.model()
        limits = SafetyProjection(model, self.config.safety_of(self.robot)).limits
        self.joints = model.joint_names
        self.hand = Teleoperation(model, limits, SteadyClock(), mapping)
        self.states = JointStates(self.joints, model.continuous)
        self.position: FloatArray | None = None
        self.position_s = float("-inf")
        self.limit_s = own.velocity_control.joint_states_limit_s
        self.intervenes: bool = self.node_parameters.get("intervene")
        self.guiding = False
        self.guidance = self.create_publisher(JointState, topics.TELEOP_VELOCITY, COMMAND) if self.intervenes else None
        self.desired = DesiredOutput(self, self.joints)
        self.create_subscription(JointState, own.joint_states_topic, self.on_states, SENSOR)
        self.trouble = {topics.SAFETY_FAULT: "", topics.SAFETY_HOLD: "", "joy": "", "answer": ""}
        for topic in (topics.SAFETY_FAULT, topics.SAFETY_HOLD):
            self.create_subscription(String, topic, partial(self.on_safety, topic), latched())
        if joy:
            self.create_subscription(Joy, joy, self.on_joy, SENSOR)
        self.enable = self.create_client(SetBool, "velocity_control/enable")
        self.clear = self.create_client(Trigger, "velocity_control/clear_fault")
        self.free = self.create_client(Trigger, "collector/release")
        self.released = self.in_control = False
        self.shown = ""
        self.decoder = KeyDecoder()
        self.terminal = self.open_terminal(joy)

    def open_terminal(self, joy: str) -> Terminal | None:
        """The terminal's keys; with a joystick none are needed.

        Raises:
            ConfigError: there is neither.
        """
        try:
            return Terminal()
        except (OSError, termios.error, ValueError):
            if joy:
                return None
            raise ConfigError("teleop reads the keys of a terminal, and this is none; --joy reads a joystick") from None

    def take_control(self) -> None:
        """Let nobody else command the arm.

        Raises:
            ConfigError: no velocity_control, a collector that does not answer, or somebody else who goes on.
        """
        if not self.spin_until(self.enable.service_is_ready, SERVICE_S):
            raise ConfigError(f"no velocity_control of robot {self.robot!r} is running on this graph; nothing moves")
        if self.guidance is not None:
            if not self.spin_until(self.is_followed, SERVICE_S):
                raise ConfigError(f"no collector of robot {self.robot!r} follows interventions; nothing moves")
            return
        if self.spin_until(self.free.service_is_ready, COLLECTOR_S):
            answer = self.ask(self.free, Trigger.Request())
            if answer is None or not answer.success:
                raise ConfigError(f"the collector of {self.robot!r} does not release the arm; nothing moves")
            self.released = True
        self.desired.watch(True)
        self.spin_until(lambda: self.desired.other() is not None, RECENT_S)
        if (other := self.desired.other()) is not None:
            raise ConfigError(f"{other or 'another node'} commands the arm of {self.robot!r}; end it first")
        self.desired.watch(False)
        self.in_control = True

    def loop(self) -> int:
        """Take control, then publish once per control period until the operator leaves."""
        self.take_control()
        print("\n".join([f"robot {self.robot}", *help_lines(self.joints, self.intervenes)]), flush=True)
        self.create_timer(self.config.make_task().control_period_s, self.on_period)
        self.create_timer(SHOW_S, self.show, clock=STEADY)
        while not self.stop_requested:
            self.spin_once(0.02)
            self.read_keys()
        return 0

    def read_keys(self) -> None:
        """Take what was typed."""
        data = b"" if self.terminal is None else self.terminal.read()
        if data is None:
            self.get_logger().error(LOST)
            self.stop_requested = True
            return
        for key in self.decoder.keys(data):
            if key in LEAVE:
                self.stop_requested = True
            elif key == " ":
                self.hand.release()
            elif key == "E":
                self.enable.call_async(SetBool.Request(data=True)).add_done_callback(self.on_answer)
            elif key == "C":
                self.clear.call_async(Trigger.Request()).add_done_callback(self.on_answer)
            else:
                self.hand.key(key)

    def on_safety(self, topic: str, message: String) -> None:
        """Why velocity_control does not follow; empty when it does."""
        self.trouble[topic] = message.data

    def on_answer(self, future: Any) -> None:
        """What velocity_control says to a request."""
        self.trouble["answer"] = future.result().message

    def on_states(self, message: JointState) -> None:
        """Where the joints are, for motions of the tool."""
        stamp_s = seconds(message.header.stamp)
        try:
            state = self.states.take(message.name, message.position, message.velocity, message.effort, stamp_s)
            if state is not None:
                self.position = by_name(self.joints, state.names, state.position, "joint_states")
                self.position_s = state.stamp_s
        except RefusedMessage:
            return  # velocity_control says so on the diagnostics

    def on_joy(self, message: Joy) -> None:
        """A joystick's axes and buttons."""
        refused = self.hand.joy(message.axes, message.buttons)
        self.trouble["joy"] = f"joystick: {refused}" if refused else ""

    def fresh_position(self) -> FloatArray | None:
        """Measured position (n,) [rad], None where it is old."""
        return self.position if self.now_s() - self.position_s <= self.limit_s else None

    def is_followed(self) -> bool:
        """Whether a collector takes what is asked for."""
        return self.guidance is not None and self.guidance.get_subscription_count() > 0

    def on_period(self) -> None:
        """Ask for what is held down now; zero for nothing, or, where the collector keeps the arm, nothing."""
        stamp = self.get_clock().now().to_msg()
        if self.guidance is None:
            self.desired.send(self.hand.velocity(self.fresh_position()), stamp)
        elif self.hand.holds:
            self.guiding = True
            velocity = self.hand.velocity(self.fresh_position())
            self.guidance.publish(joint_state(self.joints, stamp, velocity=velocity, sender=self.identity))
        else:
            self.give_back()

    def give_back(self) -> None:
        """Let the policy go on, if it was kept from it."""
        if self.guidance is not None and self.guiding:
            self.guiding = False
            self.guidance.publish(joint_state((), self.get_clock().now().to_msg(), sender=self.identity))

    def show(self) -> None:
        """One line of what happens, when it changes."""
        line = " | ".join(
            [
                f"speed {self.hand.speed:.0%}",
                self.hand.doing(self.fresh_position()),
                *(text for text in self.trouble.values() if text),
            ]
        )
        if line != self.shown:
            self.shown = line
            begin, end = ("\r\x1b[K", "") if sys.stdout.isatty() else ("", "\n")
            print(f"{begin}{line}", end=end, flush=True)

    def ask(self, client: Client, request: Any) -> Any:
        """The answer of a service, None without one."""
        future = client.call_async(request)
        self.spin_until(future.done, SERVICE_S)
        return future.result() if future.done() else None

    def spin_until(self, condition: Any, within_s: float) -> bool:
        """Whether `condition` holds within that time; a signal ends it too."""
        until_s = time.monotonic() + within_s
        while not condition() and time.monotonic() < until_s and not self.stop_requested:
            self.spin_once(0.05)
        return bool(condition())

    def close(self) -> None:
        """Give the arm away: it decelerates. The collector takes it back when an operator says so."""
        self.give_back()
        if self.in_control:
            self.desired.leave()
        if self.terminal is not None:
            self.terminal.close()
        if self.released:
            print(f"\nthe collector of {self.robot} stays paused: naf-robot resume lets it go on", flush=True)


def main() -> int:
    """Entry point."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a terminal that is closed is seen as one without keys
    return run(TeleopNode)


if __name__ == "__main__":
    sys.exit(main())
