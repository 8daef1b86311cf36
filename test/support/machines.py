"""A trainer and robots as real processes on hosts of their own, joined by a link, and what their folders say."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from graph import busyness, children
from hosts import Link, Network

from naf_robot.core import run_files
from naf_robot.core.resources import SOURCE_ROOT

TRANSPORTS: dict[str, dict[str, str]] = {
    "default": {"FASTDDS_BUILTIN_TRANSPORTS": "UDPv4"},  # as on two machines, which share no memory
    "small_datagrams": {"FASTRTPS_DEFAULT_PROFILES_FILE": str(SOURCE_ROOT / "config" / "dds" / "lossy_link.xml")},
    "large_data": {"FASTDDS_BUILTIN_TRANSPORTS": "LARGE_DATA"},
}


class Machines:
    """One host for the trainer and one for each robot; `folder / name` is the run folder on each."""

    def __init__(
        self,
        folder: Path,
        robots: Sequence[str],
        link: Link,
        transport: str = "small_datagrams",
        domain: int = 7,
        **more: str,
    ) -> None:
        self.folder, self.robots = folder, tuple(robots)
        self.network = Network(["trainer", *robots], link)
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("ROS_", "FAST", "RMW"))}
        self.environment = kept | {
            "PYTHONPATH": str(SOURCE_ROOT),
            "ROS_DOMAIN_ID": str(domain),
            "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET",  # of the hosts, which nothing leaves
            **TRANSPORTS[transport],
            **more,
        }

    @property
    def link(self) -> Link:
        """The link between all hosts."""
        return self.network.link

    def start(self, name: str, *arguments: str) -> None:
        """`naf-robot trainer` or `naf-robot robot` on the host `name`, in a new run folder or its own again."""
        run_dir = self.folder / name
        where = ["--resume" if run_dir.exists() else "--run-dir", str(run_dir)]
        own = ["trainer"] if name == "trainer" else ["robot", *([] if run_dir.exists() else ["--robots", name])]
        self.children[name] = self._popen(name, [*own, *where, *arguments], f"{name}.out")

    def command(self, name: str, *arguments: str) -> str:
        """What a command of `naf-robot` prints on the host `name`."""
        child = self._popen(name, list(arguments), "")
        return child.communicate(timeout=60.0)[0].decode()

    def stop(self, name: str, number: int = signal.SIGINT, within_s: float = 30.0) -> int:
        """End what was started on the host `name`; its exit code."""
        child = self.children.pop(name)
        if child.poll() is None:
            child.send_signal(number)
        return child.wait(within_s * busyness())

    def kill_node(self, name: str, module: str) -> None:
        """SIGKILL one node on the host `name`."""
        for pid, line in children(self.children[name].pid).items():
            if module in line:
                os.kill(pid, signal.SIGKILL)
                return
        raise AssertionError(f"no process {module} on {name}")

    def close(self) -> None:
        """End everything."""
        for child in self.children.values():
            child.terminate()
        for child in self.children.values():
            try:
                child.wait(20.0)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self.network.close()

    def wait_for(self, condition: Callable[[], object], within_s: float, what: str) -> float:
        """Wait until `condition` holds; how long it took [s]."""
        begin = time.monotonic()
        while not condition():
            waited_s = time.monotonic() - begin
            if waited_s > within_s * busyness():
                raise AssertionError(f"did not happen within {waited_s:.0f} s: {what}\n{self.outputs()}")
            time.sleep(0.05)
        return time.monotonic() - begin

    def outputs(self) -> str:
        """The ends of what every process has printed."""
        files = [*self.folder.glob("*.out"), *self.folder.glob("*/log/*.log")]
        return "\n".join(f"--- {f.relative_to(self.folder)}\n{f.read_text(errors='replace')[-600:]}" for f in files)

    def recorded(self, robot: str) -> int:
        """Transitions that `robot` has recorded in batches so far."""
        return self._ask(self._outbox(robot), "SELECT value FROM counters WHERE name = 'transition'")

    def journalled(self, robot: str) -> int:
        """Steps of the running episode that are in no batch yet."""
        return self._ask(self._outbox(robot), "SELECT COUNT(outcome) FROM journal")

    def waiting(self, robot: str) -> int:
        """Batches of `robot` that the trainer has not acknowledged."""
        return self._ask(self._outbox(robot), "SELECT COUNT(*) FROM batches")

    def stored(self, robot: str) -> int:
        """Batches of `robot` in the trainer's store."""
        path = self.folder / "trainer" / run_files.EXPERIENCE
        return self._ask(path, f"SELECT COUNT(*) FROM batches WHERE collector = '{robot}'")

    def waiting_transitions(self, robot: str) -> int:
        """Transitions in the batches of `robot` that the trainer has not acknowledged."""
        return self._ask(self._outbox(robot), "SELECT COALESCE(SUM(transitions), 0) FROM batches")

    def stored_transitions(self, robot: str) -> int:
        """Transitions of `robot` in the trainer's store."""
        path = self.folder / "trainer" / run_files.EXPERIENCE
        return self._ask(path, f"SELECT COALESCE(SUM(transitions), 0) FROM batches WHERE collector = '{robot}'")

    def stored_twice(self) -> int:
        """Batches in the trainer's store that are another time in it: by robot and the number of their first step."""
        path = self.folder / "trainer" / run_files.EXPERIENCE
        return self._ask(path, "SELECT COUNT(*) - COUNT(DISTINCT collector || ' ' || first_step) FROM batches")

    def missing(self, robot: str) -> set[int]:
        """Numbers of batches of `robot` that are neither in the trainer's store nor in the robot's outbox."""
        path = self.folder / "trainer" / run_files.EXPERIENCE
        stored = self._all(path, f"SELECT sequence FROM batches WHERE collector = '{robot}'")
        kept = self._all(self._outbox(robot), "SELECT sequence FROM batches")
        return set(range(self.numbered(robot))) - stored - kept

    def numbered(self, robot: str) -> int:
        """Batches that `robot` has numbered so far."""
        return self._ask(self._outbox(robot), "SELECT value FROM counters WHERE name = 'sequence'")

    def log(self, robot: str) -> str:
        """What the collector of `robot` has printed."""
        path = self.folder / robot / run_files.LOG / f"{robot}.collector.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""

    def _outbox(self, robot: str) -> Path:
        return self.folder / robot / run_files.OUTBOX / f"{robot}.sqlite"

    def _ask(self, path: Path, query: str) -> int:
        """One number out of a database that another process may be writing; 0 while there is none."""
        return next(iter(self._all(path, query)), 0)

    @staticmethod
    def _all(path: Path, query: str) -> set[int]:
        """Numbers out of a database that another process may be writing; none while there is none."""
        try:
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5.0)) as database:
                return {int(row[0]) for row in database.execute(query)}
        except sqlite3.Error:
            return set()

    def _popen(self, name: str, arguments: list[str], output: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "naf_robot.bringup.cli", *arguments]
        host = self.network.hosts[name]
        if not output:
            return host.popen(command, self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        with (self.folder / output).open("ab") as file:
            return host.popen(command, self.environment, stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
