"""Executable `operator_client`: what an operator tells robots that run, and what they say; for machines without `ros2`.

python -m naf_robot.nodes.operator_client ACTION [--trainer] [--json] [--watch] [ROBOT...]
"""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.srv import GetState
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from std_srvs.srv import SetBool, Trigger

from naf_robot.core.console import protect_output
from naf_robot.nodes import topics
from naf_robot.nodes.qos import reliable
from naf_robot.nodes.transitions import NODES, transition
from naf_robot.run.graph_status import LEVELS, GraphStatus, Report

FOUND_S = 1.5  # nodes that are running find a new one within it, on a network that does its work
SERVICE_S = 5.0  # for a service to be found, and again for its answer
STATUS_S = 8.0  # for every node to be found and to report, which it does once a second
WATCH_S = 1.0
REPORT_S = 2.5  # for the report of a node after a transition
FAILED, INTERRUPTED = 1, 130


class Action(NamedTuple):
    """A service of a robot's node and what to ask of it; of the trainer's, if that takes it too."""

    node: str
    service: str
    kind: type
    request: Any
    trainer: str = ""


ACTIONS = {
    "enable": Action("velocity_control", "enable", SetBool, SetBool.Request(data=True)),
    "disable": Action("velocity_control", "enable", SetBool, SetBool.Request(data=False)),
    "stop": Action("velocity_control", "stop", Trigger, Trigger.Request()),
    "clear-fault": Action("velocity_control", "clear_fault", Trigger, Trigger.Request()),
    "pause": Action("collector", "pause", SetBool, SetBool.Request(data=True), "pause"),
    "resume": Action("collector", "pause", SetBool, SetBool.Request(data=False), "pause"),
}


class Operator(Node):
    """A node that lives as long as one command."""

    def __init__(self) -> None:
        super().__init__("operator", start_parameter_services=False, enable_rosout=False)
        domain = os.environ.get("ROS_DOMAIN_ID") or "0"
        reach = os.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE") or "SUBNET"
        self.graph = GraphStatus(f"ROS_DOMAIN_ID={domain} ROS_AUTOMATIC_DISCOVERY_RANGE={reach}")
        self._changed_s = time.monotonic()
        self._clients_of: dict[str, Any] = {}
        self.create_subscription(DiagnosticArray, topics.DIAGNOSTICS, self._take, reliable(200))

    def tell(self, name: str, robots: Sequence[str], trainer: bool) -> bool:
        """Call the service of every robot, of all that are found without `robots`; whether all of them agreed."""
        action = ACTIONS[name]
        if not robots and not trainer:
            self._spin_until(lambda: False, FOUND_S)
            self._look()
            robots = self.graph.robots
            if not robots:
                print("\n".join(self.graph.problems((), time.monotonic())), flush=True)
                return False
        agreed = [self._call(f"/{robot}", robot, action.node, action.service, action) for robot in robots]
        if trainer:
            agreed.append(self._call("", "trainer", "trainer", action.trainer, action))
        return all(agreed)

    def status(self, robots: Sequence[str], as_json: bool, watch: bool) -> bool:
        """Print what the nodes report; whether there is no problem."""
        self._spin_until(lambda: self._complete(robots), STATUS_S)
        while True:
            self._look()
            now_s = time.monotonic()
            if as_json:
                print(json.dumps(self.graph.document(robots, now_s)), flush=True)
            else:
                text = "\n".join([self.graph.where, *self.graph.lines(robots, now_s)])
                print(f"\x1b[2J\x1b[H{text}" if watch and sys.stdout.isatty() else text, flush=True)
            if not watch:
                return not self.graph.problems(robots, now_s)
            self._spin_until(lambda: False, WATCH_S)

    def _complete(self, robots: Sequence[str]) -> bool:
        """Whether nothing is missing and nothing new has been found for a while; what is missing may yet be found."""
        self._look()
        now_s = time.monotonic()
        return now_s - self._changed_s > FOUND_S and not self.graph.problems(robots, now_s)

    def _look(self) -> None:
        """See who may report."""
        found = self.get_publishers_info_by_topic(topics.DIAGNOSTICS)
        if self.graph.seen(f"{info.node_namespace.rstrip('/')}/{info.node_name}" for info in found):
            self._changed_s = time.monotonic()

    def _call(self, prefix: str, who: str, node: str, service: str, action: Action) -> bool:
        if not self._there(action.kind, prefix, who, node, service):
            return False
        answer = self._ask(action.kind, f"{prefix}/{node}/{service}", action.request, SERVICE_S)
        print(f"{who}: {answer.message if answer else f'{node} does not answer'}", flush=True)
        return bool(answer and answer.success)

    def bring(self, action: str, robots: Sequence[str]) -> bool:
        """Activate or deactivate the managed nodes of every robot; whether all of them did."""
        good = []
        for robot in robots:
            for node in NODES[action]:
                if not self._there(GetState, f"/{robot}", robot, node, "get_state"):
                    good.append(False)
                    break
                agreed, state = transition(action, f"/{robot}/{node}", self._ask)
                good.append(agreed)
                print(f"{robot}: {node} {state}{'' if agreed else self._why(f'/{robot}/{node}')}", flush=True)
                if not agreed:
                    break
        return all(good)

    def _why(self, node: str) -> str:
        """What a node says of a transition that it refused."""
        self._spin_until(lambda: "not " in self.graph.message_of(node), REPORT_S)
        return f"; {self.graph.message_of(node) or 'its log says why'}"

    def _there(self, kind: type, prefix: str, who: str, node: str, service: str) -> bool:
        """Whether a service is there within its time; else it is said what is."""
        if self._spin_until(self._client(kind, f"{prefix}/{node}/{service}").service_is_ready, SERVICE_S):
            return True
        self._look()
        absent = self.graph.absent([who]) if prefix else [f"no trainer on {self.graph.where}"]
        print(absent[0] if absent else f"{who}: {node} does not run on {self.graph.where}", flush=True)
        return False

    def _client(self, kind: type, name: str) -> Any:
        if name not in self._clients_of:
            self._clients_of[name] = self.create_client(kind, name)
        return self._clients_of[name]

    def _ask(self, kind: type, name: str, request: Any, within_s: float) -> Any:
        """The answer of a service that is there, None without one."""
        future = self._client(kind, name).call_async(request)
        self._spin_until(future.done, within_s)
        return future.result() if future.done() else None

    def _take(self, message: DiagnosticArray) -> None:
        for status in message.status:
            level = min(ord(status.level), len(LEVELS) - 1)
            values = {entry.key: entry.value for entry in status.values}
            now_s = time.monotonic()
            self.graph.take(Report(status.name, status.hardware_id, level, status.message, values, now_s))

    def _spin_until(self, condition: Callable[[], bool], within_s: float) -> bool:
        until_s = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > until_s:
                return False
            rclpy.spin_once(self, timeout_sec=0.05)
        return True


def main() -> int:
    """Entry point."""
    protect_output()
    rclpy.init(args=sys.argv, signal_handler_options=SignalHandlerOptions.NO)
    action, *words = [text for text in rclpy.utilities.remove_ros_args(sys.argv)[1:] if text]
    flags = {word for word in words if word.startswith("--")}
    robots = [word for word in words if word not in flags]
    operator = Operator()
    try:
        if action == "status":
            return 0 if operator.status(robots, "--json" in flags, "--watch" in flags) else FAILED
        if action in NODES:
            return 0 if operator.bring(action, robots) else FAILED
        return 0 if operator.tell(action, robots, "--trainer" in flags) else FAILED
    except KeyboardInterrupt:
        return 0 if "--watch" in flags else INTERRUPTED
    finally:
        operator.destroy_node()
        rclpy.shutdown()


if __name__ == "__main__":
    sys.exit(main())
