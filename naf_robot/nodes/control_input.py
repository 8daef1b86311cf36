"""Subscribes to what one robot's velocity control is fed with: joint states, requests, other sensors, forces."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from builtin_interfaces.msg import Time
from geometry_msgs.msg import WrenchStamped
from sensor_msgs.msg import JointState

from naf_robot.arm.control.joint_states import JointStates
from naf_robot.arm.control.publishers import StatePublishers
from naf_robot.arm.control.timing import ControlTiming
from naf_robot.arm.control.velocity_control import VelocityControl
from naf_robot.arm.model.joint_values import RefusedMessage
from naf_robot.core.clock import SteadyClock
from naf_robot.core.errors import UnknownNameError
from naf_robot.nodes import convert, topics
from naf_robot.nodes.control_report import ControlReport
from naf_robot.nodes.executable import ExecutableNode
from naf_robot.nodes.qos import COMMAND, SENSOR
from naf_robot.nodes.sensor_messages import message_type, topics_and_types
from naf_robot.run.robot import RobotConfig


class ControlInput:
    """Hands every message to `control`, which refuses the unusable ones; says `changed` after a request or a state.

    Raises:
        UnknownNameError: a sensor that must not fall silent has no known message type.
    """

    def __init__(
        self,
        node: ExecutableNode,
        robot: RobotConfig,
        control: VelocityControl,
        timing: ControlTiming,
        report: ControlReport,
        changed: Callable[[], None],
    ) -> None:
        self._node = node
        self._control = control
        self._timing = timing
        self._report = report
        self._changed = changed
        self.request_stamp = Time()  # of the newest request
        self.joint_states = JointStates(control.joint_names, control.projection.model.continuous)
        self.states = node.watched(robot.joint_states_topic, "joint states")
        self.requests = node.watched(topics.DESIRED_VELOCITY, "desired velocity")
        self.state_publishers = StatePublishers(control.joint_names, SteadyClock())
        self._states = node.create_subscription(JointState, robot.joint_states_topic, self._on_joint_states, SENSOR)
        node.create_subscription(JointState, topics.DESIRED_VELOCITY, self._on_desired, COMMAND)
        node.create_subscription(WrenchStamped, topics.EXTERNAL_WRENCH, self._on_wrench, SENSOR)
        for topic in robot.velocity_control.sensor_limits_s:
            types = topics_and_types()
            if topic not in types:
                raise UnknownNameError("required sensor", topic, types, "velocity_control.sensor_limits_s")
            node.create_subscription(message_type(types[topic]), topic, partial(self._on_sensor, topic), SENSOR)

    def poll(self, duration_s: float) -> None:
        """Take the joint states that come within `duration_s`, where no executor can: within a transition."""
        until_s = time.monotonic() + duration_s
        with self._states.handle:
            while (taken := self._states.handle.take_message(JointState, False)) is not None:
                self._on_joint_states(taken[0])
        time.sleep(max(0.0, until_s - time.monotonic()))

    def _times_s(self, stamp: Time) -> tuple[float, float]:
        """The stamp of a message, and when it counts as received."""
        stamp_s = convert.seconds(stamp)
        return stamp_s, self._timing.message_time_s(self._node.now_s(), stamp_s)

    def _on_joint_states(self, message: JointState) -> None:
        """Take the measured state, or a part of it; a request may have waited for it."""
        self.state_publishers.said(message.name)
        self.states.came(convert.seconds(message.header.stamp))
        try:
            state = self.joint_states.take(
                message.name,
                message.position,
                message.velocity,
                message.effort,
                convert.seconds(message.header.stamp),
            )
        except RefusedMessage as refused:
            self._report.accepted(topics.JOINT_STATES, str(refused))
            return
        if state is None:
            return
        now_s = self._timing.message_time_s(self._node.now_s(), state.stamp_s)
        rejection = self._control.joint_state(
            state.names, state.position, state.velocity, state.effort, state.stamp_s, now_s
        )
        if self._report.accepted(topics.JOINT_STATES, rejection):
            self._timing.state(state.stamp_s)
            self._changed()

    def _on_desired(self, message: JointState) -> None:
        """Take a request; one without joints says that its sender gives the arm away."""
        sender = message.header.frame_id
        if not message.name:
            self._control.leave(sender)
            return
        stamp_s, now_s = self._times_s(message.header.stamp)
        self.requests.came(stamp_s)
        rejection = self._control.desired(message.name, message.velocity, stamp_s, now_s, sender)
        if self._report.accepted(topics.DESIRED_VELOCITY, rejection):
            self.request_stamp = message.header.stamp
            self._timing.request(stamp_s)
            self._changed()

    def _on_sensor(self, name: str, message: Any) -> None:
        """Note a message of a required sensor."""
        stamp_s, now_s = self._times_s(message.header.stamp)
        self._report.accepted(name, self._control.sensor(name, stamp_s, now_s))

    def _on_wrench(self, message: WrenchStamped) -> None:
        """An external force; over its threshold it latches a fault."""
        force = message.wrench.force
        self._report.accepted(topics.EXTERNAL_WRENCH, self._control.external_force([force.x, force.y, force.z]))
