"""Recording beside a control loop, and beside accelerated simulation: what it costs and what it loses, as JSON.

    python benchmarks/recording.py --robots 2 --seconds 60 --rounds 2 --json

Rows alternate between runs without and with recorders, so that a noisy machine touches them alike.

* `wall_time`: the system of `real_time.py`, 20 Hz on wall time against stand-in drivers at 100 Hz, with training
  beside. `joint_states` counts those that the drivers published between the first and the last recorded one, and
  those of them that the bag lacks; `commands` likewise those that the drivers received.
* `accelerated`: simulation without a limit of its speed. `ticks_lacking` are those between the first and the last
  recorded joint state that the bag has no joint state of.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import measuring
import numpy as np
import real_time
from bags import recorded
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray

from naf_robot.bringup.environment import local_environment
from naf_robot.core import run_files
from naf_robot.nodes import convert

PERIOD_NS = 50_000_000  # of control


def stamps_ns(messages: list[tuple[int, bytes]], kind: type) -> np.ndarray:
    """Header stamps of joint states, and the stamps that commands answer, in order."""
    made = [deserialize_message(data, kind) for _, data in messages]
    if kind is Float64MultiArray:
        return np.array([convert.answered_ns(m) or 0 for m in made], np.int64)
    return np.array([m.header.stamp.sec * 10**9 + m.header.stamp.nanosec for m in made], np.int64)


def compared(sent: np.ndarray, kept: np.ndarray) -> dict[str, int]:
    """How many were sent between the first and the last that is kept, and how many of them are not kept."""
    within = sent[(sent >= kept.min()) & (sent <= kept.max())]
    return {"sent": len(within), "lacking": len(within) - len(np.intersect1d(within, kept))}


def of_wall_time(folder: Path, names: list[str]) -> dict[str, Any]:
    """What the bags of a run hold of what its drivers sent and received."""
    found = []
    for name in names:
        bag = folder / "run" / run_files.BAGS / name
        if not bag.is_dir():
            continue
        messages, driver = recorded(bag), np.load(folder / f"{name}.npz")
        answered = driver["commanded_ns"][:, 0]
        commands = stamps_ns(messages[f"/{name}/velocity_controller/commands"], Float64MultiArray)
        states = stamps_ns(messages[f"/{name}/joint_states"], JointState)
        times = [stamp for own in messages.values() for stamp, _ in own]
        seconds = 1e-9 * (max(times) - min(times))
        found.append(
            {
                "joint_states": compared(driver["stated_ns"], states),
                "commands": compared(answered[answered > 0], commands[commands > 0]),
                "messages_per_s": round(len(times) / seconds, 1),
                "bytes_per_s": round(sum(p.stat().st_size for p in bag.glob("*.mcap")) / seconds),
            }
        )
    return {"bags": found} if found else {}


def of_wall_times(robots: int, record: bool, options: argparse.Namespace) -> dict[str, Any]:
    """One row on wall time."""
    given = ["--robots", str(robots), "--seconds", str(options.seconds), "--settle", str(options.settle)]
    settings = [f"recording.enabled={str(record).lower()}", *options.set]
    row = real_time.measured(robots, real_time.arguments().parse_args([*given, "--set", *settings]), of_wall_time)
    kept = ("robots", "seconds", "processor_share", "updates_per_s", "faults", "tick", "floor", "bags", "exit_code")
    return {"record": record} | {key: row[key] for key in kept if key in row}


def accelerated(robots: int, record: bool, options: argparse.Namespace) -> dict[str, Any]:
    """One row of simulation as fast as the machine allows."""
    with tempfile.TemporaryDirectory() as place:
        run_dir = Path(place) / "run"
        words = ["-m", "naf_robot.bringup.entry", "train", "--robots", str(robots), "--run-dir", str(run_dir)]
        words += ["--max-episodes", str(options.episodes), *(["--record"] if record else [])]
        begin_s = time.monotonic()
        before = os.times()
        subprocess.run([sys.executable, *words], env=local_environment(), capture_output=True, check=False)
        after = os.times()
        row: dict[str, Any] = {"record": record, "robots": robots, "wall_s": round(time.monotonic() - begin_s, 2)}
        used = after.children_user + after.children_system - before.children_user - before.children_system
        row["processor_s"] = round(used, 2)
        row["env_steps"] = json.loads((run_dir / run_files.SUMMARY).read_text())["env_steps"]
        for bag in sorted((run_dir / run_files.BAGS).glob("*")):
            states = stamps_ns(recorded(bag)[f"/{bag.name}/joint_states"], JointState)
            expected = (states.max() - states.min()) // PERIOD_NS + 1
            row.setdefault("bags", []).append(
                {"ticks": int(expected), "ticks_lacking": int(expected - len(set(states)))}
            )
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--robots", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each row on wall time; 0: none")
    parser.add_argument("--settle", type=float, default=5.0, help="seconds of work before it counts")
    parser.add_argument("--episodes", type=int, default=60, help="of each accelerated row; 0: none")
    parser.add_argument("--rounds", type=int, default=1, help="of one row without and one with recorders")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="settings of the run on wall time")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the JSON here too")
    parser.add_argument("--json", action="store_true", help="print JSON (the only format)")
    options = parser.parse_args()
    measuring.own_graph()
    result: dict[str, Any] = {"wall_time": [], "accelerated": []}
    for record in [False, True] * options.rounds:
        if options.seconds > 0.0:
            result["wall_time"].append(of_wall_times(options.robots, record, options))
        if options.episodes > 0:
            result["accelerated"].append(accelerated(options.robots, record, options))
    result |= {"machine": measuring.machine(), "command": measuring.command()}
    if options.output is not None:
        options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
