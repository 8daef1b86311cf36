"""The door as a collector sees it: newest readings with their stamps, and only fresh ones handed on."""

from collections.abc import Callable

from geometry_msgs.msg import QuaternionStamped
from rclpy.node import Node
from sensor_msgs.msg import JointState

from naf_robot.nodes import convert, topics
from naf_robot.nodes.door_messages import orientation_signals, state_signals
from naf_robot.nodes.qos import SENSOR
from naf_robot.sensing.signals import Signals

Refuse = Callable[[str, object], None]


class DoorInput:
    """Follows `door/state` and `door/orientation` for the signals named in `sensors`."""

    def __init__(
        self, node: Node, sensors: tuple[str, ...], max_age_s: float, changed: Callable[[], None], refuse: Refuse
    ) -> None:
        self._sensors = sensors
        self._max_age_s = max_age_s
        self._changed = changed
        self._refuse = refuse
        self._newest: dict[str, tuple[float, Signals]] = {}
        if not sensors:
            return
        node.create_subscription(JointState, topics.DOOR_STATE, self._on_state, SENSOR)
        node.create_subscription(QuaternionStamped, topics.DOOR_ORIENTATION, self._on_orientation, SENSOR)

    def complete(self, since_s: float) -> bool:
        """Whether every needed signal has a reading stamped `since_s` or later."""
        return all(self._stamp(name) >= since_s - 1e-6 for name in self._sensors)

    def fresh(self, now_s: float) -> Signals:
        """The needed signals that are not older than the limit."""
        return {
            name: self._newest[name][1][name] for name in self._sensors if self._stamp(name) >= now_s - self._max_age_s
        }

    def _stamp(self, name: str) -> float:
        return self._newest[name][0] if name in self._newest else float("-inf")

    def _on_state(self, message: JointState) -> None:
        self._take(topics.DOOR_STATE, message, state_signals(message))

    def _on_orientation(self, message: QuaternionStamped) -> None:
        self._take(topics.DOOR_ORIENTATION, message, orientation_signals(message))

    def _take(self, topic: str, message: JointState | QuaternionStamped, values: Signals | str) -> None:
        if isinstance(values, str):
            self._refuse(topic, values)
            return
        stamp_s = convert.seconds(message.header.stamp)
        for name in values:
            self._newest[name] = (stamp_s, values)
        self._changed()
