"""Executable `collector`, one per robot: runs the newest policy through episodes and uploads what happened."""

import sys
import time

import numpy as np
from geometry_msgs.msg import PoseStamped
from sensor_msgs.msg import JointState
from std_msgs.msg import String, UInt8MultiArray
from std_srvs.srv import SetBool

from naf_robot.arm.projection.projection import SafetyProjection
from naf_robot.collecting.collector import Collector, Phase, Tick
from naf_robot.collecting.upload import Uploader
from naf_robot.core.clock import SteadyClock
from naf_robot.core.errors import CodecError, NafRobotError, StoreError
from naf_robot.core.rate import RateMeter
from naf_robot.experience.chunks import ChunkAssembler
from naf_robot.experience.codec import decode_acknowledgement, decode_parameters
from naf_robot.experience.database import OUTBOX_FOLDER
from naf_robot.experience.outbox import Outbox
from naf_robot.nodes import convert, topics
from naf_robot.nodes.diagnostics import OK, WARN, Diagnostics, Status
from naf_robot.nodes.door_input import DoorInput
from naf_robot.nodes.executable import STEADY, ExecutableNode, run
from naf_robot.nodes.qos import COMMAND, EXPERIENCE, FEEDBACK, PARAMETERS, SENSOR, latched, reliable
from naf_robot.run.contract import contract_of
from naf_robot.run.environments import action_velocity
from naf_robot.run.pin import PinFile
from naf_robot.sensing.signals import Signals

FLUSH_S = 0.6  # how long the end waits for the trainer to take the last batches; the rest stays in the outbox
HOLD_S = 0.01  # wall time a waiting robot adds to a tick of accelerated simulation, to leave the machine to the trainer


class CollectorNode(ExecutableNode):
    """One robot's collector on the graph."""

    def __init__(self) -> None:
        super().__init__("collector")
        self.robot = self.robot_parameter()
        model = self.config.arm.model()
        limits = SafetyProjection(model, self.config.safety).limits
        self.joints = model.joint_names
        self.contract = contract_of(self.config, self.run_dir)
        settings = self.config.collector
        folder = self.run_dir / OUTBOX_FOLDER
        folder.mkdir(exist_ok=True)
        self.outbox = Outbox(folder / f"{self.robot}.sqlite", self.robot, self.contract, settings.max_outbox_bytes)
        self.uploader = Uploader(self.outbox, SteadyClock(), settings.resend_s, settings.max_resend_s)
        velocity = action_velocity(self.config, limits)
        first = self.outbox.next_episode
        self.collector = Collector(self.config, self.robot, model, velocity, SteadyClock(), first)
        self.chunks = ChunkAssembler(run_id=self.contract.run_id)
        self.rates = RateMeter(SteadyClock())
        self.pin = PinFile(self.run_dir, self.robot)
        self.period_s = self.config.make_task().control_period_s
        self.signals: Signals = {}
        self.state_stamp_s = -1.0
        self.last_tick_s = -1.0
        self.waiting_since_s: float | None = None
        self.waiting_for_door_since_s: float | None = None
        self.periods, self.missed_periods = 0, 0

        self.desired = self.create_publisher(JointState, topics.DESIRED_VELOCITY, COMMAND)
        self.target = self.create_publisher(PoseStamped, topics.TARGET, latched())
        self.experience = self.create_publisher(UInt8MultiArray, topics.EXPERIENCE, EXPERIENCE)
        self.request = self.create_publisher(String, topics.POLICY_REQUEST, reliable(10))
        self.create_subscription(JointState, topics.JOINT_STATES, self.on_joint_states, SENSOR)
        self.create_subscription(JointState, topics.EXECUTED_VELOCITY, self.on_executed, FEEDBACK)
        self.create_subscription(UInt8MultiArray, topics.POLICY_PARAMETERS, self.on_parameters, PARAMETERS)
        self.create_subscription(UInt8MultiArray, topics.EXPERIENCE_ACK, self.on_acknowledgement, EXPERIENCE)
        self.create_subscription(String, topics.SAFETY_FAULT, self.on_fault, latched())
        sensors, max_age_s = self.config.make_task().sensors, self.config.door_sensor.angle.max_age_s
        self.diagnostics = Diagnostics(self, STEADY, self.report)
        self.door = DoorInput(self, sensors, max_age_s, self.tick_if_ready, self.diagnostics.refuse)
        self.create_service(SetBool, "collector/pause", self.on_pause)
        self.create_timer(self.period_s, self.on_time)
        self.create_timer(0.2, self.on_housekeeping, clock=STEADY)

    def on_joint_states(self, message: JointState) -> None:
        """Keep the newest joint state; it may be what a tick was waiting for."""
        position = convert.by_name(message, self.joints, message.position)
        velocity = convert.by_name(message, self.joints, message.velocity)
        if position is None or velocity is None:
            self.diagnostics.refuse(
                "joint_states", f"needs position and velocity of {list(self.joints)}, got {list(message.name)}"
            )
            return
        if not (np.isfinite(position).all() and np.isfinite(velocity).all()):
            self.diagnostics.refuse("joint_states", "values that are not finite")
            return
        self.signals = self.signals | {"joint_position": position, "joint_velocity": velocity}
        self.state_stamp_s = convert.seconds(message.header.stamp)
        self.tick_if_ready()

    def on_executed(self, message: JointState) -> None:
        """What was really sent for a request of ours."""
        velocity = convert.by_name(message, self.joints, message.velocity)
        if velocity is None:
            self.diagnostics.refuse("executed_velocity", f"joints {list(message.name)}")
            return
        self.collector.executed(convert.seconds(message.header.stamp), velocity)
        self.tick_if_ready()

    def on_time(self) -> None:
        """The control timer on the node's clock."""
        self.tick_if_ready()

    def tick_if_ready(self) -> None:
        """Act once per control period, when time, state and the last answer are all there.

        Under simulated time a tick's state carries exactly the tick's stamp. The executed velocity
        of the last tick is waited for, within a bound.
        """
        now_s = self.now_s()
        fresh_s = now_s if self.use_sim_time else now_s - self.period_s
        due = now_s >= self.last_tick_s + self.period_s - (1e-6 if self.use_sim_time else 0.1 * self.period_s)
        if not due or self.state_stamp_s < fresh_s - 1e-6 or now_s <= 0.0:
            return
        if self.collector.awaits_executed() and not self.waited_long_enough():
            return
        if self.use_sim_time and not self.door.complete(now_s - self.period_s / 2) and not self.waited_for_door():
            return
        self.waiting_since_s = self.waiting_for_door_since_s = None
        if self.last_tick_s >= 0.0:
            elapsed = round((now_s - self.last_tick_s) / self.period_s)
            self.periods += max(1, elapsed)
            self.missed_periods += max(0, elapsed - 1)
        self.last_tick_s = now_s
        tick = self.collector.tick(now_s, self.signals | self.door.fresh(now_s))
        if self.use_sim_time and self.collector.phase in (Phase.WAITING_FOR_TRAINER, Phase.WAITING_FOR_POLICY):
            time.sleep(HOLD_S)
        self.desired.publish(convert.joint_state(self.joints, convert.stamp(now_s), velocity=tick.desired_velocity))
        self.hand_over(tick)

    def waited_long_enough(self) -> bool:
        """Whether the executed velocity is overdue by the bound."""
        now = time.monotonic()
        if self.waiting_since_s is None:
            self.waiting_since_s = now
        bound = self.config.simulation.answer_timeout_s / 2 if self.use_sim_time else self.period_s / 2
        return now - self.waiting_since_s > bound

    def waited_for_door(self) -> bool:
        """Whether this simulated tick's door readings are overdue: older ones then count while they are fresh."""
        now = time.monotonic()
        if self.waiting_for_door_since_s is None:
            self.waiting_for_door_since_s = now
        return now - self.waiting_for_door_since_s > self.config.simulation.answer_timeout_s / 4

    def hand_over(self, tick: Tick) -> None:
        """Publish what a tick brought besides the velocity."""
        if tick.prepared is not None:
            self.target.publish(convert.pose(tick.prepared, self.get_clock().now().to_msg(), f"{self.robot}/base_link"))
        if tick.ended is not None and tick.ended.end_reason != "time limit":
            self.get_logger().warning(f"episode {tick.ended.number} ended early: {tick.ended.end_reason}")
        if tick.batch is not None:
            self.uploader.add(tick.batch, tick.recorded)
            self.upload()
        elif tick.recorded is not None:
            self.uploader.note(tick.recorded)
            self.collector.hold("outbox", self.uploader.trouble)

    def upload(self) -> None:
        """Send what is due; while the disk refuses, hold still."""
        for message in self.uploader.due():
            self.experience.publish(convert.bytes_message(message))
        self.collector.outbox_full = self.outbox.is_full()
        self.collector.hold("outbox", self.uploader.trouble)

    def on_fault(self, message: String) -> None:
        """The velocity controller has latched a fault, or an operator has cleared it (empty)."""
        self.collector.hold("fault", message.data or None)

    def on_parameters(self, message: UInt8MultiArray) -> None:
        """New policy parameters, to be taken up at the next episode."""
        try:
            whole = self.chunks.add(bytes(message.data))
            if whole is not None:
                self.collector.offer(decode_parameters(whole, self.contract))
        except NafRobotError as error:
            self.diagnostics.refuse("policy parameters", error)

    def on_acknowledgement(self, message: UInt8MultiArray) -> None:
        """The run's trainer holds batches of ours, or of another robot: a sign of life either way."""
        try:
            acknowledgement = decode_acknowledgement(bytes(message.data), self.contract)
        except CodecError as error:
            self.diagnostics.refuse("acknowledgement", error)
            return
        self.collector.progress(acknowledgement.updates, acknowledgement.transitions)
        sequences = acknowledgement.of(self.robot)
        if not sequences:
            return
        if acknowledgement.refusal:
            self.diagnostics.refuse("by the trainer", acknowledgement.refusal)
        self.collector.hold("trainer", acknowledgement.refusal or None)
        if acknowledgement.refusal:
            return
        try:
            self.uploader.acknowledge(sequences)
        except StoreError as error:
            self.diagnostics.refuse("acknowledgement", error)

    def on_housekeeping(self) -> None:
        """Resend what is overdue; look at the pin; ask for parameters while there are none; act on an overdue tick."""
        self.upload()
        self.follow_pin()
        if self.collector.phase in (Phase.WAITING_FOR_POLICY, Phase.POLICY_TOO_OLD):
            self.request.publish(String(data=self.robot))
        self.tick_if_ready()

    def follow_pin(self) -> None:
        """Act with pinned parameters while the run folder holds a pin for this robot."""
        try:
            if self.pin.changed():
                self.collector.pin(self.pin.read(self.contract))
        except NafRobotError as error:
            self.diagnostics.refuse("pinned policy", error)

    def on_pause(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        """Pause or resume; an episode that runs is finished first. Resuming lets a stuck arm try to get home again."""
        self.collector.paused = request.data
        response.success, response.message = True, "paused" if request.data else "collecting"
        return response

    def report(self) -> Status:
        """Phase and counters."""
        fine = self.collector.phase in (Phase.RUNNING, Phase.PREPARING, Phase.HOMING, Phase.WAITING_FOR_TRAINER)
        values = {
            "episodes": self.collector.next_episode,
            "policy version": self.collector.policy_version,
            "policy age [s]": round(self.collector.policy_age_s, 2),
            "exploration scale": round(self.collector.exploration_scale, 3),
            "periods": self.periods,
            "missed periods": self.missed_periods,
            "rate [Hz]": round(self.rates.per_s("periods", self.periods), 2),
            "episodes per hour": round(3600.0 * self.rates.per_s("episodes", self.collector.next_episode), 1),
            "pinned to version": self.collector.pinned_version if self.collector.pinned_version is not None else "",
            "transitions": self.outbox.transitions,
            "recovered transitions": self.outbox.recovered,
            "unsent batches": self.uploader.unsent,
            "resent batches": self.uploader.resent,
            "unacknowledged transitions": self.outbox.waiting_transitions(),
        }
        helped = [self.collector.help_reason] if self.collector.help_reason else []
        reasons = "; ".join([*self.collector.hold_reasons.values(), *helped])
        message = f"{self.collector.phase.value}: {reasons}" if reasons else self.collector.phase.value
        return OK if fine else WARN, message, values

    def close(self) -> None:
        """Ask for zero, keep the running episode, give the trainer a moment to take it."""
        tick = self.collector.abort("shutdown")
        self.desired.publish(
            convert.joint_state(self.joints, self.get_clock().now().to_msg(), velocity=np.zeros(len(self.joints)))
        )
        self.hand_over(tick)
        deadline = time.monotonic() + FLUSH_S
        while self.outbox.waiting() and time.monotonic() < deadline:
            self.spin_once(0.05)
        self.diagnostics.publish()
        self.outbox.close()


def main() -> int:
    """Entry point."""
    return run(CollectorNode)


if __name__ == "__main__":
    sys.exit(main())
