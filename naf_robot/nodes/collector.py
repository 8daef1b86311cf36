"""Executable `collector`, one per robot: runs episodes with the newest policy and uploads their steps."""

import sys
import time

from geometry_msgs.msg import PoseStamped
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger

from naf_robot.arm.model.joint_values import RefusedMessage, by_name
from naf_robot.arm.projection.projection import SafetyProjection
from naf_robot.collecting.collector import Collector
from naf_robot.collecting.control_tick import Tick
from naf_robot.collecting.episode import ORDERLY_ENDS
from naf_robot.collecting.episode_events import EpisodeEvents
from naf_robot.collecting.phase import Phase
from naf_robot.collecting.recorder_wait import RecorderWait
from naf_robot.core.clock import SteadyClock
from naf_robot.nodes import convert, topics
from naf_robot.nodes.collector_report import CollectorReport
from naf_robot.nodes.desired_output import DesiredOutput
from naf_robot.nodes.diagnostics import Status
from naf_robot.nodes.executable import STEADY, run
from naf_robot.nodes.experience_link import ExperienceLink, open_outbox
from naf_robot.nodes.managed import UNCONFIGURED, ManagedNode
from naf_robot.nodes.policy_link import PolicyLink
from naf_robot.nodes.qos import COMMAND, FEEDBACK, latched
from naf_robot.nodes.run_link import RunLink
from naf_robot.nodes.sensor_input import SensorInput
from naf_robot.run.contract import contract_of
from naf_robot.run.frames import frame_of
from naf_robot.run.robot_parts import bound_actions, state_sensor, task_sensors, tick_assembler

HOLD_S = 0.01  # wall time a waiting robot adds to a tick of accelerated simulation, to leave the machine to the trainer


class CollectorNode(ManagedNode):
    """One robot's collector on the graph; only an active one asks for motion."""

    control_rank = 1

    def __init__(self) -> None:
        super().__init__("collector")
        self.robot = self.robot_parameter()
        self.run_link = RunLink(self, self.robot)
        self.run_link.join()
        self.working = False
        self.begin()

    def configure(self) -> None:
        """Make arm, outbox and collector, and listen; nothing is asked for."""
        own = self.config.robot(self.robot)
        model = own.arm.model()
        projection = SafetyProjection(model, self.config.safety_of(self.robot))
        actions = bound_actions(self.config, model, projection.limits)
        self.joints = model.joint_names
        self.frame = frame_of(self.robot, model.base_frame)
        contract = contract_of(self.config, self.run_dir)
        self.outbox = open_outbox(self, self.robot, contract)
        first = self.outbox.next_episode
        self.collector = Collector(self.config, self.robot, model, actions, SteadyClock(), first, projection.way)
        self.assembler = tick_assembler(self.config, self.robot, self.in_lockstep)

        self.desired = DesiredOutput(self, self.joints)
        self.target = self.create_publisher(PoseStamped, topics.TARGET, latched())
        self.episode = self.create_publisher(String, topics.EPISODE, latched(2))
        self.recorder = RecorderWait(self.config.recording.enabled, SteadyClock())
        self.await_recorder()
        self.report = CollectorReport(
            self.collector,
            self.assembler,
            sensors=lambda: self.input.topics(),
            policy=lambda: self.policy.look(),
            more=lambda: self.experience.report() | self.input.report() | self.run_link.report(),
        )
        self.help_reason: str | None = None  # as logged
        self.run_link.attach(self.collector, self.outbox, self.diagnostics)
        self.experience = ExperienceLink(self, self.robot, self.outbox, self.collector, self.diagnostics)
        self.policy = PolicyLink(self, self.robot, contract, self.collector, self.diagnostics)
        sensors = (state_sensor(self.config, self.robot), *task_sensors(self.config, self.robot))
        refuse = self.diagnostics.refuse
        self.input = SensorInput(self, sensors, self.assembler, self.tick_if_ready, refuse, model)
        self.create_subscription(JointState, topics.EXECUTED_VELOCITY, self.on_executed, FEEDBACK)
        self.create_subscription(String, topics.SAFETY_FAULT, self.on_fault, latched())
        self.create_subscription(String, topics.SAFETY_HOLD, self.on_hold, latched())
        if self.config.intervention.enabled:
            self.create_subscription(JointState, topics.TELEOP_VELOCITY, self.on_guidance, COMMAND)
        self.create_service(SetBool, "collector/pause", self.on_pause)
        self.create_service(Trigger, "collector/release", self.on_release)
        task = self.config.make_task()
        self.events = EpisodeEvents(contract, self.joints, actions.max_joint_velocity, task.control_period_s)
        self.create_timer(task.control_period_s, lambda: self.tick_if_ready(timer=True))
        self.create_timer(0.2, self.on_housekeeping, clock=STEADY)
        self.node_parameters.show(
            task=self.config.task_name,
            control_period_s=task.control_period_s,
            joints=list(self.joints),
            home=list(own.arm.home),
            episode_steps=task.episode_steps,
            max_policy_age_s=self.config.collector.max_policy_age_s,
        )

    def activate(self) -> str | None:
        """Begin to collect, unless somebody else commands the arm."""
        if (other := self.desired.other()) is not None:
            return f"{other} commands the arm; end it first"
        self.desired.watch(self.collector.released)
        self.assembler.restart()
        self.working = True
        return None

    def deactivate(self) -> None:
        """End a running episode and ask for nothing; what was collected is still uploaded."""
        self.working = False
        tick = self.collector.abort("deactivated")
        if not self.collector.released:
            self.desired.leave()
        self.desired.watch(True)
        self.hand_over(tick)

    def unconfigure(self) -> None:
        """Close the outbox."""
        if self.working:
            self.deactivate()
        self.outbox.close()

    def status(self) -> Status:
        """What it does, for the diagnostics."""
        return self.run_link.with_warning(self.report.status())

    def on_executed(self, message: JointState) -> None:
        """The velocity that was really sent for a request of this collector."""
        try:
            velocity = by_name(self.joints, message.name, message.velocity, "executed_velocity")
        except RefusedMessage as refused:
            self.diagnostics.refuse("executed_velocity", refused)
            return
        self.collector.executed(convert.seconds(message.header.stamp), velocity)
        self.tick_if_ready()

    def on_guidance(self, message: JointState) -> None:
        """A person asks for a velocity within an episode, or, without joints, gives the arm back."""
        if not message.name:
            self.collector.guidance.let_go()
            return
        try:
            velocity = by_name(self.joints, message.name, message.velocity, topics.TELEOP_VELOCITY)
        except RefusedMessage as refused:
            self.diagnostics.refuse(topics.TELEOP_VELOCITY, refused)
            return
        self.collector.guidance.ask(velocity)

    def tick_if_ready(self, timer: bool = False) -> None:
        """Act once per control period, at its `timer`'s time or when readings and the last answer are all there."""
        if not self.working:
            return
        sensed = self.assembler.poll(self.now_s(), time.monotonic(), not self.collector.awaits_executed(), timer)
        if sensed is None:
            return
        self.report.period(sensed.missed_periods)
        tick = self.collector.tick(sensed.now_s, sensed.signals)
        if self.in_lockstep and self.collector.phase in (Phase.WAITING_FOR_TRAINER, Phase.WAITING_FOR_POLICY):
            time.sleep(HOLD_S)
        if tick.desired_velocity is not None:
            self.desired.send(tick.desired_velocity, convert.stamp(sensed.now_s))
        self.hand_over(tick)

    def hand_over(self, tick: Tick) -> None:
        """Publish and store the results of a tick besides the velocity."""
        if tick.prepared is not None:
            self.target.publish(convert.pose(tick.prepared, self.get_clock().now().to_msg(), self.frame))
        if (event := self.events.of(tick)) is not None:
            self.episode.publish(String(data=event.encode()))
        if tick.ended is not None and tick.ended.end_reason not in ORDERLY_ENDS:
            self.get_logger().warning(f"episode {tick.ended.number} ended early: {tick.ended.end_reason}")
        if tick.ended is not None:
            self.policy.ended(tick.ended)
        self.experience.take(tick)

    def on_fault(self, message: String) -> None:
        """The velocity controller has latched a fault, or an operator has cleared it (empty)."""
        self.collector.hold("fault", message.data or None)

    def on_hold(self, message: String) -> None:
        """The velocity controller does not follow, and why (it waits for an operator), or does (empty)."""
        self.collector.hold("velocity_control", message.data or None)

    def await_recorder(self) -> None:
        """Begin no episode before the recorder listens, so that the first one is whole."""
        self.collector.hold("recorder", self.recorder.obstacle(self.episode.get_subscription_count() > 0))

    def on_housekeeping(self) -> None:
        """Resend what is overdue; look after the policy; act on an overdue tick."""
        self.await_recorder()
        self.run_link.housekeeping()
        self.experience.send()
        if (needed := self.collector.way_home.reason) != self.help_reason:
            if needed is not None:
                self.get_logger().error(f"needs help: {needed}")
            self.help_reason = needed
        self.policy.housekeeping()
        self.tick_if_ready()

    def on_pause(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        """Pause or resume; an episode that runs is finished first. Resuming lets a stuck arm try to get home again."""
        if not request.data and (other := self.desired.other()) is not None:
            response.success, response.message = False, f"not resumed, {other} commands the arm; end it first"
            return response
        self.collector.paused = request.data
        self.desired.watch(self.collector.released)
        response.success, response.message = True, "paused" if request.data else "collecting"
        return response

    def on_release(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Give the arm to another node: end a running episode now, and publish no desired velocity until resumed."""
        self.desired.watch(True)
        tick = self.collector.release()
        self.desired.leave()
        self.hand_over(tick)
        response.success, response.message = True, "released; naf-robot resume lets it collect again"
        return response

    def close(self) -> None:
        """Ask for zero, keep the running episode, give the trainer a moment to take it."""
        if self.lifecycle_state == UNCONFIGURED:
            return
        if self.working:
            self.working = False
            tick = self.collector.abort("shutdown")
            if not self.collector.released:
                self.desired.leave()
            self.hand_over(tick)
        self.experience.flush(self.spin_once)
        self.diagnostics.publish()
        self.outbox.close()


def main() -> int:
    """Entry point."""
    return run(CollectorNode)


if __name__ == "__main__":
    sys.exit(main())
