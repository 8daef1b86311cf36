"""Greedy held-out episodes of a run's newest policy, and the content of a run folder."""

import json
from pathlib import Path
from typing import Any

from tqdm import tqdm

from naf_robot.core.errors import RunFolderError
from naf_robot.core.seeding import derived_seed
from naf_robot.learning.policy import Policy
from naf_robot.run.checkpoint import read_checkpoint, read_policy
from naf_robot.run.config import load
from naf_robot.run.environments import make_environment
from naf_robot.run.report import read_episodes
from naf_robot.study.gym_episodes import evaluate


def evaluate_run(run_dir: Path, episodes: int, seed: int) -> dict[str, Any]:
    """Run `episodes` greedy episodes with goals drawn from `seed` alone.

    Raises:
        RunFolderError: `run_dir` is no run folder.
        CheckpointError: it holds no complete checkpoint.
    """
    config = load(_config_path(run_dir))
    parameters = read_policy(run_dir)
    environment = make_environment(config)
    with tqdm(total=episodes, unit="episode", disable=None) as bar:
        success, returns, distance = evaluate(
            environment,
            Policy.from_arrays(parameters.arrays),
            episodes,
            derived_seed(seed, "evaluate"),
            lambda row: bar.update(),
        )
    return {
        "success_rate": success,
        "episodes": episodes,
        "mean_final_distance_m": distance,
        "mean_return": returns,
        "seed": seed,
        "policy_version": parameters.version,
        "updates": parameters.updates,
    }


def inspect_run(run_dir: Path) -> dict[str, Any]:
    """The content of a run folder: summary, newest checkpoint, number of episodes."""
    config = load(_config_path(run_dir))
    summary = run_dir / "summary.json"
    checkpoint = read_checkpoint(run_dir)
    return {
        "task": config.task_name,
        "algorithm": config.algorithm_name,
        "robots": list(config.robots),
        "episodes": len(read_episodes(run_dir)),
        "checkpoint": checkpoint.counters,
        "summary": json.loads(summary.read_text(encoding="utf-8")) if summary.is_file() else None,
    }


def _config_path(run_dir: Path) -> Path:
    path = run_dir / "config.yaml"
    if not path.is_file():
        raise RunFolderError(f"{str(run_dir)!r} is not a run folder: it has no config.yaml")
    return path
