"""The command `naf-robot study`: its options and its table; the loop is in `study_seeds`."""

import argparse
import importlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from naf_robot.core.arguments import Parser, number, whole
from naf_robot.core.composition import COMMAND_LINE, Layer, assignments_layer, compose, file_layers, refuse_unused
from naf_robot.core.config import build
from naf_robot.core.errors import ConfigError
from naf_robot.core.files import make_run_folder
from naf_robot.core.resources import expanded
from naf_robot.core.sequential import SequentialConfig
from naf_robot.core.yaml_text import KeyPath
from naf_robot.learning.exploration import ExplorationConfig
from naf_robot.learning.registry import algorithm_config_type
from naf_robot.run.checks_of_run import residual, sources
from naf_robot.run.config import USED_BY_ENVIRONMENTS, algorithm_layers, compose_run, from_values
from naf_robot.run.contract import contract_of
from naf_robot.run.filling import check_folders
from naf_robot.run.resuming import differences
from naf_robot.run.robot import DEFAULT_BACKEND, DEFAULT_PROFILE
from naf_robot.study.config import DEFAULT_ALGORITHM, StudyConfig, StudyOptions, load_study, save_study

OPTIONS = {  # fields of `StudyOptions` that the command line offers
    "episodes": "training episodes",
    "updates_per_transition": "gradient updates per environment step",
    "learning_starts": "transitions before the first update",
    "evaluate_every": "training episodes between evaluations",
    "evaluation_episodes": "greedy episodes on held-out goals per evaluation, at most",
    "evaluation_rule": "fixed: run all of them; sequential: until a test of the policy (trainer.sequential) is decided",
    "stop_at_success": "evaluation success rate that ends a seed; above 1: never",
    "confirmation_episodes": "further greedy episodes that must reach the same success rate, or training continues",
    "action_source": "action that is learned from: requested or executed",
    "reward_scale": "factor from the environment's reward to the learner's",
    "success_fraction": "fraction of each batch that comes from successful episodes",
    "success_at": "end: the last step of an episode decides; any: one step with success is enough",
    "replay_capacity": "transitions that the replay buffer holds",
}
OF_TRAINER = (  # of a run's trainer: what its configuration says unless the command line does
    "updates_per_transition",
    "learning_starts",
    "action_source",
    "reward_scale",
    "success_fraction",
    "replay_capacity",
)
USED: tuple[KeyPath, ...] = (  # of a run's configuration, by any study
    ("algorithm",),
    ("algorithm_name",),
    ("collector", "exploration"),
    *(("trainer", name) for name in OF_TRAINER),
    ("trainer", "sequential"),
)
SOURCES: tuple[KeyPath, ...] = (("trainer", "sources"), ("trainer", "filled"))
USED_WITH_TASK: tuple[KeyPath, ...] = (*USED, ("task_name",), *SOURCES, *USED_BY_ENVIRONMENTS)
KINDS = {
    "table4": ("naf_robot.study.table4.command", "train our algorithms and others' until 95 of 100 episodes succeed"),
    "asynchrony": (
        "naf_robot.study.asynchrony.command",
        "train with 1 to 8 robots locked at a fifth of the trainer's rate",
    ),
}
RESUMABLE = {"episodes"}  # what may be changed of a study that is resumed
FLAGS = {"json", "output", "resume", "checkpoint_period"}  # what is not part of a study
CHECKPOINT_PERIOD_S = 20.0
EQUAL_SHARE = {"trainer": {"sources": {"demonstration": 1.0}}}  # of demonstrations, unless another is given


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options on `parser`; one that is not given is absent from what it parses."""
    parser.argument_default = argparse.SUPPRESS
    parser.add_argument("--task", help="task to learn, of this package or a plugin")
    parser.add_argument(
        "--robot", help=f"profile of the task's robot: a name below config/robots, or a YAML file [{DEFAULT_PROFILE}]"
    )
    parser.add_argument("--backend", help=f"simulator of the task's robot [{DEFAULT_BACKEND}]")
    parser.add_argument("--env", help="or id of a Gymnasium environment with Box observations and actions")
    parser.add_argument("--algorithm", help="algorithm that learns it [naf]")
    parser.add_argument("--seeds", type=whole(0), nargs="+", help="seeds, trained one after another [0]")
    defaults = StudyOptions()
    for name, text in OPTIONS.items():
        default = getattr(defaults, name)
        shown = f"the task's own, else {default}" if name in OF_TRAINER else default
        parser.add_argument(f"--{name.replace('_', '-')}", help=f"{text} [{shown}]")
    parser.add_argument(
        "--config", nargs="+", action="extend", metavar="FILE", help="YAML files over the task's own values"
    )
    parser.add_argument("--set", nargs="+", action="extend", metavar="KEY=VALUE", help="single values over all others")
    parser.add_argument(
        "--demonstrations",
        nargs="+",
        type=Path,
        metavar="DIR",
        help="folders of naf-robot demonstrate or replay that fill the source demonstration; without "
        "trainer.sources.demonstration it has the same share of each batch as the study's own transitions",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all rows to this file too")
    parser.add_argument("--output", type=Path, metavar="DIR", help="new folder that keeps everything, for --resume")
    parser.add_argument("--resume", type=Path, metavar="DIR", help="continue the study that --output DIR began")
    parser.add_argument(
        "--checkpoint-period",
        type=number(0.0),
        help=f"wall time between checkpoints, in seconds [{CHECKPOINT_PERIOD_S}]",
    )
    parser.set_defaults(run=run)
    kinds = parser.add_subparsers(metavar="KIND", parser_class=Parser, help="a study of many trainings, in a folder")
    for name, (module, text) in KINDS.items():
        grid = kinds.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        importlib.import_module(module).add_arguments(grid)


def run(options: argparse.Namespace) -> int:
    """Run every seed, or what is left of it, and print one line per evaluation."""
    given = {name: value for name, value in vars(options).items() if name != "run"}
    if "output" in given and "resume" in given:
        raise ConfigError("a resumed study stays in its folder: --output and --resume exclude each other")
    folder: Path | None = None
    if "resume" in given:
        folder = expanded(given["resume"]).resolve()
        config = _resumed(folder, given)
    else:
        config = study_config(given)
        if "output" in given:
            folder = make_run_folder(given["output"])
            save_study(config, folder)
    from naf_robot.study.seeds import run_seeds

    run_seeds(config, folder, given.get("json"), given.get("checkpoint_period", CHECKPOINT_PERIOD_S))
    return 0


def study_config(given: Mapping[str, Any]) -> StudyConfig:
    """The study that options of these names and values describe, `set` and `config` among them.

    Raises:
        ConfigError: options that contradict, or that no study has a use for.
    """
    from naf_robot.run.environments import make_by_id
    from naf_robot.study.gym_episodes import box_environment

    task, env = given.get("task"), given.get("env")
    if bool(task) == bool(env):
        raise ConfigError("study needs one of --task and --env")
    for option in ("robot", "backend"):
        if env and option in given:
            raise ConfigError(
                f"--{option} is the {option} of a task of ours, and --env names an environment with its own"
            )
    if env and "demonstrations" in given:
        raise ConfigError("--demonstrations are stored steps of a task of ours, and --env names an environment")
    seeds = given.get("seeds", [0])
    if len(set(seeds)) != len(seeds):
        raise ConfigError(f"--seeds must differ, got {' '.join(map(str, seeds))}")
    layers = _layers(given)
    values: dict[str, Any] = {"task": task, "env": env, "seeds": seeds}
    if task:
        below = [Layer("--demonstrations", EQUAL_SHARE)] if "demonstrations" in given else []
        run = compose_run([*below, *layers, Layer(COMMAND_LINE, _typed(given), folder=Path.cwd())]).config
        values |= {
            "run": msgspec.to_builtins(run),
            "algorithm": run.algorithm_name,
            "algorithm_settings": run.algorithm,
        }
        for problem in (*sources(run), *residual(run)):
            raise ConfigError(problem)
        check_folders(contract_of(run), run)
        options = {name: getattr(run.trainer, name) for name in OF_TRAINER}
        options |= {"exploration": run.collector.exploration, "sources": run.trainer.sources}
        options |= {"sequential": run.trainer.sequential}
        options = msgspec.to_builtins(options)
    else:
        box_environment(make_by_id(str(env)))
        found = _without_task(given, layers)
        values |= {"algorithm": found.pop("algorithm_name"), "algorithm_settings": found.pop("algorithm")}
        options = found
    options |= {name: given[name] for name in OPTIONS if name in given}
    command = " ".join(["naf-robot", *sys.argv[1:]])
    return build(StudyConfig, values | {"options": options, "command": command})


def _layers(given: Mapping[str, Any]) -> list[Layer]:
    """The layers of --config and --set; a value that a study has no use for is refused, not ignored."""
    used = USED_WITH_TASK if "env" not in given else USED
    files = []
    for text in given.get("config", []):
        path = expanded(text).resolve()
        files += file_layers(path, str(path), path.parent)
    settings = assignments_layer(given.get("set", []))
    for layer in [settings] if "env" not in given else [*files, settings]:
        refuse_unused(layer, used, "a study of a task" if "env" not in given else "a study of an environment")
    return [*files, settings]


def _typed(given: Mapping[str, Any]) -> dict[str, Any]:
    """What the options --task, --algorithm, --robot and --demonstrations say, as values of a run."""
    named = {"task_name": given.get("task"), "algorithm_name": given.get("algorithm"), "profile": given.get("robot")}
    named["backend"] = given.get("backend")
    values: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    if "demonstrations" in given:
        folders = [str(expanded(folder)) for folder in given["demonstrations"]]
        values["trainer"] = {"filled": {"demonstration": folders}}
    return values


def _without_task(given: Mapping[str, Any], layers: Sequence[Layer]) -> dict[str, Any]:
    """What a study of a foreign environment takes from the layers, built and with defaults spelled out."""
    named = compose([*layers, Layer(COMMAND_LINE, _typed(given))]).values
    algorithm = str(named.get("algorithm_name", DEFAULT_ALGORITHM))
    record = algorithm_config_type(algorithm)
    values = compose([*algorithm_layers(algorithm), *layers]).values
    exploration = build(ExplorationConfig, _below(values, "collector", "exploration"), "collector.exploration")
    sequential = build(SequentialConfig, _below(values, "trainer", "sequential"), "trainer.sequential")
    return {name: value for name, value in _below(values, "trainer").items() if name in OF_TRAINER} | {
        "algorithm_name": algorithm,
        "algorithm": msgspec.to_builtins(build(record, _below(values, "algorithm"), "algorithm")),
        "exploration": msgspec.to_builtins(exploration),
        "sequential": msgspec.to_builtins(sequential),
    }


def _below(values: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """The mapping at `path`, an empty one where there is none."""
    found: Any = values
    for key in path:
        found = found.get(key) or {}
        if not isinstance(found, Mapping):
            raise ConfigError(f"{key} must be a mapping, got {found!r}")
    return found


def _resumed(folder: Path, given: dict[str, Any]) -> StudyConfig:
    """The study in `folder`, with what may be changed of it."""
    config = load_study(folder)
    for option in ("robot", "backend"):
        if option in given:
            raise ConfigError(
                f"{str(folder)!r} holds a study with its own {option}, and a resumed study keeps it: leave out "
                f"--{option}"
            )
    chosen = {name: given[name] for name in OPTIONS if name in given}
    options = build(StudyOptions, msgspec.to_builtins(config.options) | chosen)
    asked: dict[str, Any] = {name: given[name] for name in ("task", "env", "algorithm", "seeds") if name in given}
    asked |= {name: getattr(options, name) for name in chosen if name not in RESUMABLE}
    known = msgspec.to_builtins(config)
    known |= known.pop("options") | {"seeds": list(config.seeds)}
    wrong = [f"--{name.replace('_', '-')} {known[name]}" for name, value in asked.items() if known[name] != value]
    wrong += _changed(config, given)
    if wrong:
        raise ConfigError(
            f"{str(folder)!r} holds a study of {config.subject!r}, and a resumed study keeps its "
            f"{', '.join(sorted(wrong))}; only {', '.join(f'--{name}' for name in sorted(RESUMABLE))} may change"
        )
    return msgspec.structs.replace(config, options=options)


def _changed(config: StudyConfig, given: dict[str, Any]) -> list[str]:
    """What --config and --set would change of `config`, as assignments with the study's own values."""
    layers = _layers(given | ({"env": config.env} if config.env else {}))
    if config.task:
        own: Mapping[str, Any] = msgspec.to_builtins(from_values(config.run, "run"))
        typed = {name: value for name, value in _typed(given).items() if name == "trainer"}
        shown = Layer(COMMAND_LINE, typed, folder=Path.cwd())
        new: Mapping[str, Any] = msgspec.to_builtins(from_values(config.run, "run", [*layers, shown]))
    else:
        exploration = msgspec.to_builtins(config.options.exploration)
        own = {"algorithm": config.algorithm_settings, "collector": {"exploration": exploration}}
        own |= {"trainer": {name: getattr(config.options, name) for name in OF_TRAINER}}
        own["trainer"]["sequential"] = msgspec.to_builtins(config.options.sequential)
        new = compose([Layer("", own), *layers]).values
    return [f"--set {'.'.join(path)}={old}" for path, old, _ in differences(own, new)]
