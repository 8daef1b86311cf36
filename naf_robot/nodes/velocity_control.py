"""Executable `velocity_control`, one per robot: the only writer to the arm.

Answers each desired velocity with a projected one, watches every input at 100 Hz on a steady
clock, and keeps sending zeros while any input that it depends on is missing.
"""

import sys
import time
import traceback
from functools import partial
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import WrenchStamped
from sensor_msgs.msg import JointState

from naf_robot.arm.control.fault_file import FaultFile
from naf_robot.arm.control.outputs import output_of_kind
from naf_robot.arm.control.publishers import SoleWriter
from naf_robot.arm.control.timing import WATCHDOG_PERIOD_S, ControlTiming
from naf_robot.arm.control.velocity_control import ControlOutput, VelocityControl
from naf_robot.arm.projection.projection import SafetyProjection
from naf_robot.core import run_files
from naf_robot.core.clock import SteadyClock
from naf_robot.core.errors import UnknownNameError
from naf_robot.nodes import convert, topics
from naf_robot.nodes.command_output import CommandOutput, publishers
from naf_robot.nodes.control_report import ControlReport, ControlServices
from naf_robot.nodes.executable import STEADY, ExecutableNode, run
from naf_robot.nodes.qos import COMMAND, FEEDBACK, SENSOR
from naf_robot.nodes.sensor_messages import message_type, topics_and_types
from naf_robot.run.stop_times import BRAKING_S, COMMAND_ACKNOWLEDGED_S

PUBLISHERS_PERIOD_S = 1.0


class VelocityControlNode(ExecutableNode):
    """The safety projection and its watchdog on the graph."""

    def __init__(self) -> None:
        super().__init__("velocity_control")
        robot, clock = self.robot_parameter(), SteadyClock()
        own = self.config.robot(robot)
        home = np.array(own.arm.home)
        projection = SafetyProjection(own.arm.model(), own.safety, home)
        self.joints = projection.model.joint_names
        self.control = VelocityControl(projection, self.config.control_settings(robot, self.use_sim_time), clock)
        self.timing = ControlTiming(self.config.make_task().control_period_s, self.use_sim_time, clock)
        self.sole_writer = SoleWriter(self.get_fully_qualified_name(), clock)
        self.request_stamp = Time()
        self.closing = False

        self.commands = CommandOutput(self, output_of_kind(own.output.kind))
        self.executed = self.create_publisher(JointState, topics.EXECUTED_VELOCITY, FEEDBACK)
        fault_file = FaultFile(self.run_dir / run_files.FAULTS / f"{robot}.txt")
        self.report = ControlReport(self, self.control, fault_file, f"{robot}/base_link", home)
        ControlServices(self, self.control)
        self.create_subscription(JointState, topics.JOINT_STATES, self.on_joint_states, SENSOR)
        self.create_subscription(JointState, topics.DESIRED_VELOCITY, self.on_desired, COMMAND)
        self.create_subscription(WrenchStamped, topics.EXTERNAL_WRENCH, self.on_wrench, SENSOR)
        for topic in own.velocity_control.sensor_limits_s:
            types = topics_and_types()
            if topic not in types:
                raise UnknownNameError("required sensor", topic, types, "velocity_control.sensor_limits_s")
            self.create_subscription(message_type(types[topic]), topic, partial(self.on_sensor, topic), SENSOR)
        self.create_timer(WATCHDOG_PERIOD_S, self.on_watchdog, clock=STEADY)
        self.create_timer(PUBLISHERS_PERIOD_S, self.on_publishers, clock=STEADY)

    def on_joint_states(self, message: JointState) -> None:
        """Take the measured state; a request may have waited for it."""
        stamp_s = convert.seconds(message.header.stamp)
        now_s = self.timing.message_time_s(self.now_s(), stamp_s)
        rejection = self.control.joint_state(
            message.name, message.position, message.velocity, message.effort, stamp_s, now_s
        )
        if self.report.accepted(topics.JOINT_STATES, rejection):
            self.timing.state(stamp_s)
            self.answer_if_ready()

    def on_desired(self, message: JointState) -> None:
        """Take a request."""
        stamp_s = convert.seconds(message.header.stamp)
        now_s = self.timing.message_time_s(self.now_s(), stamp_s)
        rejection = self.control.desired(message.name, message.velocity, stamp_s, now_s)
        if self.report.accepted(topics.DESIRED_VELOCITY, rejection):
            self.request_stamp = message.header.stamp
            self.timing.request(stamp_s)
            self.answer_if_ready()

    def on_sensor(self, name: str, message: Any) -> None:
        """Note a message of a required sensor."""
        stamp_s = convert.seconds(message.header.stamp)
        now_s = self.timing.message_time_s(self.now_s(), stamp_s)
        self.report.accepted(name, self.control.sensor(name, stamp_s, now_s))

    def on_wrench(self, message: WrenchStamped) -> None:
        """An external force; over its threshold it latches a fault."""
        force = message.wrench.force
        self.report.accepted(topics.EXTERNAL_WRENCH, self.control.external_force([force.x, force.y, force.z]))

    def answer_if_ready(self) -> None:
        """Answer the waiting request once the state that belongs to it is there."""
        step_s = self.timing.answer(self.now_s())
        if step_s is None:
            return
        output, period_s = self.step(step_s)
        self.commands.send(output.velocity, self.control.position, period_s, self.request_stamp)
        self.executed.publish(convert.joint_state(self.joints, self.request_stamp, velocity=output.velocity))

    def step(self, now_s: float) -> tuple[ControlOutput, float]:
        """One control step, and the measured period since the last one [s]."""
        period_s = self.timing.step(now_s)
        output = self.control.step(now_s, period_s)
        self.report.update(output, ending=self.stop_requested)
        return output, period_s

    def on_watchdog(self) -> None:
        """While requests come, they are answered; in silence this keeps deciding and sending."""
        if self.timing.unasked(self.now_s()):
            self.command_unasked()

    def command_unasked(self) -> ControlOutput:
        """Step and send without a request; when no more are answered, the simulator need not wait for one either."""
        output, period_s = self.step(self.timing.unasked_time_s(self.now_s()))
        basis_s = self.timing.basis_s()
        answers = convert.stamp(basis_s) if self.closing and basis_s is not None else None
        self.commands.send(output.velocity, self.control.position, period_s, answers, basis_s)
        return output

    def on_publishers(self) -> None:
        """Check the publishers of commands and of joint states."""
        self.control.writers(self.sole_writer.violation(self.commands.writers()))
        self.control.state_publishers(publishers(self, topics.JOINT_STATES))

    def close(self) -> None:
        """Decelerate to zero within the limits, messages still read, then send zero and make sure that it arrived.

        Braking needs the arm's newest state: one that is computed again and again from the state at the
        signal never comes to zero where the measured velocity counts.
        """
        self.control.stop("shutdown")
        self.closing = True
        until_s = time.monotonic() + BRAKING_S
        while self.command_unasked().velocity.any() and time.monotonic() < until_s:
            try:
                self.spin_for(WATCHDOG_PERIOD_S)
            except Exception:  # noqa: BLE001  whatever ended the node may happen again: brake with the last state
                traceback.print_exc()
                time.sleep(WATCHDOG_PERIOD_S)
        self.commands.send_zero(len(self.joints), COMMAND_ACKNOWLEDGED_S)
        self.report.diagnostics.publish()

    def spin_for(self, duration_s: float) -> None:
        """Handle what comes within `duration_s`."""
        end_s = time.monotonic() + duration_s
        while (left_s := end_s - time.monotonic()) > 0.0:
            self.spin_once(left_s)


def main() -> int:
    """Entry point."""
    return run(VelocityControlNode)


if __name__ == "__main__":
    sys.exit(main())
