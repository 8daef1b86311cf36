"""The command `naf-robot demonstrate`: episodes of a task's scripted policy as first data for learners."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from naf_robot.core.arguments import number, whole
from naf_robot.core.composition import COMMAND_LINE, Layer, assignments_layer, file_layers, refuse_unused
from naf_robot.core.errors import ConfigError, RunFolderError
from naf_robot.core.resources import expanded
from naf_robot.core.yaml_text import KeyPath
from naf_robot.run.config import USED_BY_ENVIRONMENTS, compose_run
from naf_robot.run.robot import DEFAULT_PROFILE

USED: tuple[KeyPath, ...] = (("task_name",), *USED_BY_ENVIRONMENTS)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options on `parser`."""
    parser.add_argument("--task", required=True, help="task to demonstrate, one that has a scripted policy")
    parser.add_argument("--episodes", type=whole(1), default=10, help="episodes to run [10]")
    parser.add_argument(
        "--run-dir", type=Path, required=True, metavar="DIR", help="new run folder that the episodes are stored in"
    )
    parser.add_argument("--seed", type=whole(0), default=0, help="seed of goals and noise [0]")
    parser.add_argument(
        "--noise",
        type=number(),
        default=0.0,
        help="standard deviation of the correlated noise on the action, in units of the action box [0]",
    )
    parser.add_argument("--keep-all", action="store_true", help="keep episodes without success too")
    parser.add_argument(
        "--robot", help=f"profile of the robot: a name below config/robots, or a YAML file [{DEFAULT_PROFILE}]"
    )
    parser.add_argument(
        "--config", nargs="+", action="extend", default=[], metavar="FILE", help="YAML files over the task's own values"
    )
    parser.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="single values over all others"
    )
    parser.add_argument("--json", action="store_true", help="print the counts as one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the episodes and say what they came to."""
    if options.noise < 0.0:
        raise ConfigError(f"--noise must be 0 or more, got {options.noise:g}")
    run_dir = expanded(options.run_dir).resolve()
    if run_dir.exists():
        raise RunFolderError(f"run folder {str(run_dir)!r} exists already; name one that does not")
    composed = compose_run(_layers(options))

    from tqdm import tqdm

    from naf_robot.study.demonstrations import demonstrate

    with tqdm(total=options.episodes, unit="episode", disable=None) as bar:
        found = demonstrate(
            composed,
            run_dir,
            options.episodes,
            options.seed,
            options.noise,
            options.keep_all,
            lambda success: bar.update(),
        )
    counts: dict[str, Any] = {"task": composed.config.task_name, **asdict(found), "run_dir": str(run_dir)}
    if options.json:
        print(json.dumps(counts), flush=True)
    else:
        print(
            f"{found.successes} of {found.episodes} episodes succeeded; {found.kept} with {found.transitions} "
            f"transitions are in {run_dir}",
            flush=True,
        )
    return 0


def _layers(options: argparse.Namespace) -> list[Layer]:
    """What the user gave; a single value that a demonstration has no use for is refused, not ignored."""
    files: list[Layer] = []
    for text in options.config:
        path = expanded(text).resolve()
        files += file_layers(path, str(path), path.parent)
    settings = assignments_layer(options.set)
    refuse_unused(settings, USED, "a demonstration")
    named = {"task_name": options.task} | ({"profile": options.robot} if options.robot else {})
    return [*files, settings, Layer(COMMAND_LINE, named, folder=Path.cwd())]
