"""A node of the test's own, in its own context, and the processes it talks to."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor

from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.bringup.runner import local_environment


class Graph:
    """Spins the test's node while waiting for conditions, and ends its processes by their ids."""

    def __init__(self) -> None:
        self.context = Context()
        rclpy.init(context=self.context, domain_id=int(os.environ["ROS_DOMAIN_ID"]))
        self.node = rclpy.create_node("test", context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.children: list[subprocess.Popen] = []

    def start(self, spec: NodeSpec, log: Path) -> subprocess.Popen:
        with log.open("wb") as file:
            child = subprocess.Popen(
                spec.command(), env=local_environment(), stdout=file, stderr=subprocess.STDOUT, start_new_session=True
            )
        self.children.append(child)
        return child

    def wait_for(self, condition: Callable[[], object], within_s: float = 20.0, what: str = "") -> None:
        deadline = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"did not happen within {within_s} s: {what or condition}")
            self.executor.spin_once(timeout_sec=0.01)

    def spin_for(self, duration_s: float) -> None:
        deadline = time.monotonic() + duration_s
        while time.monotonic() < deadline:
            self.executor.spin_once(timeout_sec=0.01)

    def call(self, kind: type, name: str, request: object):
        client = self.node.create_client(kind, name)
        self.wait_for(client.service_is_ready, what=f"service {name}")
        future = client.call_async(request)
        self.wait_for(future.done, what=f"answer of {name}")
        return future.result()

    def end(self, child: subprocess.Popen, number: int = signal.SIGTERM, within_s: float = 10.0) -> int:
        child.send_signal(number)
        self.wait_for(lambda: child.poll() is not None, within_s, "the process ends")
        return child.returncode

    def close(self) -> None:
        for child in self.children:
            if child.poll() is None:
                child.kill()
            child.wait()
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)


@contextmanager
def graph() -> Iterator[Graph]:
    """A graph that is closed in any case."""
    made = Graph()
    try:
        yield made
    finally:
        made.close()


def naf_robot(*arguments: str, **options) -> subprocess.Popen:
    """The command line as a process."""
    command = [sys.executable, "-m", "naf_robot.bringup.cli", *arguments]
    return subprocess.Popen(
        command, env=local_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def find_child(parent: int, module: str, robot: str = "") -> int:
    """The process id of a node that `parent` has started, of `robot` if it has one."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                line = (folder / "cmdline").read_bytes().decode().split("\0")
                status = (folder / "status").read_text()
            except OSError:
                continue
            if module in line and (not robot or f"__ns:=/{robot}" in line) and f"PPid:\t{parent}\n" in status:
                return int(folder.name)
    raise AssertionError(f"no process {module} of {robot}")
