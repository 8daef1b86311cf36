"""Greedy held-out episodes of a run's newest policy, and the content of a run folder."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from naf_robot.core import run_files
from naf_robot.core.composition import Layer, refuse_unused
from naf_robot.core.errors import RunFolderError
from naf_robot.core.seeding import derived_seed
from naf_robot.core.sequential import interval
from naf_robot.learning.policies.registry import make_policy
from naf_robot.run.checkpoint import read_checkpoint, read_policy
from naf_robot.run.config import USED_BY_ENVIRONMENTS, load
from naf_robot.run.environments import make_environment
from naf_robot.run.report import read_episodes
from naf_robot.study.gym_episodes import evaluate


def evaluate_run(run_dir: Path, episodes: int, seed: int, given: Sequence[Layer] = ()) -> dict[str, Any]:
    """Run `episodes` greedy episodes with goals drawn from `seed` alone, `given` over the run's configuration.

    Raises:
        RunFolderError: `run_dir` is no run folder.
        CheckpointError: it holds no whole checkpoint.
        ConfigError: `given` has values that an evaluation has no use for.
    """
    for layer in given:
        refuse_unused(layer, USED_BY_ENVIRONMENTS, "an evaluation")
    config = load(_config_path(run_dir), given)
    parameters = read_policy(run_dir)
    environment = make_environment(config)
    with tqdm(total=episodes, unit="episode", disable=None) as bar:
        found = evaluate(
            environment,
            make_policy(parameters.kind, parameters.arrays),
            episodes,
            derived_seed(seed, "evaluate"),
            lambda row: bar.update(),
        )
    return {
        "success_rate": found.success_rate,
        "success_interval": None if found.successes is None else interval(found.successes, found.episodes),
        "episodes": episodes,
        "mean_final_distance": found.mean_final_distance,
        "distance_unit": environment.task.distance_unit,
        "mean_return": found.mean_return,
        "seed": seed,
        "policy_version": parameters.version,
        "updates": parameters.updates,
    }


def inspect_run(run_dir: Path) -> dict[str, Any]:
    """The content of a run folder: summary, newest checkpoint, number of episodes."""
    config = load(_config_path(run_dir))
    summary = run_dir / run_files.SUMMARY
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
    path = run_dir / run_files.CONFIG
    if not path.is_file():
        raise RunFolderError(f"{str(run_dir)!r} is not a run folder: it has no {run_files.CONFIG}")
    return path
