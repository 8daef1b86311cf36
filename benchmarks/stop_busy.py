"""Ends whole systems at random moments on a busy machine, start-up included, and looks at what they leave: JSON.

    python benchmarks/stop_busy.py --busy 4 8 --repeats 20 --json
    python benchmarks/stop_busy.py --busy 4 8 --repeats 20 --drivers --json    # against stand-in drivers

Beside the system run as many processes as `--busy` says that do nothing but use a processor. An end is good when no
process had to be killed, the exit code is 0, the last command of every robot is zero, nothing goes on running, and
every file is whole: summary and checkpoint where the trainer had begun to work, configuration, outboxes and store. Half
of the moments are counted from the start, the others from when every robot has moved.
"""

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import measuring
import numpy as np
import process_watch
from diagnostic_msgs.msg import DiagnosticArray
from driver import command_line
from driver.settings import Settings
from graph import Graph, graph
from std_msgs.msg import Float64MultiArray
from std_srvs.srv import SetBool
from tqdm import tqdm

from naf_robot.bringup.environment import local_environment
from naf_robot.bringup.runner import die_with_parent
from naf_robot.core import run_files
from naf_robot.nodes import topics
from naf_robot.nodes.qos import reliable
from naf_robot.run.config import resolve

ROBOTS = ("robot_1", "robot_2")
END_S = 120.0
WORK_S = 120.0  # until every robot has moved
AGAIN_S = 0.3  # from one Ctrl-C to the next of somebody who has no patience


def interrupt(system: subprocess.Popen) -> None:
    system.send_signal(signal.SIGINT)


def interrupt_twice(system: subprocess.Popen) -> None:
    system.send_signal(signal.SIGINT)
    time.sleep(AGAIN_S)
    system.send_signal(signal.SIGINT)


def close_pipe(system: subprocess.Popen) -> None:
    """As in `naf-robot train | head`, and Ctrl-C then."""
    assert system.stdout is not None
    system.stdout.close()
    time.sleep(AGAIN_S)
    system.send_signal(signal.SIGINT)


BUSY = [sys.executable, "-c", "while True: pass"]
WAYS: dict[str, Callable[[subprocess.Popen], None]] = {
    "SIGINT": interrupt,
    "SIGINT twice": interrupt_twice,
    "SIGTERM": lambda system: system.send_signal(signal.SIGTERM),
    "terminal closed": lambda system: system.send_signal(signal.SIGHUP),
    "output closed": close_pipe,
}


@contextmanager
def processes(commands: list[list[str]]) -> Iterator[None]:
    """Processes that are killed at the end, each of a session of its own: the kernel shares processors among these."""
    started = [
        subprocess.Popen(
            words,
            env=local_environment() | {"OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
        for words in commands
    ]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


class Watched:
    """The last command of each robot, and whether the trainer works."""

    def __init__(self, g: Graph) -> None:
        self.last: dict[str, np.ndarray] = {}
        self.moved: set[str] = set()
        self.works = False
        for robot in ROBOTS:
            g.node.create_subscription(
                Float64MultiArray, f"/{robot}/{topics.COMMANDS}", lambda m, r=robot: self._command(r, m), reliable(100)
            )
        g.node.create_subscription(DiagnosticArray, topics.DIAGNOSTICS, self._diagnostics, reliable(100))

    def _command(self, robot: str, message: Float64MultiArray) -> None:
        self.last[robot] = np.array(message.data)
        if self.last[robot].any():
            self.moved.add(robot)

    def _diagnostics(self, message: DiagnosticArray) -> None:
        self.works = self.works or any(status.name == "/trainer" for status in message.status)


def measured(way: str, moment_s: float, at_work: bool, drivers: bool) -> dict[str, Any]:
    """One row: a system that is ended in `way`, `moment_s` after it was started or, `at_work`, after robots moved."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place, graph() as g, ExitStack() as stack:
        run_dir, watched = Path(place) / "run", Watched(g)
        words = [
            sys.executable,
            "-m",
            "naf_robot.bringup.entry",
            "train",
            "--task",
            "reach",
            "--robots",
            ",".join(ROBOTS),
        ]
        words += ["--run-dir", str(run_dir), "--max-episodes", "100000", "--set", "trainer.learning_starts=100"]
        if drivers:
            words += ["velocity_control.joint_states_limit_s=5.0", "--simulated", "false"]
            stack.enter_context(processes([command_line(settings_of(robot)) for robot in ROBOTS]))
        error = stack.enter_context(tempfile.TemporaryFile())
        system = subprocess.Popen(
            words,
            env=local_environment(),
            stdout=subprocess.PIPE,
            stderr=error,
            start_new_session=True,
            preexec_fn=as_in_a_terminal,
        )
        os.set_blocking(system.stdout.fileno(), False)
        first_s = begin_s = time.monotonic()
        enabled: set[str] = set()
        while time.monotonic() < begin_s + moment_s and system.poll() is None:
            g.spin_for(0.1)
            read(system)
            if drivers and watched.works:
                enabled |= {enable(g, robot) for robot in ROBOTS if robot not in enabled}
            if at_work and len(watched.moved) < len(ROBOTS) and time.monotonic() < first_s + WORK_S:
                begin_s = time.monotonic()
        nodes = process_watch.children(system.pid)
        WAYS[way](system)
        asked_s = time.monotonic()
        while system.poll() is None and time.monotonic() - asked_s < END_S:
            g.spin_for(0.1)
            read(system)
        stop_s = time.monotonic() - asked_s
        ended = system.poll() is not None
        g.spin_for(0.5)
        left = processes_in(run_dir) if ended else []
        if not ended:
            system.kill()
        system.wait()
        if system.stdout is not None:
            system.stdout.close()
        error.seek(0)
        said = error.read().decode(errors="replace")
        row = {
            "way": way,
            "at_work": at_work,
            "moment_s": round(moment_s, 1),
            "nodes_started": len(nodes),
            "trainer_worked": watched.works,
            "moved": sorted(watched.moved),
            "exit_code": system.returncode if ended else None,
            "stop_s": round(stop_s, 2),
            "killed": [line for line in said.splitlines() if "did not end within" in line],
            "at_rest": all(not values.any() for values in watched.last.values()),
            "left_running": left,
            "broken_files": broken_files(run_dir, watched.works),
        }
        row["good"] = row["exit_code"] == 0 and row["at_rest"] and not (row["killed"] or left or row["broken_files"])
        return row if row["good"] else row | {"said": said[-1500:]}


def as_in_a_terminal() -> None:
    """In the child: where this benchmark runs under `nohup`, the system that it ends must not ignore SIGHUP too."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    die_with_parent()


def processes_in(run_dir: Path) -> list[str]:
    """Command lines of the processes that were started for the run in `run_dir` and still run."""
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            words = (folder / "cmdline").read_bytes().decode().split("\0") if folder.name.isdigit() else []
            if any(str(run_dir) in word for word in words):
                found.append(" ".join(words)[:200])
    return found


def read(system: subprocess.Popen) -> None:
    """Take what it prints, so that it need not wait."""
    if system.stdout is not None and not system.stdout.closed:
        system.stdout.read()


def enable(g: Graph, robot: str) -> str:
    """As an operator does; `robot` if it was."""
    client = g.node.create_client(SetBool, f"/{robot}/velocity_control/enable")
    if not client.service_is_ready():
        return ""
    future = client.call_async(SetBool.Request(data=True))
    g.spin_for(0.5)
    return robot if future.done() and future.result().success else ""


def settings_of(robot: str) -> Settings:
    own = resolve("reach", overrides=[{"backend": "ros2_control", "robots": list(ROBOTS)}]).robot(robot)
    home = tuple(float(angle) + 0.2 for angle in own.arm.home)  # so that the arm moves as soon as it may
    changes = {"namespace": robot, "controller": own.controller, "commands": own.command_topic}
    return Settings(own.arm.joints, home).changed(changes)


def broken_files(run_dir: Path, worked: bool) -> list[str]:
    """What is missing or cannot be read of a run folder."""
    broken = []
    if not (run_dir / run_files.CONFIG).is_file():
        return ["no run folder"] if run_dir.exists() else []
    for name in (run_files.SUMMARY, run_files.CHECKPOINTS):
        if worked and not (run_dir / name).exists():
            broken.append(f"{name} is missing")
    summary = run_dir / run_files.SUMMARY
    if summary.is_file():
        json.loads(summary.read_text(encoding="utf-8"))
    for path in [run_dir / run_files.EXPERIENCE, *(run_dir / run_files.OUTBOX).glob("*.sqlite")]:
        if path.is_file():
            with closing(sqlite3.connect(path)) as database:
                (said,) = database.execute("PRAGMA integrity_check").fetchone()
            broken += [f"{path.name}: {said}"] if said != "ok" else []
    broken += [f"{path.name} is unfinished" for path in run_dir.rglob("*.part")]
    return broken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--busy", nargs="+", type=int, default=[4, 8], help="processes that use a processor each")
    parser.add_argument("--repeats", type=int, default=20, help="ends for each of these numbers")
    parser.add_argument("--latest", type=float, default=15.0, help="seconds to the latest end")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS), help="one after the other")
    parser.add_argument("--drivers", action="store_true", help="real arms' nodes against stand-in drivers")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the JSON here too, after each row")
    parser.add_argument("--json", action="store_true", help="print JSON (the only format)")
    options = parser.parse_args()
    measuring.own_graph()
    moments, rows = random.Random(options.seed), []
    for busy, index in tqdm([(b, k) for b in options.busy for k in range(options.repeats)], disable=None):
        way, at_work = options.ways[index % len(options.ways)], index // len(options.ways) % 2 == 1
        with processes([BUSY] * busy):
            rows.append({"busy": busy} | measured(way, moments.uniform(0.0, options.latest), at_work, options.drivers))
        result = {
            "ends": len(rows),
            "good": sum(row["good"] for row in rows),
            "longest_stop_s": max(row["stop_s"] for row in rows),
            "rows": rows,
            "machine": measuring.machine(),
            "command": measuring.command(),
        }
        if options.output is not None:
            options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
