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

from naf_robot.bringup.environment import local_environment
from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.bringup.runner import die_with_parent


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
                spec.command(),
                env=local_environment(),
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=killed_with_parent,
            )
        self.children.append(child)
        return child

    def wait_for(self, condition: Callable[[], object], within_s: float = 20.0, what: str = "") -> None:
        """Spin until `condition` holds; `within_s` is for a machine that does nothing else, see `busyness`."""
        begin = time.monotonic()
        while not condition():
            waited_s = time.monotonic() - begin
            if waited_s > within_s * busyness():
                raise AssertionError(f"did not happen within {waited_s:.0f} s: {what or condition}")
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
        """The own node goes first: a child killed while it writes into our shared-memory port leaves it locked, and
        Fast DDS, still waiting for that lock in a participant's destructor, then renews the port under its own feet."""
        try:
            self.executor.shutdown()
            self.node.destroy_node()
            rclpy.shutdown(context=self.context)
        finally:
            for child in self.children:
                if child.poll() is None:
                    child.kill()
                child.wait()


def killed_with_parent() -> None:
    """In a child: it ends with the test or benchmark, also with one that is killed, and also while it is frozen."""
    die_with_parent(signal.SIGKILL)


def busyness() -> float:
    """How many times longer than alone a process may take here: runnable processes per core, at least 1."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


@contextmanager
def graph() -> Iterator[Graph]:
    """A graph that is closed in any case."""
    made = Graph()
    try:
        yield made
    finally:
        made.close()


def naf_robot(*arguments: str, merged: bool = False, **options) -> subprocess.Popen:
    """The command line as a process, its error output `merged` into the other or not."""
    command = [sys.executable, "-m", "naf_robot.bringup.cli", *arguments]
    error = subprocess.STDOUT if merged else subprocess.PIPE
    return subprocess.Popen(
        command, env=local_environment(), stdout=subprocess.PIPE, stderr=error, text=True, **options
    )


def children(parent: int) -> dict[int, list[str]]:
    """Command lines of the processes that `parent` has started, by their ids."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                line = (folder / "cmdline").read_bytes().decode().split("\0")
                status = (folder / "status").read_text()
            except OSError:
                continue
            if f"PPid:\t{parent}\n" in status:
                found[int(folder.name)] = line
    return found


def find_child(parent: int, module: str, robot: str = "") -> int:
    """The process id of a node that `parent` has started, of `robot` if it has one."""
    for pid, line in children(parent).items():
        if module in line and (not robot or f"__ns:=/{robot}" in line):
            return pid
    raise AssertionError(f"no process {module} of {robot}")


class ProcessorWaits:
    """How long the end of a system has been held up by want of a processor, by the kernel's own account.

    At any time the processes that hold it up are the runner's and those of the first kind in `order` that
    is still there; they count as held up for the longest that any of them could have run but did not.
    """

    def __init__(self, runner: int, order: tuple[str, ...]) -> None:
        self.runner, self.order = runner, order
        self.modules = {pid: line[line.index("-m") + 1] for pid, line in children(runner).items() if "-m" in line}
        self.seen: dict[Path, int] = {}
        self.total_s = 0.0
        self.looked_s = 0.0
        self.look()

    def look(self) -> None:
        """Add what has passed since the last look; looking more often than every 50 ms changes nothing."""
        if time.monotonic() - self.looked_s < 0.05:
            return
        self.looked_s = time.monotonic()
        waits = {pid: self._new_wait_s(pid) for pid in (self.runner, *self.modules)}
        alive = {self.modules[pid] for pid, wait in waits.items() if wait is not None and pid != self.runner}
        kind = next((name for name in self.order if name in alive), None)
        held_up = [wait for pid, wait in waits.items() if wait and self.modules.get(pid, kind) == kind]
        self.total_s += max(held_up, default=0.0)

    def _new_wait_s(self, pid: int) -> float | None:
        """The longest new wait of any thread of `pid`, None if it has ended."""
        waits = []
        for file in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                waited = int(file.read_text().split()[1])
            except (OSError, IndexError):
                continue
            waits.append(1e-9 * (waited - self.seen.get(file, waited)))
            self.seen[file] = waited
        return max(waits, default=None)
