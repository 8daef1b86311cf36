"""The desired velocities of one sender: published under its name, and given away with a message without joints."""

import time
from collections.abc import Sequence

import numpy as np
from builtin_interfaces.msg import Time
from rclpy.subscription import Subscription
from sensor_msgs.msg import JointState

from naf_robot.core.records import FloatArray
from naf_robot.nodes import convert, topics
from naf_robot.nodes.executable import ExecutableNode
from naf_robot.nodes.qos import COMMAND

RECENT_S = 1.0  # a sender that was heard within it commands the arm


class DesiredOutput:
    """Publishes for `joints`; velocity_control follows one sender at a time."""

    def __init__(self, node: ExecutableNode, joints: Sequence[str]) -> None:
        self._node, self._joints = node, tuple(joints)
        self._publisher = node.create_publisher(JointState, topics.DESIRED_VELOCITY, COMMAND)
        self._watch: Subscription | None = None
        self._other, self._other_s = "", float("-inf")

    def send(self, velocity: FloatArray, stamp: Time) -> None:
        """Ask for `velocity` (n,) [rad/s]."""
        self._publisher.publish(convert.joint_state(self._joints, stamp, velocity=velocity, sender=self._node.identity))

    def leave(self) -> None:
        """Give the arm away: it decelerates, and velocity_control follows whoever asks next."""
        stamp = self._node.get_clock().now().to_msg()
        self.send(np.zeros(len(self._joints)), stamp)
        self._publisher.publish(convert.joint_state((), stamp, sender=self._node.identity))

    def watch(self, on: bool) -> None:
        """Begin or end to listen for other senders."""
        if on and self._watch is None:
            self._watch = self._node.create_subscription(JointState, topics.DESIRED_VELOCITY, self._on_desired, COMMAND)
        elif not on and self._watch is not None:
            self._node.destroy_subscription(self._watch)
            self._watch = None

    def other(self) -> str | None:
        """Another sender that asked for velocities just now, or None; only while it is watched for."""
        return self._other if time.monotonic() - self._other_s <= RECENT_S else None

    def _on_desired(self, message: JointState) -> None:
        if message.header.frame_id == self._node.identity:
            return
        self._other, self._other_s = message.header.frame_id, time.monotonic() if message.name else float("-inf")
