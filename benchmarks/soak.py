"""A long run with several robots: memory, file handles, disk and rates of every process over time. JSON.

    python benchmarks/soak.py --simulated-hours 20 --robots 4 --output soak.json

The file is complete at every instant and holds all results so far, so an interrupted run leaves its results. A run with
`--run-dir DIR` is continued by `--resume DIR`: hours count from the run's beginning, results are those of the newest
processes. Results count after the warm-up: all processes running, the replay buffer full (its memory is allocated as it
fills) and a tenth of the run done. Then a straight line is fitted through each process's memory.
"""

import argparse
import json
import math
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from process_watch import disk_mib, processes, progress

from naf_robot.bringup.environment import local_environment
from naf_robot.core.files import replace_file

ROOT = Path(__file__).resolve().parents[1]
CONTROL_PERIOD_S = 0.05
REPLAY_CAPACITY = 20_000
WARM_UP = 0.1  # of the run, at least
MOST_SAMPLES = 2000  # kept; beyond it every second one goes, and samples are taken half as often
MEMORY_GROWTH = 0.03  # flat: the line through a process's memory rises by less than this share over the window,
MEMORY_SLACK_MIB = 4.0  # or by less than this
HANDLE_GROWTH = 2  # files more than at the end of the warm-up
RATE_LOSS = 0.2  # of transitions/s from the first half of the window to the second
COST_GROWTH = 0.2  # of a process's share in the processor time per transition, between the halves
LEAST_SHARE = 0.005  # that a share must grow by to count
FLAT_MEANS = (
    f"after the warm-up the line through a process's memory rises by less than {MEMORY_GROWTH:.0%} or "
    f"{MEMORY_SLACK_MIB} MiB, it opens at most {HANDLE_GROWTH} files more, the second half brings at least "
    f"{1.0 - RATE_LOSS:.0%} of the first half's transitions/s, and no process's share of the processor time "
    f"per transition grows by more than {COST_GROWTH:.0%}"
)
FEWEST = 8  # samples after the warm-up that anything is said from


def simulated_hours(sample: dict[str, Any]) -> float:
    """Time in the simulated world, homing and waiting included."""
    return sample["ticks"] * CONTROL_PERIOD_S / 3600.0


def after_warm_up(samples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The window that figures are taken over."""
    everyone = max((len(s["processes"]) for s in samples), default=0)
    return [
        s
        for s in samples
        if s["wall_s"] >= WARM_UP * samples[-1]["wall_s"]
        and s["transitions"] >= REPLAY_CAPACITY
        and len(s["processes"]) == everyone
    ]


def growth(hours: list[float], values: list[float]) -> tuple[float, float]:
    """Slope of the line of least squares [1/h], and its rise over the window."""
    slope = float(np.polyfit(hours, values, 1)[0])
    return slope, slope * (hours[-1] - hours[0])


def cost_ms(label: str, samples: list[dict[str, Any]]) -> float:
    """Processor time of one process per transition [ms]."""
    first, last = samples[0], samples[-1]
    spent_s = last["processes"][label]["processor_s"] - first["processes"][label]["processor_s"]
    return 1e3 * spent_s / max(1, last["transitions"] - first["transitions"])


def grown_dear(costs: dict[str, list[float]]) -> list[str]:
    """Processes whose cost per transition grew beside that of all, from [first, second half] of each.

    Beside all of them, because other work on the machine makes every process dearer at once.
    """
    before, after = (sum(halves[k] for halves in costs.values()) for k in (0, 1))
    shares = {label: (halves[0] / before, halves[1] / after) for label, halves in costs.items() if before and after}
    return [
        f"{label}: {share[1]:.1%} of all processor time in the second half, {share[0]:.1%} in the first"
        for label, share in shares.items()
        if share[1] > (1.0 + COST_GROWTH) * share[0] and share[1] - share[0] > LEAST_SHARE
    ]


def of_process(label: str, window: list[dict[str, Any]]) -> dict[str, Any]:
    """One process's figures over the window, with what is not flat in words."""
    rows = [sample["processes"][label] for sample in window]
    hours, memory = [simulated_hours(sample) for sample in window], [row["memory_mib"] for row in rows]
    slope, rise = growth(hours, memory)
    allowed = max(MEMORY_SLACK_MIB, MEMORY_GROWTH * float(np.mean(memory)))
    handles = [row["handles"] for row in rows]
    wall_s = window[-1]["wall_s"] - window[0]["wall_s"]
    grown = [f"{label}: memory rises by {rise:.1f} MiB, allowed {allowed:.1f}"] * (rise > allowed)
    if handles[-1] > handles[0] + HANDLE_GROWTH:
        grown.append(f"{label}: {handles[-1]} open files, {handles[0]} at the end of the warm-up")
    return {
        "memory_mib_first_last": [memory[0], memory[-1]],
        "memory_mib_per_simulated_hour": round(slope, 3),
        "handles_first_last_most": [handles[0], handles[-1], max(handles)],
        "threads_first_last": [rows[0]["threads"], rows[-1]["threads"]],
        "processor_share": round((rows[-1]["processor_s"] - rows[0]["processor_s"]) / wall_s, 3),
        "not_flat": grown,
    }


def rate(samples: list[dict[str, Any]], key: str) -> float:
    """How fast `key` grows [1/s]."""
    passed_s = samples[-1]["wall_s"] - samples[0]["wall_s"]
    return (samples[-1][key] - samples[0][key]) / passed_s if passed_s > 0.0 else 0.0


def summary(samples: list[dict[str, Any]], robots: int) -> dict[str, Any]:
    """What `samples` say so far; `flat` is None until enough of them lie behind the warm-up."""
    last = samples[-1]
    window = after_warm_up(samples)
    found: dict[str, Any] = {
        "simulated_hours": round(simulated_hours(last), 3),
        "robot_hours_in_episodes": round(last["transitions"] * CONTROL_PERIOD_S / 3600.0, 3),
        "wall_hours": round(last["wall_s"] / 3600.0, 3),
        "transitions": last["transitions"],
        "episodes": last["episodes"],
        "robots": robots,
        "disk_mib": last["disk_mib"],
        "samples_after_warm_up": len(window),
        "flat": None,
    }
    if len(window) < FEWEST:
        return found
    halves = window[: len(window) // 2 + 1], window[len(window) // 2 :]
    rates = [rate(half, "transitions") for half in halves]
    each = {label: of_process(label, window) for label in window[0]["processes"]}
    not_flat = [text for figures in each.values() for text in figures.pop("not_flat")]
    costs = {label: [cost_ms(label, half) for half in halves] for label in each}
    not_flat += grown_dear(costs)
    for label, values in costs.items():
        each[label]["processor_ms_per_transition_first_second_half"] = [round(value, 4) for value in values]
    if rates[1] < (1.0 - RATE_LOSS) * rates[0]:
        not_flat.append(f"{rates[1]:.1f} transitions/s in the second half, {rates[0]:.1f} in the first")
    hours = [simulated_hours(sample) for sample in window]
    return found | {
        "flat": not not_flat,
        "flat_means": FLAT_MEANS,
        "not_flat": not_flat,
        "simulated_s_per_wall_s": round(rate(window, "ticks") * CONTROL_PERIOD_S, 2),
        "transitions_per_s_first_second_half": [round(value, 1) for value in rates],
        "disk_mib_per_simulated_hour": {
            kind: round(growth(hours, [sample["disk_mib"][kind] for sample in window])[0], 3)
            for kind in last["disk_mib"]
        },
        "processes": each,
    }


def reproduction(options: argparse.Namespace) -> str:
    """The command that measures this again, without where its files went."""
    command = f"python benchmarks/soak.py --simulated-hours {options.simulated_hours} --robots {options.robots}"
    command += f" --seed {options.seed} --real-time-factor {options.real_time_factor} --store-mib {options.store_mib}"
    command += f" --updates-per-transition {options.updates_per_transition}"
    command += f" --wall-hours {options.wall_hours}" if math.isfinite(options.wall_hours) else ""
    return command + (" --resume DIR" if options.resume else "")


def write(path: Path | None, document: dict[str, Any]) -> None:
    """Put what is known so far where it survives."""
    if path is not None:
        replace_file(path, (json.dumps(document) + "\n").encode())


def run(options: argparse.Namespace, run_dir: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "naf_robot.bringup.cli", "train"]
    if options.resume:
        command += ["--resume", str(run_dir)]
    else:
        command += ["--run-dir", str(run_dir), "--robots", str(options.robots), "--seed", str(options.seed)]
    command += ["--max-episodes", "100000000"]
    command += ["--real-time-factor", str(options.real_time_factor), "--target-success", "1.0"]
    command += ["--set", "trainer.evaluation_rule=window", "trainer.evaluation_window=1000000"]
    command += [f"trainer.replay_capacity={REPLAY_CAPACITY}"]
    command += ["trainer.full_store=compact", f"trainer.max_store_bytes={options.store_mib * 2**20}"]
    command += [f"trainer.updates_per_transition={options.updates_per_transition}"]
    environment = local_environment() | {"PYTHONPATH": str(ROOT)}
    log = run_dir.with_suffix(".log")
    with log.open("ab" if options.resume else "wb") as file:
        child = subprocess.Popen(command, stdout=file, stderr=file, env=environment)
    begin, period_s = time.monotonic(), options.period
    samples: list[dict[str, Any]] = []
    resumed_after = round(simulated_hours(progress(run_dir)), 3) if options.resume else 0.0
    document: dict[str, Any] = {"command": reproduction(options), "resumed_after_simulated_hours": resumed_after}
    try:
        while child.poll() is None:
            time.sleep(period_s)
            wall_s = round(time.monotonic() - begin, 1)
            sample = {
                "wall_s": wall_s,
                **progress(run_dir),
                "processes": processes(child.pid),
                "disk_mib": disk_mib(run_dir),
            }
            if child.poll() is not None:
                break
            samples.append(sample)
            if len(samples) > MOST_SAMPLES:
                samples, period_s = samples[::2], 2.0 * period_s
            document |= summary(samples, options.robots)
            write(options.output, document | {"samples": samples})
            show(document, options)
            if document["simulated_hours"] >= options.simulated_hours or wall_s >= 3600.0 * options.wall_hours:
                break
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGINT)
    document = {"flat": None} | document | {"exit_code": child.wait(), "steps_lost": None}
    if (file := run_dir / "summary.json").is_file():
        ended = json.loads(file.read_text(encoding="utf-8"))
        document |= {key: ended[key] for key in ("steps_lost", "batches_resent", "updates")}
    if document["exit_code"] != 0:
        print(f"the run ended with code {document['exit_code']}; see {log}", file=sys.stderr)
    write(options.output, document | {"samples": samples})
    return document


def show(document: dict[str, Any], options: argparse.Namespace) -> None:
    """One line of progress on stderr."""
    done, wall = document["simulated_hours"], document["wall_hours"]
    speed = (done - document["resumed_after_simulated_hours"]) / max(wall, 1e-9)
    left = f"{(options.simulated_hours - done) / speed:.2f} h" if speed > 0.0 else "?"
    flat = {None: "warming up", True: "flat", False: "NOT FLAT: " + "; ".join(document.get("not_flat", []))}
    parts = (
        f"{done:.3f}/{options.simulated_hours} simulated h after {wall:.3f} h",
        f"{speed:.2f} times real time",
        f"left {left}",
        f"episodes {document['episodes']}",
        f"disk {sum(document['disk_mib'].values()):.1f} MiB",
        flat[document["flat"]],
    )
    print(" | ".join(parts), file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulated-hours", type=float, default=20.0, help="of every robot's world")
    parser.add_argument("--wall-hours", type=float, default=float("inf"), help="at most")
    parser.add_argument("--robots", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--real-time-factor", type=float, default=0.0, help="0: as fast as the machine allows")
    parser.add_argument("--store-mib", type=int, default=256, help="of experience; beyond it the oldest is compacted")
    parser.add_argument("--updates-per-transition", type=float, default=1.0, help="fewer leave more of the machine")
    parser.add_argument("--period", type=float, default=10.0, help="[s] between samples at the start")
    folders = parser.add_mutually_exclusive_group()
    folders.add_argument("--run-dir", type=Path, help="kept; without it a temporary one")
    folders.add_argument("--resume", type=Path, metavar="DIR", help="continue the run of an earlier --run-dir")
    parser.add_argument("--output", type=Path, help="JSON with every sample, rewritten at each")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = run(options, (options.resume or options.run_dir or Path(folder) / "run").resolve())
    print(json.dumps(result, indent=1))
    return 0 if result["exit_code"] == 0 and result["flat"] is not False and result["steps_lost"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
