"""The command `naf-robot study`: its options and its table; the loop is in `study_seeds`."""

import argparse
import sys
from pathlib import Path
from typing import Any

import msgspec

from naf_robot.core.config import build, parse_overrides
from naf_robot.core.errors import ConfigError
from naf_robot.core.files import make_run_folder
from naf_robot.learning.registry import algorithm_config_type
from naf_robot.run.config import resolve
from naf_robot.study.config import StudyConfig, StudyOptions, load_study, save_study

OPTIONS = {  # fields of `StudyOptions` that the command line offers
    "episodes": "training episodes",
    "updates_per_transition": "gradient updates per environment step",
    "learning_starts": "transitions before the first update",
    "evaluate_every": "training episodes between evaluations",
    "evaluation_episodes": "greedy held-out episodes of an evaluation",
    "stop_at_success": "evaluation success that ends a seed; above 1 never",
    "confirmation_episodes": "further held-out episodes that must reach the same success, or training continues",
    "action_source": "requested or executed",
    "reward_scale": "factor from the environment's reward to the learner's",
    "success_fraction": "fraction of each batch from successful episodes",
}
OF_TRAINER = (  # of a task of ours: what its configuration says unless the command line does
    "updates_per_transition",
    "learning_starts",
    "action_source",
    "reward_scale",
    "success_fraction",
)
RESUMABLE = {"episodes"}  # what may be changed of a study that is resumed
FLAGS = {"json", "output", "resume", "checkpoint_period"}  # what is not part of a study
CHECKPOINT_PERIOD_S = 20.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options on `parser`; one that is not given is absent from what it parses."""
    parser.argument_default = argparse.SUPPRESS
    parser.add_argument("--task", help="a task of this package")
    parser.add_argument("--env", help="or the id of any Gymnasium environment with Box observation and action")
    parser.add_argument("--algorithm", help="[naf]")
    parser.add_argument("--seeds", type=int, nargs="+", help="[0]")
    defaults = StudyOptions()
    for name, text in OPTIONS.items():
        default = getattr(defaults, name)
        shown = f"the task's own, else {default}" if name in OF_TRAINER else default
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), help=f"{text} [{shown}]")
    parser.add_argument("--set", nargs="+", metavar="KEY=VALUE")
    parser.add_argument("--json", type=Path, help="also write all rows to this file")
    parser.add_argument("--output", type=Path, help="new folder that keeps everything; --resume continues it")
    parser.add_argument("--resume", type=Path, metavar="DIR", help="continue the study of an earlier --output DIR")
    parser.add_argument("--checkpoint-period", type=float, help=f"[s] of wall time [{CHECKPOINT_PERIOD_S}]")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run every seed, or what is left of it, and print one line per evaluation."""
    given = {name: value for name, value in vars(options).items() if name != "run"}
    if "output" in given and "resume" in given:
        raise ConfigError("a resumed study stays in its folder: --output and --resume exclude each other")
    folder: Path | None = None
    if "resume" in given:
        folder = given["resume"].expanduser().resolve()
        config = _resumed(folder, given)
    else:
        config = _new(given)
        if "output" in given:
            folder = make_run_folder(given["output"])
            save_study(config, folder)
    from naf_robot.study.seeds import run_seeds

    run_seeds(config, folder, given.get("json"), given.get("checkpoint_period", CHECKPOINT_PERIOD_S))
    return 0


def _new(given: dict[str, Any]) -> StudyConfig:
    from naf_robot.run.environments import make_by_id
    from naf_robot.study.gym_episodes import box_environment

    task, env, algorithm = given.get("task"), given.get("env"), given.get("algorithm", "naf")
    if bool(task) == bool(env):
        raise ConfigError("study needs one of --task and --env")
    overrides = parse_overrides(given.get("set", []))
    values: dict[str, Any] = {"task": task, "env": env, "algorithm": algorithm, "seeds": given.get("seeds", [0])}
    chosen = {name: given[name] for name in OPTIONS if name in given}
    if task:
        run_config = resolve(task, algorithm, [overrides])
        values["run"] = msgspec.to_builtins(run_config)
        values["algorithm_settings"] = run_config.algorithm
        chosen = {name: getattr(run_config.trainer, name) for name in OF_TRAINER} | chosen
        chosen["exploration"] = msgspec.to_builtins(run_config.collector.exploration)
    else:
        box_environment(make_by_id(str(env)))
        record = build(algorithm_config_type(algorithm), overrides.get("algorithm", {}), "algorithm")
        values["algorithm_settings"] = msgspec.to_builtins(record)
        chosen["exploration"] = overrides.get("exploration", {})
    command = " ".join(["naf-robot", *sys.argv[1:]])
    return build(StudyConfig, values | {"options": chosen, "command": command})


def _resumed(folder: Path, given: dict[str, Any]) -> StudyConfig:
    """The study in `folder`, with what may be changed of it."""
    config = load_study(folder)
    known = msgspec.to_builtins(config)
    known |= known.pop("options") | {"seeds": list(config.seeds)}
    asked = {name: value for name, value in given.items() if name not in RESUMABLE | FLAGS}
    wrong = [name for name, value in asked.items() if name == "set" or known[name] != value]
    if wrong:
        kept = ", ".join(f"--{name.replace('_', '-')} {known.get(name, '')}".strip() for name in sorted(wrong))
        raise ConfigError(
            f"{str(folder)!r} holds a study of {config.subject!r}, and a resumed study keeps its {kept}; "
            f"only {', '.join(f'--{name}' for name in sorted(RESUMABLE))} may change"
        )
    options = msgspec.structs.replace(config.options, episodes=given.get("episodes", config.options.episodes))
    return msgspec.structs.replace(config, options=options)
