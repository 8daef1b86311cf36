"""Subscribes to a robot's sensors and gives their readings to its tick assembler."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from naf_robot.arm.model.joint_values import RefusedMessage
from naf_robot.nodes.executable import ExecutableNode
from naf_robot.nodes.qos import OF_ROLE
from naf_robot.nodes.sensor_messages import message_type
from naf_robot.sensing.sensor import Sensor, stamp_of
from naf_robot.sensing.tick import TickAssembler

Refuse = Callable[[str, object], None]


class SensorInput:
    """Decodes each message, rejects unusable ones with a reason, and calls `changed` after each accepted one."""

    def __init__(
        self,
        node: ExecutableNode,
        sensors: Sequence[Sensor],
        assembler: TickAssembler,
        changed: Callable[[], None],
        refuse: Refuse,
    ) -> None:
        self._node = node
        self._assembler = assembler
        self._changed = changed
        self._refuse = refuse
        for sensor in sensors:
            node.create_subscription(
                message_type(sensor.message), sensor.topic, partial(self._take, sensor), OF_ROLE[sensor.qos]
            )

    def _take(self, sensor: Sensor, message: Any) -> None:
        try:
            signals = sensor.read(message)
        except RefusedMessage as refused:
            self._refuse(sensor.topic, refused)
            return
        now_s = math.inf if self._node.use_sim_time else self._node.now_s()  # simulated stamps are never in the future
        reason = self._assembler.arrive(sensor.name, stamp_of(message), signals, now_s)
        if reason is not None:
            self._refuse(sensor.topic, reason)
            return
        self._changed()
