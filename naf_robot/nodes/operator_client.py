"""Executable `operator_client`: what an operator tells robots that run, and what they say; for machines without `ros2`.

python -m naf_robot.nodes.operator_client {status,enable,disable,stop,clear-fault} ROBOT...
"""

import sys
import time
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from std_srvs.srv import SetBool, Trigger

from naf_robot.core.console import protect_output
from naf_robot.nodes import topics
from naf_robot.nodes.qos import reliable

SERVICE_S = 5.0  # for a service to be found, and again for its answer
STATUS_S = 5.0  # for the first report of each node: they report once a second
LEVELS = {b"\x00": "ok", b"\x01": "warning", b"\x02": "ERROR"}
FAILED = 1
ACTIONS: dict[str, tuple[str, type, Any]] = {  # service, its type and request
    "enable": ("enable", SetBool, SetBool.Request(data=True)),
    "disable": ("enable", SetBool, SetBool.Request(data=False)),
    "stop": ("stop", Trigger, Trigger.Request()),
    "clear-fault": ("clear_fault", Trigger, Trigger.Request()),
}


class Operator(Node):
    """A node that lives as long as one command."""

    def __init__(self) -> None:
        super().__init__("operator")
        self._reports: dict[str, str] = {}
        self.create_subscription(DiagnosticArray, topics.DIAGNOSTICS, self._take, reliable(50))

    def tell(self, action: str, robot: str) -> bool:
        """Call the service of `robot` for `action` and print its answer; whether it succeeded."""
        name, kind, request = ACTIONS[action]
        client = self.create_client(kind, f"/{robot}/velocity_control/{name}")
        if not self._spin_until(client.service_is_ready, SERVICE_S):
            print(f"{robot}: velocity_control does not run, or not in this ROS environment", flush=True)
            return False
        future = client.call_async(request)
        self._spin_until(future.done, SERVICE_S)
        answer = future.result() if future.done() else None
        print(f"{robot}: {answer.message if answer else 'velocity_control does not answer'}", flush=True)
        return bool(answer and answer.success)

    def status(self, robots: list[str]) -> bool:
        """Print what the nodes of `robots` report; whether all of them do."""
        wanted = [f"/{robot}/{name}" for robot in robots for name in ("velocity_control", "collector")]
        complete = self._spin_until(lambda: all(name in self._reports for name in wanted), STATUS_S)
        for name in wanted:
            print(f"{name}: {self._reports.get(name, 'no report')}", flush=True)
        return complete

    def _take(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self._reports[status.name] = f"{LEVELS.get(status.level, 'stale')}: {status.message}"

    def _spin_until(self, condition: Any, within_s: float) -> bool:
        until_s = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > until_s:
                return False
            rclpy.spin_once(self, timeout_sec=0.1)
        return True


def main() -> int:
    """Entry point."""
    protect_output()
    rclpy.init(args=sys.argv)
    action, *robots = [text for text in rclpy.utilities.remove_ros_args(sys.argv)[1:] if text]
    operator = Operator()
    try:
        if action == "status":
            return 0 if operator.status(robots) else FAILED
        return 0 if all([operator.tell(action, robot) for robot in robots]) else FAILED
    finally:
        operator.destroy_node()
        rclpy.shutdown()


if __name__ == "__main__":
    sys.exit(main())
