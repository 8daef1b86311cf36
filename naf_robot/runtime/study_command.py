"""The command `naf-robot study`: its options and its table; the loop itself is in `study`."""

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

from naf_robot.core.config import Config, build, parse_overrides
from naf_robot.core.errors import ConfigError
from naf_robot.runtime.paper import PAPER


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options on `parser`."""
    parser.add_argument("--task", help="one of our tasks")
    parser.add_argument("--env", help="or the id of any Gymnasium environment with Box observation and action")
    parser.add_argument("--algorithm", default="naf")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--updates-per-transition", type=float, default=1.0)
    parser.add_argument("--evaluate-every", type=int, default=20, help="episodes")
    parser.add_argument("--evaluation-episodes", type=int, default=20)
    parser.add_argument("--stop-at-success", type=float, default=2.0, help="end a seed after an evaluation this good")
    parser.add_argument(
        "--confirmation-episodes",
        type=int,
        default=0,
        help="further held-out episodes that must be as good, or it goes on",
    )
    parser.add_argument("--learned-action", choices=("requested", "executed"), default="requested")
    parser.add_argument("--json", type=Path, help="also write all rows to this file")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run every seed and print one line per evaluation."""
    import torch

    from naf_robot.runtime.study import StudyOptions, run_seed

    if bool(options.task) == bool(options.env):
        raise ConfigError("study needs one of --task and --env")
    torch.set_num_threads(1)
    environments, algorithm, exploration = _subject(options)
    settings = StudyOptions(
        episodes=options.episodes,
        updates_per_transition=options.updates_per_transition,
        evaluate_every=options.evaluate_every,
        evaluation_episodes=options.evaluation_episodes,
        stop_at_success=options.stop_at_success,
        confirmation_episodes=options.confirmation_episodes,
        learned_action=options.learned_action,
        exploration=exploration,
    )
    results: list[dict[str, Any]] = []
    for seed in options.seeds:
        rows = run_seed(*environments, options.algorithm, algorithm, settings, seed, partial(_show, seed))
        results.append({"seed": seed, "rows": rows})
        _write(options, results)
    return 0


def _write(options: argparse.Namespace, results: list[dict[str, Any]]) -> None:
    """The file holds every seed that is complete."""
    if options.json is None:
        return
    command = " ".join(["naf-robot", *sys.argv[1:]])
    document = {"command": command, "paper": PAPER.get(options.task), "seeds": results}
    options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _subject(options: argparse.Namespace) -> tuple[tuple[Any, Any], Config, Any]:
    import gymnasium

    from naf_robot.learning.exploration import ExplorationConfig
    from naf_robot.learning.registry import algorithm_config_type
    from naf_robot.runtime.environments import make_environment, register
    from naf_robot.runtime.run_config import resolve

    overrides = parse_overrides(options.set)
    if options.task:
        config = resolve(options.task, options.algorithm, [overrides])
        return (
            (make_environment(config), make_environment(config)),
            config.algorithm_config(),
            config.collector.exploration,
        )
    register()
    record = build(algorithm_config_type(options.algorithm), overrides.get("algorithm", {}), "algorithm")
    exploration = build(ExplorationConfig, overrides.get("exploration", {}), "exploration")
    try:
        pair = gymnasium.make(options.env), gymnasium.make(options.env)
    except gymnasium.error.Error as error:
        raise ConfigError(f"cannot make environment {options.env!r}: {error}") from None
    return pair, record, exploration


def _show(seed: int, row: dict[str, Any]) -> None:
    success = "   -" if row["success_rate"] is None else f"{row['success_rate']:.2f}"
    confirmed = row["confirmed_success_rate"]
    print(
        f"seed {seed}  episodes {row['episodes']:5d}  steps {row['env_steps']:7d}  updates {row['updates']:7d}  "
        f"success {success}  return {row['mean_return']:9.2f}"
        + ("" if confirmed is None else f"  confirmed {confirmed:.2f}"),
        flush=True,
    )
