"""One diagnostic status per node, once a second, with reasons in words."""

import os
import time
from collections.abc import Callable, Mapping

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock

from naf_robot.nodes import scheduling, topics
from naf_robot.nodes.executable import BareNode
from naf_robot.nodes.qos import reliable

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR

Status = tuple[bytes, str, Mapping[str, object]]


class Diagnostics:
    """Publishes what `report` returns (level, message, values) every second of wall time.

    The status names the process in `hardware_id`: of two processes under one node name both are seen.
    """

    def __init__(self, node: BareNode, clock: Clock, report: Callable[[], Status]) -> None:
        self._node = node
        self._report = report
        self._refused: dict[str, int] = {}
        self._last_refusal = ""
        self._process = f"{os.getpid()}-{time.time():.3f}"  # so that a reader sees that counters begin anew
        self._publisher = node.create_publisher(DiagnosticArray, topics.DIAGNOSTICS, reliable(10))
        self._timer = node.create_timer(1.0, self.publish, clock=clock)

    def refuse(self, what: str, reason: object) -> None:
        """Count a rejected message; the newest reason is published."""
        self._refused[what] = self._refused.get(what, 0) + 1
        self._last_refusal = f"{what}: {reason}"
        self._node.get_logger().warning(f"refused {self._last_refusal}", throttle_duration_sec=5.0)

    def close(self) -> None:
        """Report no more; another `Diagnostics` of the node may."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_publisher(self._publisher)

    def publish(self) -> None:
        """Publish now."""
        level, message, values = self._report()
        if self._refused:
            level = max(level, WARN)
            values = {**values, "last refusal": self._last_refusal}
            values |= {f"refused {what}": count for what, count in self._refused.items()}
        name = self._node.get_fully_qualified_name()
        status = DiagnosticStatus(level=level, name=name, message=message, hardware_id=self._node.process)
        status.values = [KeyValue(key=key, value=str(value)) for key, value in values.items()]
        status.values.append(KeyValue(key="process", value=self._process))
        status.values.append(KeyValue(key="scheduling", value=scheduling.described()))
        array = DiagnosticArray(status=[status])
        array.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(array)
