"""Subscribes to a robot's sensors and gives their readings to its tick assembler."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sensor_msgs.msg import JointState

from naf_robot.arm.control.joint_states import JointStates
from naf_robot.arm.model.joint_values import RefusedMessage
from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.core.clock import SteadyClock
from naf_robot.core.input_watch import InputWatch
from naf_robot.nodes.convert import seconds, stamp
from naf_robot.nodes.executable import ExecutableNode
from naf_robot.nodes.qos import OF_ROLE
from naf_robot.nodes.sensor_messages import message_type
from naf_robot.sensing.registry import JOINT_STATES
from naf_robot.sensing.sensor import Sensor, stamp_of
from naf_robot.sensing.tick import TickAssembler
from naf_robot.sensing.watch import SensorWatch, diagnostic_values

Refuse = Callable[[str, object], None]


class SensorInput:
    """Decodes each message, joint states of the arm once they are whole, and calls `changed` after each accepted one.

    Unusable ones are rejected with a reason.
    """

    def __init__(
        self,
        node: ExecutableNode,
        sensors: Sequence[Sensor],
        assembler: TickAssembler,
        changed: Callable[[], None],
        refuse: Refuse,
        model: ArmModel,
    ) -> None:
        self._node = node
        self._assembler = assembler
        self._changed = changed
        self._refuse = refuse
        self._watches = {sensor.name: SensorWatch(sensor) for sensor in sensors}
        self.joint_states = JointStates(model.joint_names, model.continuous)
        topics = [sensor.topic for sensor in sensors if sensor.name == JOINT_STATES]
        self.states = InputWatch(node.resolve_topic_name(topics[0]), SteadyClock())
        for sensor in sensors:
            node.create_subscription(
                message_type(sensor.message), sensor.topic, partial(self._take, sensor), OF_ROLE[sensor.qos]
            )

    def report(self) -> dict[str, object]:
        """The health of every sensor, for `/diagnostics`; to be called once a second."""
        values: dict[str, object] = {}
        for name, watch in self._watches.items():
            values |= diagnostic_values(name, watch.report(self._node.now_s()))
        return values

    def _take(self, sensor: Sensor, message: Any) -> None:
        try:
            if sensor.name == JOINT_STATES:
                self.states.came(seconds(message.header.stamp))
            if sensor.name == JOINT_STATES and (message := self._whole(message)) is None:
                return
            signals = sensor.read(message)
        except RefusedMessage as refused:
            self._refuse(sensor.topic, refused)
            return
        self._watches[sensor.name].take(stamp_of(message), signals)
        now_s = math.inf if self._node.use_sim_time else self._node.now_s()  # simulated stamps are never in the future
        reason = self._assembler.arrive(sensor.name, stamp_of(message), signals, now_s)
        if reason is not None:
            self._refuse(sensor.topic, reason)
            return
        self._changed()

    def _whole(self, message: JointState) -> JointState | None:
        """The joint state that `message` completes, if any: states may come in parts."""
        stamp_s = seconds(message.header.stamp)
        state = self.joint_states.take(message.name, message.position, message.velocity, message.effort, stamp_s)
        if state is None or state.position is message.position:
            return None if state is None else message
        whole = JointState(name=list(state.names), position=list(state.position), velocity=list(state.velocity))
        whole.effort = list(state.effort)
        whole.header.stamp = stamp(state.stamp_s)
        return whole
