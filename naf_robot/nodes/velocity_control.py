"""Executable `velocity_control`, one per robot: the only writer to the arm.

Answers each desired velocity with a projected one, watches every input at 100 Hz on a steady
clock, and keeps sending zeros while any input that it depends on is missing.
"""

import sys
import time
import traceback
from collections.abc import Callable

import numpy as np
from sensor_msgs.msg import JointState

from naf_robot.arm.control.controller_joints import ControllerJoints
from naf_robot.arm.control.fault_file import FaultFile
from naf_robot.arm.control.output import arm_of
from naf_robot.arm.control.outputs import OUTPUTS
from naf_robot.arm.control.timing import WATCHDOG_PERIOD_S, ControlTiming
from naf_robot.arm.control.velocity_control import ControlOutput, VelocityControl
from naf_robot.arm.projection.projection import SafetyProjection
from naf_robot.core import run_files
from naf_robot.core.clock import SteadyClock
from naf_robot.nodes import convert, topics
from naf_robot.nodes.command_output import CommandOutput
from naf_robot.nodes.control_input import ControlInput
from naf_robot.nodes.control_report import ControlReport, ControlServices
from naf_robot.nodes.controller_link import ControllerLink
from naf_robot.nodes.diagnostics import Status
from naf_robot.nodes.executable import STEADY, run
from naf_robot.nodes.managed import ACTIVE, ManagedNode
from naf_robot.nodes.publisher_checks import PublisherChecks
from naf_robot.nodes.qos import FEEDBACK
from naf_robot.run.frames import frame_of
from naf_robot.run.robot import RobotConfig, time_out_warning
from naf_robot.run.stop_times import BRAKING_S, COMMAND_ACKNOWLEDGED_S


class VelocityControlNode(ManagedNode):
    """The safety projection and its watchdog on the graph; only an active one writes to the arm."""

    control_rank = 0

    def __init__(self) -> None:
        super().__init__("velocity_control")
        self.robot = self.robot_parameter()
        self.closing = False
        self.begin()

    def configure(self) -> None:
        """Make projection, inputs and outputs; nothing is sent."""
        robot, clock = self.robot, SteadyClock()
        own = self.config.robot(robot)
        home = np.array(own.arm.home)
        projection = SafetyProjection(own.arm.model(), self.config.safety_of(robot), home)
        self.joints = projection.model.joint_names
        settings = self.config.control_settings(robot, self.use_sim_time)
        real = self.config.is_real(robot)
        self.control = VelocityControl(projection, settings, clock, real)
        self.control.activate(False)
        period_s = self.config.make_task().control_period_s
        self.timing = ControlTiming(period_s, self.use_sim_time, clock, self.in_lockstep)

        self.arm = arm_of(projection)
        kind = OUTPUTS[own.output_kind]
        self.commands = CommandOutput(self, kind, self.arm, own.command_topic)
        self.commands.silent = True
        self.needs_order = own.real and kind.needs_order
        self.commands.withheld = self.needs_order
        self.executed = self.create_publisher(JointState, topics.EXECUTED_VELOCITY, FEEDBACK)
        fault_file = FaultFile(self.run_dir / run_files.FAULTS / f"{robot}.txt")
        self.report = ControlReport(self, self.control, fault_file, frame_of(robot, projection.model.base_frame), home)
        ControlServices(self, self.control, self.report.operator)
        self.input = ControlInput(self, own, self.control, self.timing, self.report, self.answer_if_ready)
        self.report.inputs(self.input.states, self.input.requests, lambda: self.input.joint_states.missing)
        if (factor := self.config.speed_factor(robot)) < 1.0:
            self.report.note = f"first run at {factor:.0%} of the speed: "
        known = ControllerJoints(self.joints, own.controller, clock, kind.needs_order)
        self.controller = known if own.controller else None
        if self.controller is not None:
            ControllerLink(self, own.controller, kind.takes_trajectories, self.controller, self.on_controller)
        if real:
            self.report.warn("time-out", time_out_warning(own, period_s))
        self.node_parameters.change("speed", self.control.slow_down)
        self.show_limits(own, period_s)
        self.create_timer(WATCHDOG_PERIOD_S, self.on_watchdog, clock=STEADY)
        self.publisher_checks = PublisherChecks(self, own.joint_states_topic, self.control, self.commands, self.input)

    def activate(self) -> str | None:
        """Begin to write to the arm, unless somebody else does."""
        if (others := self.publisher_checks.other_writers()) is not None:
            return others
        self.control.activate(True)
        self.commands.silent = False
        return None

    def deactivate(self) -> str | None:
        """Bring the arm to rest, make sure that the last zero has arrived, and write no more."""
        self.control.activate(False)
        rests = self.brake(self.input.poll)
        arrived = self.commands.send_zero(len(self.joints), COMMAND_ACKNOWLEDGED_S)
        if not rests or not arrived:
            self.control.activate(True)
            return f"the arm did not come to rest within {BRAKING_S} s" if not rests else "the last zero did not arrive"
        self.commands.silent = True
        return None

    def unconfigure(self) -> None:
        """Leave an arm that is still commanded at zero."""
        if not self.commands.silent:
            self.commands.send_zero(len(self.joints), COMMAND_ACKNOWLEDGED_S)
            self.commands.silent = True

    def status(self) -> Status:
        """What it does, for the diagnostics."""
        return self.report.status()

    def show_limits(self, own: RobotConfig, period_s: float) -> None:
        """Parameters that say what the configuration means for this arm."""
        limits, sphere = self.control.projection.limits, self.control.projection.config.sphere
        self.node_parameters.show(
            control_period_s=period_s,
            joints=list(self.joints),
            max_velocity=limits.max_velocity.tolist(),
            max_acceleration=limits.max_acceleration.tolist(),
            min_position=limits.min_position.tolist(),
            max_position=limits.max_position.tolist(),
            sphere__centre=list(sphere.centre),
            sphere__radius=sphere.radius,
            command_topic=own.command_topic,
            output_kind=own.output_kind,
            real=self.config.is_real(self.robot),
        )

    def answer_if_ready(self) -> None:
        """Answer the waiting request once the state that belongs to it is there."""
        step_s = self.timing.answer(self.now_s())
        if step_s is None:
            return
        output, period_s = self.step(step_s)
        stamp = self.input.request_stamp
        self.commands.send(output.velocity, self.control.position, period_s, stamp)
        if not self.commands.silent:
            self.executed.publish(convert.joint_state(self.joints, stamp, velocity=output.velocity))

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
        else:
            self.commands.send_between()

    def command_unasked(self) -> ControlOutput:
        """Step and send without a request; when no more are answered, the simulator need not wait for one either."""
        output, period_s = self.step(self.timing.unasked_time_s(self.now_s()))
        basis_s = self.timing.basis_s()
        answers = convert.stamp(basis_s) if self.closing and basis_s is not None else None
        self.commands.send(output.velocity, self.control.position, period_s, answers, basis_s)
        return output

    def on_controller(self) -> None:
        """Take what the controller says of its joints."""
        assert self.controller is not None
        if self.controller.order is not None:
            self.arm.order = self.controller.order
        self.commands.withheld = self.needs_order and self.controller.order is None
        self.control.permission.controller(self.controller.obstacle or self.commands.unheard())
        self.report.warn("controller", self.controller.warning)

    def close(self) -> None:
        """Decelerate to zero within the limits, messages still read, then send zero and make sure that it arrived.

        Braking needs the arm's newest state: one that is computed again and again from the state at the
        signal never comes to zero where the measured velocity counts. An arm that is not ours is left alone.
        """
        if self.lifecycle_state == ACTIVE:
            self.control.stop("shutdown")
            self.brake(self.spin_for)
            self.commands.send_zero(len(self.joints), COMMAND_ACKNOWLEDGED_S)
            self.diagnostics.publish()

    def brake(self, listen: Callable[[float], None]) -> bool:
        """Command the arm until zero is sent, and `listen` for so long [s] in between; whether that came in time."""
        self.closing = True
        until_s = time.monotonic() + BRAKING_S
        while (moving := self.command_unasked().velocity.any()) and time.monotonic() < until_s:
            try:
                listen(WATCHDOG_PERIOD_S)
            except Exception:  # noqa: BLE001  whatever ended the node may happen again: brake with the last state
                traceback.print_exc()
                time.sleep(WATCHDOG_PERIOD_S)
        self.closing = False
        return not moving

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
