"""Control in real time against stand-in drivers, with training beside: one JSON object.

    python benchmarks/real_time.py --robots 1 2 4 --seconds 600 --json
    python benchmarks/real_time.py --robots 1 2 --hz 100 --seconds 120 --json

A whole system runs on wall time, its trainer learns without pause, and each robot has a driver in a process of its
own (`test/support/driver`) that publishes joint states and takes commands. Beside it runs a bare rclpy timer of the
same rate, the floor. Times are those of the middleware's stamps, so they do not depend on when a reader is run:

* `tick`: intervals between the requests of a collector; `command`: between the commands that answer them; `floor`:
  between the calls of the bare timer. The error of a period is its difference from the nominal one. A period is missed
  for each nominal one beyond the first that a gap holds, to the nearest: from one and a half on.
* `state_to_command_ms`: from the stamp of the newest joint state before the tick to the command that answers it;
  `tick_to_command_ms` without the age of that state, `arrival_ms` from the command's leaving to the driver's having it.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import measuring
import numpy as np
import process_watch
import stop_busy
from diagnostic_msgs.msg import DiagnosticArray
from driver.settings import Settings
from graph import Graph, graph
from std_srvs.srv import SetBool

from naf_robot.bringup.environment import local_environment
from naf_robot.bringup.runner import die_with_parent
from naf_robot.nodes import topics
from naf_robot.nodes.qos import reliable
from naf_robot.run.config import resolve

PROCESSES = Path(__file__).with_name("real_time_processes.py")
START_S, END_S = 90.0, 120.0
STATE_HZ = 100.0  # of the drivers, at least; twice the control rate where that is more
NEVER = 1_000_000


class Watched:
    """What the system's own diagnostics say while it runs."""

    def __init__(self, g: Graph, folder: Path) -> None:
        self.graph, self.folder = g, folder
        self.values: dict[str, dict[str, str]] = {}
        self.faults: list[str] = []
        self.processes: dict[str, subprocess.Popen] = {}
        g.node.create_subscription(DiagnosticArray, topics.DIAGNOSTICS, self._take, reliable(100))

    def _take(self, message: DiagnosticArray) -> None:
        for status in message.status:
            values = {pair.key: pair.value for pair in status.values}
            fault = values.get("fault", "")
            if fault and fault != self.values.get(status.name, {}).get("fault"):
                self.faults.append(f"{status.name}: {fault}")
            self.values[status.name] = values | {"message": status.message}

    def number(self, name: str, key: str) -> float:
        return float(self.values.get(name, {}).get(key, 0.0) or 0.0)

    def wait_for(self, condition: Callable[[], object], what: str) -> None:
        self.graph.wait_for(lambda: self._all_alive() and condition(), START_S, what)

    def _all_alive(self) -> bool:
        for what, process in self.processes.items():
            if process.poll() is not None:
                said = (self.folder / f"{what}.log").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{what} ended with exit code {process.returncode}: {said}")
        return True

    def spin_for(self, duration_s: float) -> None:
        """Take a look every half second only: who measures should not be in the way."""
        end_s = time.monotonic() + duration_s
        while (left_s := end_s - time.monotonic()) > 0.0:
            self._all_alive()
            time.sleep(min(0.5, left_s))
            self.graph.spin_for(0.02)


@contextmanager
def process(words: list[str], log: Path) -> Iterator[subprocess.Popen]:
    """A process of its own session, ended in any case, and by the kernel should this one be killed."""
    with log.open("wb") as file:
        child = subprocess.Popen(
            [sys.executable, *words],
            env=local_environment(),
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGINT)
        try:
            child.wait(END_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def measured(
    robots: int, options: argparse.Namespace, look: Callable[[Path, list[str]], dict[str, Any]] = lambda *_: {}
) -> dict[str, Any]:
    """One row: `robots` on this machine for `options.seconds`; `look` adds what it finds in the folder at the end."""
    names, period_s = [f"robot_{k + 1}" for k in range(robots)], 1.0 / options.hz
    settings = [
        f"task.control_period_s={period_s}",
        f"task.episode_steps={options.episode_steps}",
        f"collector.evaluation_period={NEVER}",  # no evaluation ends the run,
        "trainer.updates_per_transition=0",  # and the trainer never waits
        "trainer.learning_starts=100",
        *options.set,
    ]
    own = resolve(options.task, overrides=[{"backend": "ros2_control", "robots": names}]).robot(names[0])
    with tempfile.TemporaryDirectory() as place, graph() as g:
        folder = Path(place)
        watched = Watched(g, folder)
        with ExitStack() as stack:
            for name in names:
                driver = Settings(own.arm.joints, own.arm.home).changed(
                    {
                        "namespace": name,
                        "controller": own.controller,
                        "commands": own.command_topic,
                        "state_hz": max(STATE_HZ, 2.0 * options.hz),
                    }
                )
                words = [str(PROCESSES), "driver", str(folder / f"{name}.npz"), json.dumps(driver.values())]
                watched.processes[name] = stack.enter_context(process(words, folder / f"{name}.log"))
            words = [str(PROCESSES), "floor", str(folder / "floor.npz"), str(period_s)]
            watched.processes["floor"] = stack.enter_context(process(words, folder / "floor.log"))
            words = ["-m", "naf_robot.bringup.entry", "train", "--task", options.task, "--robots", ",".join(names)]
            words += ["--simulated", "false", "--run-dir", str(folder / "run"), "--max-episodes", str(NEVER)]
            words += ["--set", *settings]
            watched.processes["system"] = system = stack.enter_context(process(words, folder / "system.log"))
            row = _watch(system.pid, names, watched, options)
            with stop_busy.processes([stop_busy.BUSY] * options.busy_at_end):
                begin_s = time.monotonic()
                stop_busy.interrupt_twice(system)
                system.wait(END_S)
                row["stop_s"] = round(time.monotonic() - begin_s, 2)
        row["exit_code"] = system.returncode
        row["transitions"] = process_watch.progress(folder / "run")["transitions"]
        row |= analysed(folder, names, period_s, row.pop("begin_ns"), row.pop("end_ns")) | look(folder, names)
        if options.keep:
            Path(options.keep).mkdir(parents=True, exist_ok=True)
            for file in [*folder.glob("*.npz"), *folder.glob("*.log"), *(folder / "run" / "log").glob("*")]:
                (Path(options.keep) / f"{robots}-{file.name}").write_bytes(file.read_bytes())
    return row


def _watch(runner: int, names: list[str], watched: Watched, options: argparse.Namespace) -> dict[str, Any]:
    """Enable the robots, wait until all of it works, let it work, and say what it took."""
    g = watched.graph
    ready = lambda: all(f"/{n}/velocity_control" in watched.values and _seen(watched, n) for n in names)  # noqa: E731
    watched.wait_for(ready, "every node reports")
    for name in names:
        watched.wait_for(
            lambda n=name: g.call(SetBool, f"/{n}/velocity_control/enable", SetBool.Request(data=True)).success,
            f"{name} can be enabled",
        )
    watched.wait_for(lambda: watched.number("/trainer", "updates") > 0, "the trainer learns")
    watched.spin_for(options.settle)
    watched.faults.clear()
    before, waits = process_watch.processes(runner), _waits_s(runner)
    updates, stolen = watched.number("/trainer", "updates"), _stolen_s()
    begin_ns = time.time_ns()
    watched.spin_for(options.seconds)
    end_ns = time.time_ns()
    after, waits_after = process_watch.processes(runner), _waits_s(runner)
    passed_s = 1e-9 * (end_ns - begin_ns)
    return {
        "robots": len(names),
        "hz": options.hz,
        "seconds": round(passed_s, 1),
        "begin_ns": begin_ns,
        "end_ns": end_ns,
        "updates_per_s": round((watched.number("/trainer", "updates") - updates) / passed_s, 1),
        "faults": watched.faults,
        "counted_by_collectors": {
            "periods": sum(int(watched.number(f"/{n}/collector", "periods")) for n in names),
            "missed periods": sum(int(watched.number(f"/{n}/collector", "missed periods")) for n in names),
        },
        "processor_share": {
            label: round((after[label]["processor_s"] - before[label]["processor_s"]) / passed_s, 3)
            for label in after
            if label in before
        },
        "waiting_for_a_processor_share": {
            label: round((waits_after[label] - waits[label]) / passed_s, 4) for label in waits_after if label in waits
        },
        "stolen_by_the_host_share": round((_stolen_s() - stolen) / passed_s / (os.cpu_count() or 1), 4),
        "load_average": [round(value, 2) for value in os.getloadavg()],
    }


def _seen(watched: Watched, name: str) -> bool:
    return "disabled" in watched.values[f"/{name}/velocity_control"]["message"]


def _waits_s(parent: int) -> dict[str, float]:
    """Of every node: how long its threads could have run but had no processor, so far [s]."""
    found = {}
    for label, pid in process_watch.children(parent).items():
        total = 0
        for file in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                total += int(file.read_text().split()[1])
            except (OSError, IndexError):
                continue
        found[label] = 1e-9 * total
    return found


def _stolen_s() -> float:
    """Time of all processors that the host of a virtual machine gave to others [s]."""
    return int(Path("/proc/stat").read_text().split("\n")[0].split()[8]) / process_watch.TICKS_PER_S


def analysed(folder: Path, names: list[str], period_s: float, begin_ns: int, end_ns: int) -> dict[str, Any]:
    """What the drivers and the floor have written down between two wall times."""
    ticks, commands = [], []
    latencies: dict[str, list[np.ndarray]] = {"state_to_command_ms": [], "tick_to_command_ms": [], "arrival_ms": []}
    for name in names:
        kept = np.load(folder / f"{name}.npz")
        commanded = kept["commanded_ns"]
        commanded = commanded[(commanded[:, 1] >= begin_ns) & (commanded[:, 1] <= end_ns) & (commanded[:, 0] > 0)]
        asked, sent, received = commanded.T
        ticks.append(np.diff(asked))
        commands.append(np.diff(sent))
        newest = kept["stated_ns"][np.searchsorted(kept["stated_ns"], asked) - 1]
        latencies["state_to_command_ms"].append(sent - newest)
        latencies["tick_to_command_ms"].append(sent - asked)
        latencies["arrival_ms"].append(received - sent)
    floor = np.load(folder / "floor.npz")["ticks_ns"]
    floor = floor[(floor >= begin_ns) & (floor <= end_ns)]
    return {
        "tick": periods(ticks, period_s),
        "command": periods(commands, period_s),
        "at_rest": all(not np.load(folder / f"{name}.npz")["last_command"].any() for name in names),
        "floor": periods([np.diff(floor)], period_s),
        **{key: percentiles(1e-6 * np.concatenate(spans)) for key, spans in latencies.items()},
    }


def periods(intervals_ns: list[np.ndarray], period_s: float) -> dict[str, Any]:
    """Errors and missed ones of periods that should be `period_s`."""
    all_s = 1e-9 * np.concatenate(intervals_ns)
    missed = int(np.maximum(0, np.rint(all_s / period_s) - 1).sum())
    return {
        "periods": len(all_s) + missed,
        "missed": missed,
        "missed_share": round(missed / max(1, len(all_s) + missed), 6),
        "error_ms": percentiles(1e3 * np.abs(all_s - period_s)),
        "longest_ms": round(1e3 * float(all_s.max(initial=0.0)), 2),
    }


def percentiles(values: np.ndarray) -> dict[str, float]:
    """p50, p90, p99, p99.9 and the highest."""
    if not len(values):
        return {}
    found = {f"p{share:g}": round(float(np.percentile(values, share)), 3) for share in (50, 90, 99, 99.9)}
    return found | {"max": round(float(values.max()), 3)}


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--robots", nargs="+", type=int, default=[1, 2, 4])
    parser.add_argument("--task", default="reach", help="task to learn")
    parser.add_argument("--hz", type=float, default=20.0, help="control rate")
    parser.add_argument("--seconds", type=float, default=600.0, help="of each row")
    parser.add_argument("--settle", type=float, default=5.0, help="seconds of work before it counts")
    parser.add_argument("--episode-steps", type=int, default=150)
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="settings of the run")
    parser.add_argument("--busy-at-end", type=int, default=0, help="processes that use a processor each while it ends")
    parser.add_argument("--keep", metavar="DIR", help="keep logs and what was written down")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the JSON here too, after each row")
    parser.add_argument("--json", action="store_true", help="print JSON (the only format)")
    return parser


def main() -> None:
    options = arguments().parse_args()
    measuring.own_graph()
    rows: list[dict[str, Any]] = []
    for robots in options.robots:
        rows.append(measured(robots, options))
        result = {"rows": rows, "machine": measuring.machine(), "command": measuring.command()}
        if options.output is not None:
            options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
