"""A long run with several robots: memory, file handles, disk and rates over time, and their drift. JSON.

    python benchmarks/soak.py --hours 1 --robots 4 --json

Every sample holds, per process, resident memory and open files; for the run folder its size; for the run its
transitions and simulated hours. Drift is the slope of a straight line through the samples after the warm-up.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from naf_robot.bringup.runner import local_environment

ROOT = Path(__file__).resolve().parents[1]
WARM_UP = 0.3  # of the samples
CONTROL_PERIOD_S = 0.05


def children(parent: int) -> dict[str, int]:
    """Process ids of the system's nodes by label."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            words = (folder / "cmdline").read_bytes().decode().split("\0")
            status = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(status[1]) == parent and "-m" in words:
            space = next((w.removeprefix("__ns:=/") + "/" for w in words if w.startswith("__ns:=/")), "")
            found[space + words[words.index("-m") + 1].rpartition(".")[2]] = int(folder.name)
    return found


def sample(pid: int, run_dir: Path) -> dict[str, Any]:
    """How things stand now."""
    memory, handles = {}, {}
    for label, child in sorted(children(pid).items()):
        try:
            resident = int(Path(f"/proc/{child}/statm").read_text().split()[1])
            memory[label] = round(resident * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)
            handles[label] = len(os.listdir(f"/proc/{child}/fd"))
        except OSError:
            continue
    log = run_dir / "episodes.jsonl"
    last = log.read_text(encoding="utf-8").splitlines()[-1:] if log.is_file() else []
    steps = json.loads(last[0])["env_steps"] if last else 0
    size = sum(p.stat().st_size for p in run_dir.rglob("*") if p.is_file())
    return {"memory_mib": memory, "handles": handles, "disk_mib": round(size / 2**20, 2), "transitions": steps}


def slope_per_hour(times: list[float], values: list[float]) -> float:
    """Slope of the line of least squares [1/h]."""
    return round(float(np.polyfit(np.array(times) / 3600.0, values, 1)[0]), 3) if len(values) > 2 else 0.0


def summary(samples: list[dict[str, Any]], robots: int) -> dict[str, Any]:
    """Drift after the warm-up."""
    steady = samples[int(WARM_UP * len(samples)) :]
    times = [s["wall_s"] for s in steady]
    labels = sorted(set.intersection(*(set(s["memory_mib"]) for s in steady)))
    half = len(steady) // 2
    rates = [
        (part[-1]["transitions"] - part[0]["transitions"]) / (part[-1]["wall_s"] - part[0]["wall_s"])
        for part in (steady[: half + 1], steady[half:])
    ]
    transitions = samples[-1]["transitions"]
    return {
        "simulated_robot_hours": round(transitions * CONTROL_PERIOD_S / 3600.0, 2),
        "simulated_hours": round(transitions * CONTROL_PERIOD_S / 3600.0 / robots, 2),
        "memory_mib_at_end": {label: samples[-1]["memory_mib"].get(label) for label in labels},
        "memory_mib_per_hour": {
            label: slope_per_hour(times, [s["memory_mib"][label] for s in steady]) for label in labels
        },
        "handles_at_warm_up": {label: steady[0]["handles"][label] for label in labels},
        "handles_at_end": {label: steady[-1]["handles"][label] for label in labels},
        "disk_bytes_per_transition": round(samples[-1]["disk_mib"] * 2**20 / max(transitions, 1), 1),
        "transitions_per_s_first_half": round(rates[0], 1),
        "transitions_per_s_second_half": round(rates[1], 1),
    }


def run(options: argparse.Namespace, run_dir: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "naf_robot.bringup.cli", "train", "--run-dir", str(run_dir)]
    command += ["--robots", str(options.robots), "--max-episodes", "100000000", "--seed", str(options.seed)]
    command += ["--set", "trainer.evaluation_window=1000000", "trainer.replay_capacity=20000"]
    environment = local_environment() | {"PYTHONPATH": str(ROOT)}
    log = run_dir.with_suffix(".log")
    with log.open("wb") as file:
        child = subprocess.Popen(command, stdout=file, stderr=file, env=environment)
    begin, samples = time.monotonic(), []
    try:
        while child.poll() is None and time.monotonic() - begin < 3600.0 * options.hours:
            time.sleep(options.period)
            samples.append(sample(child.pid, run_dir) | {"wall_s": round(time.monotonic() - begin, 1)})
            print(json.dumps(samples[-1]), file=sys.stderr, flush=True)
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGINT)
    code = child.wait()
    if len(samples) < 8:
        raise SystemExit(f"the run ended with code {code} after {len(samples)} samples; see {log}")
    ended = json.loads((run_dir / "summary.json").read_text(encoding="utf-8"))
    result = summary(samples, options.robots)
    return result | {
        "robots": options.robots,
        "wall_hours": round((time.monotonic() - begin) / 3600.0, 3),
        "exit_code": code,
        "transitions_lost": ended["transitions_lost"],
        "samples": len(samples),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=1.0, help="of wall time")
    parser.add_argument("--robots", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--period", type=float, default=10.0, help="[s] between samples")
    parser.add_argument("--run-dir", type=Path, help="kept; without it a temporary one")
    parser.add_argument("--json", action="store_true", help="one line")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = run(options, (options.run_dir or Path(folder) / "run").resolve())
    print(json.dumps(result, indent=None if options.json else 1))
    return result["exit_code"]


if __name__ == "__main__":
    sys.exit(main())
