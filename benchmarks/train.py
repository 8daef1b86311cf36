"""From scratch to success over ROS, as a user runs it: one JSON object with a row per seed.

    python benchmarks/train.py --task reach --seeds 0 1 2 --json docs/results/train_reach.json

Each seed is `naf-robot train` followed by `naf-robot evaluate` on fresh goals.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PAPER = {  # Gu et al. 2016, Fig. 4: NAF, episodes to 100 % success, simulated
    "reach": 3600,
    "door_pull": 6000,
    "door_push": 4200,
}


def command_line(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "naf_robot.bringup.cli", *arguments]


def run_seed(options: argparse.Namespace, seed: int, folder: Path) -> dict[str, Any]:
    run_dir = folder / f"seed{seed}"
    train = ["train", "--task", options.task, "--robots", str(options.robots), "--seed", str(seed)]
    train += ["--max-episodes", str(options.max_episodes), "--run-dir", str(run_dir)]
    train += ["--real-time-factor", str(options.real_time_factor)]
    train += ["--set", *options.set] if options.set else []
    begin = time.monotonic()
    code = subprocess.run(command_line(*train), stdout=subprocess.DEVNULL).returncode
    wall_s = time.monotonic() - begin
    evaluate = ["evaluate", "--run-dir", str(run_dir), "--episodes", str(options.episodes), "--seed", str(1000 + seed)]
    evaluated = subprocess.run(command_line(*evaluate), capture_output=True, text=True, check=True)
    summary = json.loads((run_dir / "summary.json").read_text(encoding="utf-8"))
    return {
        "seed": seed,
        "exit_code": code,
        "episodes": summary["episodes"],
        "env_steps": summary["env_steps"],
        "evaluation_success": summary["evaluation_success"],
        "updates_per_s": summary["updates_per_s"],
        "steps_lost": summary["steps_lost"],
        "wall_s": round(wall_s, 1),
        "evaluation": json.loads(evaluated.stdout),
        "train_command": " ".join(["naf-robot", *train]).replace(str(run_dir), "DIR"),
        "git_commit": summary["git_commit"],
    }


def reproduction(options: argparse.Namespace) -> str:
    """The command that measures this again, without where its files went."""
    seeds = " ".join(map(str, options.seeds))
    command = f"python benchmarks/train.py --task {options.task} --robots {options.robots} --seeds {seeds}"
    command += f" --max-episodes {options.max_episodes} --episodes {options.episodes}"
    command += f" --real-time-factor {options.real_time_factor}"
    return command + (f" --set {' '.join(options.set)}" if options.set else "")


def text_of(options: argparse.Namespace, rows: list[dict[str, Any]]) -> str:
    """The JSON of the seeds so far."""
    document = {
        "task": options.task,
        "robots": options.robots,
        "median_episodes": statistics.median(row["episodes"] for row in rows),
        "median_wall_s": statistics.median(row["wall_s"] for row in rows),
        "lowest_evaluation_success": min(row["evaluation"]["success_rate"] for row in rows),
        "paper_episodes": PAPER.get(options.task),
        "rows": rows,
        "machine": {"processor": platform.machine(), "python": platform.python_version()},
        "command": reproduction(options),
    }
    return json.dumps(document, indent=1) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="reach")
    parser.add_argument("--robots", default="2")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--max-episodes", type=int, default=400)
    parser.add_argument("--episodes", type=int, default=100, help="held-out episodes of the evaluation")
    parser.add_argument("--real-time-factor", type=float, default=0.0)
    parser.add_argument("--set", nargs="+", default=[])
    parser.add_argument("--keep", type=Path, help="keep the run folders below this folder")
    parser.add_argument("--json", type=Path, help="write here instead of printing")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as temporary:
        for seed in options.seeds:
            rows.append(run_seed(options, seed, options.keep or Path(temporary)))
            if options.json is not None:  # what is known survives a run that is cut
                options.json.write_text(text_of(options, rows), encoding="utf-8")
    if options.json is None:
        print(text_of(options, rows), end="")


if __name__ == "__main__":
    main()
