"""Subscribes to a robot's sensors and gives their readings to its tick assembler."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sensor_msgs.msg import JointState

from naf_robot.arm.control.joint_states import JointStates
from naf_robot.arm.model.joint_values import RefusedMessage
from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.nodes.convert import seconds, stamp
from naf_robot.nodes.executable import ExecutableNode
from naf_robot.nodes.qos import OF_ROLE
from naf_robot.nodes.sensor_messages import message_type
from naf_robot.sensing.registry import JOINT_STATES
from naf_robot.sensing.sensor import Sensor, stamp_of
from naf_robot.sensing.tick import TickAssembler
from naf_robot.sensing.watch import SensorWatch, diagnostic_values

Refuse = Callable[[str, object], None]
SILENT_S = 1.0  # without a message, after which people read of it


def label_of(sensor: str) -> str:
    """The name of a sensor's topic in diagnostics, in words."""
    return sensor.replace("_", " ")


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
        self._sensors = {sensor.name: sensor for sensor in sensors}
        self._topics = {name: node.watched(each.topic, label_of(name)) for name, each in self._sensors.items()}
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

    def topics(self) -> tuple[dict[str, object], str, str]:
        """Values of every topic, a sentence about the joint states, and one about other sensors that are silent."""
        values: dict[str, object] = {}
        sentences = {}
        silent = []
        for name, watch in self._topics.items():
            found, sentences[name] = self._node.look_at(watch)
            values |= found
            latched = self._sensors[name].qos == "latched"
            age_s = watch.age_s(self._node.now_s())
            if name != JOINT_STATES and (math.isinf(age_s) or (not latched and age_s > SILENT_S)):
                silent.append(sentences[name])
        states = [sentences[JOINT_STATES], self.joint_states.missing]
        return values, "; ".join(filter(None, states)), "; ".join(silent)

    def _take(self, sensor: Sensor, message: Any) -> None:
        try:
            self._topics[sensor.name].came(stamp_of(message))
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
