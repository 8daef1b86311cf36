"""Learning to reach with each robot of `config/robots`: episodes until a held-out success rate, from scratch. JSON.

    python benchmarks/reach_profiles.py --robots fr3 ur5e iiwa14 xarm7 gen3 --seeds 0 --output reach_profiles.json

Every run is a `naf-robot study` of its own, without ROS. It ends when an evaluation and then as many other held-out
targets as `--confirmation-episodes` says both have the success rate. The file is written after every run, and a run
that was cut continues from its folder below `--folder`; a second call runs only what is missing.
"""

import argparse
import json
import shlex
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import measuring

from naf_robot.bringup.environment import local_environment
from naf_robot.run.config import profile_files


def study(options: argparse.Namespace, robot: str, seed: int) -> dict[str, Any]:
    """One robot from one seed."""
    command = ["naf-robot", "study", "--task", "reach", "--robot", robot, "--seeds", str(seed)]
    command += ["--episodes", str(options.episodes), "--evaluate-every", str(options.evaluate_every)]
    command += [
        "--stop-at-success",
        str(options.success),
        "--confirmation-episodes",
        str(options.confirmation_episodes),
    ]
    folder = options.folder / f"{robot}-seed{seed}"
    place = ["--resume", str(folder)] if folder.is_dir() else [*command[2:], "--output", str(folder)]
    module = [sys.executable, "-m", "naf_robot.bringup.cli", "study", *place]
    environment = local_environment() | {"PYTHONPATH": str(measuring.ROOT)}
    done = subprocess.run(module, env=environment, capture_output=True, text=True, check=False)
    results = folder / "results.json"
    if done.returncode != 0 or not results.is_file():
        raise SystemExit(f"{robot}, seed {seed}: {(done.stderr or done.stdout)[-2000:]}")
    rows = json.loads(results.read_text(encoding="utf-8"))["seeds"][0]["rows"]
    reached = [row for row in rows if (row["confirmed_success_rate"] or 0.0) >= options.success]
    return {
        "robot": robot,
        "seed": seed,
        "episodes": reached[0]["episodes"] if reached else None,
        "confirmed_success": reached[0]["confirmed_success_rate"] if reached else None,
        "curve": [
            {"episodes": row["episodes"], "success": row["success_rate"], "confirmed": row["confirmed_success_rate"]}
            for row in rows
        ],
        "command": shlex.join(command),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--robots", nargs="+", choices=profile_files(), default=profile_files())
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--episodes", type=int, default=250)
    parser.add_argument("--evaluate-every", type=int, default=10)
    parser.add_argument("--evaluation-episodes", type=int, default=20)
    parser.add_argument("--success", type=float, default=0.95)
    parser.add_argument("--confirmation-episodes", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("runs/reach_profiles"), help="where the studies are kept")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    todo = [(name, seed) for seed in options.seeds for name in options.robots]
    facts = {"success": options.success, "command": measuring.command(), "machine": measuring.machine()}
    options.folder.mkdir(parents=True, exist_ok=True)
    measuring.run_missing(options.output, options.jobs, facts, "robot", todo, partial(study, options))


if __name__ == "__main__":
    main()
