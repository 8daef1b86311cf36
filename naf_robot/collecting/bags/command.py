"""The command `naf-robot replay`: recorded messages into a run folder that can be learned from."""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from naf_robot.collecting.bags.namespaces import check_robots, named, names_for, robot_of, robots_by_space, shown
from naf_robot.core import run_files
from naf_robot.core.composition import Layer, assignments_layer, file_layers
from naf_robot.core.errors import ConfigError, NafRobotError, RunFolderError
from naf_robot.core.files import ExclusiveLock, make_run_folder
from naf_robot.core.resources import expanded
from naf_robot.core.run_identity import run_identity
from naf_robot.experience.contract import Contract
from naf_robot.experience.store import ExperienceStore
from naf_robot.run.config import RunConfig, compose_run, load, save_composed, task_names
from naf_robot.run.contract import contract_of
from naf_robot.run.descriptions import describe_arms, save_descriptions, settled
from naf_robot.run.folder_system import TRAIN, save_system
from naf_robot.run.robot import DEFAULT_PROFILE

SHOWN_FINDINGS = 30


def delay(text: str) -> float:
    """The type of `--delay`."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < 10.0:
        raise argparse.ArgumentTypeError(f"must be a time from 0 to 10 s, got {text!r}")
    return value


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options on `parser`."""
    parser.add_argument("bags", type=Path, nargs="+", metavar="BAG", help="folder of a bag, or its .mcap or .db3 files")
    parser.add_argument("--task", required=True, choices=task_names(), help="task that the steps are made for")
    parser.add_argument(
        "--run-dir", type=Path, required=True, metavar="DIR", help="folder for the steps: a new one, or one to add to"
    )
    parser.add_argument(
        "--robot", help=f"profile of every robot: a name below config/robots, or a YAML file [{DEFAULT_PROFILE}]"
    )
    parser.add_argument(
        "--robots",
        type=named,
        nargs="+",
        action="extend",
        default=[],
        metavar="NAMESPACE=ROBOT",
        help="rebuilding: whose topics a namespace has, /=ROBOT for topics without one [robot of that name]",
    )
    parser.add_argument(
        "--raw", action="store_true", help="rebuild steps from the robots' topics, also where /experience was recorded"
    )
    parser.add_argument(
        "--delay",
        type=delay,
        default=0.0,
        metavar="SECONDS",
        help="rebuilding: a reading counts from so long after its stamp on, joint states on wall time only [0]",
    )
    parser.add_argument(
        "--borders",
        choices=("whole", "gaps"),
        help="where the topic episode was not recorded: the bag is one episode, or gaps in the requests part them",
    )
    parser.add_argument(
        "--goal",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=X,Y,Z",
        help="with --borders: the goal",
    )
    parser.add_argument(
        "--config", nargs="+", action="extend", default=[], metavar="FILE", help="YAML files over the task's own values"
    )
    parser.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="single values over all others"
    )
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read the bags, and say what became of them."""
    if find_spec("rosbags") is None:
        raise ConfigError("replay needs the package rosbags; install it with: pip install 'naf_robot[bags]'")
    from naf_robot.experience.bags.files import bags_of

    paths = [expanded(path).resolve() for path in options.bags]
    bags = bags_of(paths)
    try:
        return _run(options, bags, paths)
    finally:
        for bag in bags:
            bag.close()


def _run(options: argparse.Namespace, bags: list[Any], paths: list[Path]) -> int:
    from naf_robot.collecting.bags.replay import has_experience, robots_in

    run_dir = expanded(options.run_dir).resolve()
    spaces = sorted({space for bag in bags for space in robots_in(bag)})
    given = robots_by_space(options.robots, spaces)
    if given and not options.raw and all(map(has_experience, bags)):
        raise ConfigError("--robots says whose topics steps are rebuilt from; every bag has /experience: give --raw")
    new = not run_dir.exists()
    config = _new(options, names_for(spaces, given), run_dir) if new else _existing(options, run_dir)
    try:
        check_robots(given, config.robots)
        with closing(ExperienceStore(run_dir / run_files.EXPERIENCE, contract_of(config, run_dir))) as store:
            document = _read(options, bags, given, config, contract_of(config, run_dir), store)
    except BaseException:
        if new:
            shutil.rmtree(run_dir, ignore_errors=True)
        raise
    if not document["steps"] and new:
        shutil.rmtree(run_dir, ignore_errors=True)
    if options.json:
        print(json.dumps(document), flush=True)
    else:
        _show(document, run_dir)
    if not document["steps"]:
        said = "; ".join(document["sentences"][:5]) or "no episode is in them"
        raise NafRobotError(f"nothing could be read of {', '.join(map(str, paths[:5]))}: {said}")
    return 0


def _read(
    options: argparse.Namespace,
    bags: list[Any],
    given: Mapping[str, str],
    config: RunConfig,
    contract: Contract,
    store: Any,
) -> dict:
    from tqdm import tqdm

    from naf_robot.collecting.bags.declared import declared
    from naf_robot.collecting.bags.replay import Result, has_experience, read_experience, rebuild, robots_in
    from naf_robot.collecting.bags.sink import Sink

    borders = declared(options.borders, options.goal, config.make_task())
    sink, result = Sink(store, contract), Result()
    begin_s = time.monotonic()
    with tqdm(unit=" messages", disable=None, file=sys.stderr) as bar:
        for bag in bags:
            raw = options.raw or not has_experience(bag)
            result.sources[bag.name] = "raw topics" if raw else "experience"
            if not raw:
                read_experience(bag, contract, sink, result, bar.update)
                continue
            spaces = robots_in(bag)
            if not spaces:
                result.findings.note("has no topic desired_velocity, so no robot's steps can be rebuilt", bag.name)
            for space in spaces:
                robot = robot_of(space, given, list(config.robots))
                if robot is None:
                    what = f"namespace {shown(space)} is none of the robots {', '.join(config.robots)}; "
                    result.findings.note(f"{what}--robots {shown(space)}=ROBOT says whose it is", bag.name)
                    continue
                rebuild(bag, space, robot, config, options.delay, sink, result, bar.update, borders)
    sink.flush()
    wall_s = time.monotonic() - begin_s
    for bag in bags:
        for trouble in bag.troubles:
            result.findings.note(trouble, bag.name)
    for refusal in sink.refused:
        result.findings.note(refusal, "store")
    return {
        "steps": sink.steps,
        "added": sink.added,
        "refused": result.findings.refused,
        "sha256": sink.sha256(),
        "times_real_time": round(result.span_s / max(wall_s, 1e-9), 1),
        "episodes": sink.episodes(),
        "ends": result.by_end,
        "discarded": result.discarded,
        "robot_s": round(result.span_s, 3),
        "wall_s": round(wall_s, 3),
        "sources": result.sources,
        "findings": result.findings.document(),
        "sentences": result.findings.sentences(),
    }


def _new(options: argparse.Namespace, names: list[str], run_dir: Path) -> RunConfig:
    """The configuration of a new folder, which is made; its robots have these `names` unless a file names them."""
    given = [layer for text in options.config for layer in _file(text)]
    values: dict[str, Any] = {"task_name": options.task}
    if options.robot:
        values["profile"] = options.robot
    own = assignments_layer(options.set)
    if not any("robots" in layer.values for layer in (*given, own)):
        values["robots"] = names
    composed = compose_run([*given, Layer("command line", values, folder=Path.cwd()), own])
    described = describe_arms(composed.config)
    make_run_folder(run_dir)
    composed = replace(composed, config=settled(composed.config, run_dir))
    save_composed(composed, run_dir)
    save_descriptions(described, run_dir)
    save_system(run_dir, TRAIN)
    run_identity(run_dir)
    return composed.config


def _existing(options: argparse.Namespace, run_dir: Path) -> RunConfig:
    """The configuration of a folder that is added to.

    Raises:
        RunFolderError: it is no run folder.
        ConfigError: it is of another task, or of a run that is under way.
    """
    path = run_dir / run_files.CONFIG
    if not path.is_file():
        raise RunFolderError(f"{str(run_dir)!r} exists but is no run folder: it has no {run_files.CONFIG}")
    config = load(path, [layer for text in options.config for layer in _file(text)] + [assignments_layer(options.set)])
    if config.task_name != options.task:
        raise ConfigError(f"{str(run_dir)!r} is of task {config.task_name!r}, not of {options.task!r}")
    ExclusiveLock(run_dir / run_files.LOCK, f"run folder {str(run_dir)!r}").release()
    return config


def _file(text: str) -> list[Layer]:
    path = expanded(text).resolve()
    return list(file_layers(path, str(path), path.parent))


def _show(document: dict, run_dir: Path) -> None:
    """The result for people."""
    for sentence in document["sentences"][:SHOWN_FINDINGS]:
        print(f"note: {sentence}")
    if (more := len(document["sentences"]) - SHOWN_FINDINGS) > 0:
        print(f"note: and {more} more kinds; --json has them")
    print(
        "{steps} steps of {episodes} episodes read at {times_real_time} times real time, {added} of them new; "
        "{refused} refused; sha256 {sha256}".format(**document)
    )
    print(f"run folder: {run_dir}")
