"""What each setting of `door_real` does alone: the same study with one setting at a time changed. JSON.

    python benchmarks/ablations.py --seeds 1 2 --episodes 120 --evaluate-every 5 --output door_ablations.json

Every variant is a `naf-robot study` of its own, so that it can be repeated by the command beside it. Per run: the
greedy evaluations over training episodes. The file is written after every run; a second call
runs only what is missing.
"""

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import measuring

from naf_robot.bringup.environment import local_environment

VARIANTS: dict[str, tuple[str, ...]] = {
    "as configured": (),
    "one update per transition": ("trainer.updates_per_transition=1",),
    "ten updates per transition": ("trainer.updates_per_transition=10",),
    "noise without pauses": ("collector.exploration.noise_free_fraction=0",),
    "successes not sampled more often": ("trainer.success_fraction=0",),
    "stronger noise": ("collector.exploration.scale=0.5",),
    "noise that stays": ("collector.exploration.final_scale=null",),
    "reward in the task's unit": ("trainer.reward_scale=1",),
    "batches of 64": ("algorithm.batch_size=64",),
    "P bounded at exp(5)": ("algorithm.log_diagonal_limit=5",),
    "target values unbounded": ("algorithm.bounded_values=false",),
}


def study(options: argparse.Namespace, name: str, seed: int) -> dict[str, Any]:
    """One variant from one seed."""
    command = ["naf-robot", "study", "--task", options.task, "--seeds", str(seed), "--episodes", str(options.episodes)]
    command += ["--evaluate-every", str(options.evaluate_every)]
    command += ["--evaluation-episodes", str(options.evaluation_episodes)]
    command += ["--set", *VARIANTS[name]] if VARIANTS[name] else []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "study.json"
        module = [sys.executable, "-m", "naf_robot.bringup.cli", *command[1:], "--json", str(file)]
        environment = local_environment() | {"PYTHONPATH": str(measuring.ROOT)}
        done = subprocess.run(module, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{name}, seed {seed}: {done.stderr[-2000:]}")
        rows = json.loads(file.read_text(encoding="utf-8"))["seeds"][0]["rows"]
    curve = [
        {"episodes": row["episodes"], "success": row["success_rate"], "return": row["mean_return"]} for row in rows
    ]
    successes = [row["success"] for row in curve]
    return {
        "variant": name,
        "seed": seed,
        "first_success_episodes": next((row["episodes"] for row in curve if row["success"] > 0.0), None),
        "mean_success": round(sum(successes) / len(successes), 3),
        "last_five": round(sum(successes[-5:]) / len(successes[-5:]), 3),
        "curve": curve,
        "command": shlex.join(command),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="door_real", help="another task may have a variant's setting already")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--episodes", type=int, default=100)
    parser.add_argument("--evaluate-every", type=int, default=10)
    parser.add_argument("--evaluation-episodes", type=int, default=1, help="door_real's are all alike: one will do")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    todo = [(name, seed) for seed in options.seeds for name in options.variants]
    facts = {"task": options.task, "command": measuring.command(), "machine": measuring.machine()}
    measuring.run_missing(options.output, options.jobs, facts, "variant", todo, partial(study, options))


if __name__ == "__main__":
    main()
