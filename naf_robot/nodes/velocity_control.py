"""Executable `velocity_control`, one per robot: the only writer to the arm.

Answers each desired velocity with a projected one, watches every input at 100 Hz on a steady
clock, and keeps sending zeros when anything it depends on is silent.
"""

import sys
import time
import traceback
from functools import partial

import numpy as np
from geometry_msgs.msg import QuaternionStamped, WrenchStamped
from rclpy.duration import Duration
from sensor_msgs.msg import Imu, JointState
from std_msgs.msg import Float64MultiArray, String
from std_srvs.srv import SetBool, Trigger
from visualization_msgs.msg import MarkerArray

from naf_robot.arm.control.velocity_control import ControlOutput, VelocityControl
from naf_robot.arm.projection.projection import SafetyProjection
from naf_robot.core import run_files
from naf_robot.core.clock import SteadyClock
from naf_robot.core.errors import UnknownNameError
from naf_robot.core.files import replace_file
from naf_robot.nodes import convert, topics
from naf_robot.nodes.diagnostics import ERROR, OK, WARN, Diagnostics, Status
from naf_robot.nodes.executable import STEADY, ExecutableNode, run
from naf_robot.nodes.markers import safety_markers
from naf_robot.nodes.qos import COMMAND, FEEDBACK, SENSOR, latched

WATCHDOG_PERIOD_S = 0.01
MARKER_PERIOD_S = 0.1
SENSOR_TYPES = {
    topics.DOOR_IMU: Imu,
    topics.DOOR_STATE: JointState,
    topics.DOOR_ORIENTATION: QuaternionStamped,
    topics.EXTERNAL_WRENCH: WrenchStamped,
}
CLOSING_S = 2.0  # at most, until zero is said whatever the arm does
SIMULATED_SILENCE_S = 0.25  # wall time; accelerated or burdened simulation is not a dead collector


class VelocityControlNode(ExecutableNode):
    """The safety projection and its watchdog on the graph."""

    def __init__(self) -> None:
        super().__init__("velocity_control")
        self.robot = self.robot_parameter()
        settings = self.config.robot(self.robot)
        self.projection = SafetyProjection(settings.arm.model(), settings.safety)
        control = self.config.control_settings(self.robot, self.use_sim_time)
        self.control = VelocityControl(self.projection, control, SteadyClock())
        self.joints = self.projection.model.joint_names
        self.period_s = self.config.make_task().control_period_s
        self.pending: JointState | None = None
        self.state_stamp_s = -1.0
        self.position = np.array(settings.arm.home)
        self.last_answer_s, self.last_answer_stamp_s = time.monotonic(), 0.0
        self.last_step_s, self.last_step_wall_s = -1.0, time.monotonic()
        self.output: ControlOutput | None = None
        self.closing = False

        self.commands = self.create_publisher(Float64MultiArray, topics.COMMANDS, COMMAND)
        self.executed = self.create_publisher(JointState, topics.EXECUTED_VELOCITY, FEEDBACK)
        self.markers = self.create_publisher(MarkerArray, topics.SAFETY_MARKERS, latched())
        self.create_subscription(JointState, topics.JOINT_STATES, self.on_joint_states, SENSOR)
        self.create_subscription(JointState, topics.DESIRED_VELOCITY, self.on_desired, COMMAND)
        self.faults = self.create_publisher(String, topics.SAFETY_FAULT, latched())
        self.fault_said: str | None = None
        self.fault_file = self.run_dir / run_files.FAULTS / f"{self.robot}.txt"
        self.latch_kept_fault()
        self.create_subscription(WrenchStamped, topics.EXTERNAL_WRENCH, self.on_wrench, SENSOR)
        for sensor in settings.velocity_control.sensor_limits_s:
            if sensor not in SENSOR_TYPES:
                raise UnknownNameError("required sensor", sensor, SENSOR_TYPES, "velocity_control.sensor_limits_s")
            self.create_subscription(SENSOR_TYPES[sensor], sensor, partial(self.on_sensor, sensor), SENSOR)
        self.create_service(Trigger, "velocity_control/stop", self.on_stop)
        self.create_service(Trigger, "velocity_control/clear_fault", self.on_clear_fault)
        self.create_service(SetBool, "velocity_control/enable", self.on_enable)
        self.create_timer(WATCHDOG_PERIOD_S, self.on_watchdog, clock=STEADY)
        self.create_timer(MARKER_PERIOD_S, self.on_markers, clock=STEADY)
        self.diagnostics = Diagnostics(self, STEADY, self.report)

    def on_joint_states(self, message: JointState) -> None:
        """Take the measured state; a request may have waited for it."""
        stamp_s = convert.seconds(message.header.stamp)
        refusal = self.control.joint_state(
            message.name, message.position, message.velocity, message.effort, stamp_s, self.now_or(stamp_s)
        )
        if refusal is not None:
            self.diagnostics.refuse("joint_states", refusal)
            return
        self.state_stamp_s = stamp_s
        position = convert.by_name(message, self.joints, message.position)
        if position is not None:
            self.position = position
        self.answer_if_ready()

    def on_desired(self, message: JointState) -> None:
        """Take a request."""
        stamp_s = convert.seconds(message.header.stamp)
        refusal = self.control.desired(message.name, message.velocity, stamp_s, self.now_or(stamp_s))
        if refusal is not None:
            self.diagnostics.refuse("desired_velocity", refusal)
            return
        self.pending = message
        self.answer_if_ready()

    def on_sensor(self, name: str, message: Imu | JointState | QuaternionStamped | WrenchStamped) -> None:
        """A required sensor has spoken."""
        stamp_s = convert.seconds(message.header.stamp)
        refusal = self.control.sensor(name, stamp_s, self.now_or(stamp_s))
        if refusal is not None:
            self.diagnostics.refuse(name, refusal)

    def on_wrench(self, message: WrenchStamped) -> None:
        """An external force; over its threshold it latches a fault."""
        force = message.wrench.force
        refusal = self.control.external_force([force.x, force.y, force.z])
        if refusal is not None:
            self.diagnostics.refuse(topics.EXTERNAL_WRENCH, refusal)

    def now_or(self, stamp_s: float) -> float:
        """The node's time; under simulated time a message may overtake the clock that it belongs to."""
        return max(self.now_s(), stamp_s) if self.use_sim_time else self.now_s()

    def answer_if_ready(self) -> None:
        """Answer the pending request once the state that belongs to it is there."""
        if self.pending is None:
            return
        stamp_s = convert.seconds(self.pending.header.stamp)
        if self.use_sim_time and self.state_stamp_s < stamp_s - 1e-6:
            return
        request, self.pending = self.pending, None
        output = self.step(max(self.now_s(), stamp_s) if self.use_sim_time else self.now_s())
        self.last_answer_s, self.last_answer_stamp_s = time.monotonic(), stamp_s
        self.commands.publish(convert.command(output.velocity, request.header.stamp))
        self.executed.publish(convert.joint_state(self.joints, request.header.stamp, velocity=output.velocity))

    def step_time_s(self) -> float:
        """Now; not earlier than the last step while the clock only lags behind a stamp, earlier if time jumped back."""
        now_s = self.now_s()
        return self.last_step_s if 0.0 < self.last_step_s - now_s <= 2.0 * self.period_s else now_s

    def step(self, now_s: float) -> ControlOutput:
        """One control step with the measured period since the last one."""
        wall_s = time.monotonic()
        elapsed = now_s - self.last_step_s if self.use_sim_time else wall_s - self.last_step_wall_s
        if self.use_sim_time and elapsed <= 0.0:  # the simulated clock stands: decelerate in wall time
            elapsed = wall_s - self.last_step_wall_s
        first = self.last_step_s < 0.0
        self.last_step_s, self.last_step_wall_s = now_s, wall_s
        self.output = self.control.step(now_s, self.period_s if first else elapsed)
        fault = self.output.fault or ""
        if fault != self.fault_said:
            self.fault_said = fault
            self.keep_fault(fault)
            self.faults.publish(String(data=fault))
        return self.output

    def latch_kept_fault(self) -> None:
        """A fault that was latched when a predecessor died is latched still: a restart must not clear it."""
        if self.fault_file.is_file():
            text = self.fault_file.read_text(encoding="utf-8", errors="replace")[:1000].strip()
            self.control.stop(f"latched before a restart: {text.removeprefix('latched before a restart: ')}")

    def keep_fault(self, fault: str) -> None:
        """Note a latched fault in the run folder, for a successor; an end in good order is none."""
        if fault and self.stop_requested:
            return
        try:
            if fault:
                self.fault_file.parent.mkdir(exist_ok=True)
                replace_file(self.fault_file, fault.encode())
            else:
                self.fault_file.unlink(missing_ok=True)
        except OSError as error:
            self.diagnostics.refuse("keeping the fault", error)

    def on_watchdog(self) -> None:
        """While requests come, they are answered; in silence this keeps deciding and sending."""
        limit_s = SIMULATED_SILENCE_S if self.use_sim_time else 1.5 * self.period_s
        simulated_s = self.now_s() - self.last_answer_stamp_s if self.use_sim_time else 0.0
        if time.monotonic() - self.last_answer_s < limit_s and simulated_s < 1.5 * self.period_s:
            return
        self.command_unasked()

    def command_unasked(self) -> ControlOutput:
        """Step and send without a request; when no more are answered, the simulator need not wait for one either."""
        output, judged_s = self.step(self.step_time_s()), self.judged_s()
        answered = convert.stamp(judged_s) if self.closing and judged_s is not None else None
        self.commands.publish(convert.command(output.velocity, answered, judged_s))
        return output

    def judged_s(self) -> float | None:
        """Stamp of the state that unasked commands are judged from, under simulated time.

        A process that was frozen cannot tell by a simulated clock how old its state is; the simulator can.
        """
        return self.state_stamp_s if self.use_sim_time and self.state_stamp_s >= 0.0 else None

    def on_stop(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Latch a stop."""
        self.control.stop("by service call")
        response.success, response.message = True, "stopping; clear_fault allows motion again"
        return response

    def on_clear_fault(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Clear faults whose causes are gone."""
        response.success, response.message = self.control.clear_fault()
        return response

    def on_enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        """Follow desired velocities or not."""
        response.success, response.message = self.control.enable(request.data)
        return response

    def on_markers(self) -> None:
        """Show the sphere, the tool, what was clipped, and any fault."""
        if self.markers.get_subscription_count() > 0:
            frame, now = f"{self.robot}/base_link", self.get_clock().now().to_msg()
            self.markers.publish(safety_markers(self.projection, self.position, self.output, frame, now))

    def report(self) -> Status:
        """Status, reasons and counters."""
        output = self.output
        values: dict[str, object] = {f"interventions {k}": v for k, v in self.control.interventions.counts().items()}
        if output is None:
            return WARN, "waiting for the first joint states and desired velocity", values
        values |= {"status": output.status.name, "enabled": self.control.enabled}
        if output.fault is not None:
            return ERROR, f"fault: {output.fault}", values
        return (WARN, "; ".join(output.reasons), values) if output.reasons else (OK, output.status.sentence, values)

    def close(self) -> None:
        """Decelerate to zero within the limits, messages still read, then say zero and make sure that it arrived.

        Braking needs the arm's newest state: one that is judged again and again from the state at the
        signal never comes to zero where the measured velocity counts.
        """
        self.control.stop("shutdown")
        self.closing = True
        until_s = time.monotonic() + CLOSING_S
        while self.command_unasked().velocity.any() and time.monotonic() < until_s:
            try:
                self.spin_for(WATCHDOG_PERIOD_S)
            except Exception:  # noqa: BLE001  what ended the node may do so again: brake on what is known
                traceback.print_exc()
                time.sleep(WATCHDOG_PERIOD_S)
        self.commands.publish(convert.command(np.zeros(len(self.joints)), None))
        self.commands.wait_for_all_acked(Duration(seconds=0.5))
        self.diagnostics.publish()

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
