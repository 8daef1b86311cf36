"""The command `naf-robot compare`: which of two policy versions is better, in simulation or on robots that run."""

import argparse
import json
import sys
import time
from pathlib import Path

from naf_robot.core import run_files
from naf_robot.core.arguments import number, whole
from naf_robot.core.composition import assignments_layer, refuse_unused
from naf_robot.core.errors import ConfigError, RunFolderError
from naf_robot.core.records import PolicyParameters
from naf_robot.core.resources import expanded
from naf_robot.run.checkpoint import read_best, read_checkpoint
from naf_robot.run.checkpoint import versions as known_versions
from naf_robot.run.comparison import ComparisonFiles, Tally, check_comparable
from naf_robot.run.config import USED_BY_ENVIRONMENTS, RunConfig, check_robot, load

POLL_S = 1.0
SHOWN_S = 30.0  # between lines of progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options on `parser`."""
    parser.add_argument(
        "--run-dir", type=Path, required=True, nargs="+", metavar="DIR", help="run folder, or one for each version"
    )
    parser.add_argument(
        "--versions",
        type=whole(0),
        nargs="+",
        metavar="VERSION",
        help="two policy versions that have checkpoints [with two folders: the best one of each]",
    )
    parser.add_argument("--pairs", type=whole(1), default=100, help="pairs of greedy episodes [100]")
    parser.add_argument("--seed", type=whole(0), default=1000, help="seed of goals and order [1000]")
    parser.add_argument("--confidence", type=number(0.0), default=0.95, help="of all intervals [0.95]")
    parser.add_argument(
        "--stop-early", action="store_true", help="stop when it is decided; intervals then hold at any stopping time"
    )
    parser.add_argument(
        "--robots", metavar="NAMES", help="on robots of the run, which is running: all, or names separated by commas"
    )
    parser.add_argument("--cancel", action="store_true", help="end a comparison on robots; prints what it came to")
    parser.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="values of the simulated world"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compare, and print the result as one JSON object."""
    if not 0.5 <= options.confidence < 1.0:
        raise ConfigError(f"--confidence must lie in [0.5, 1), got {options.confidence}")
    folders = [expanded(folder).resolve() for folder in options.run_dir]
    layer = assignments_layer(options.set)
    refuse_unused(layer, USED_BY_ENVIRONMENTS, "a comparison")
    config = load(_config_path(folders[0]), [layer])
    tally = Tally(options.confidence, options.stop_early)
    if options.cancel:
        files = ComparisonFiles(folders[0])
        files.end()
        _gather(files, tuple(config.robots), tally, {})
        print(json.dumps(tally.result()), flush=True)
        return 0
    policies = _policies(folders, options.versions)
    check_comparable(policies)
    if options.robots is None:
        _simulate(config, policies, options, tally)
    else:
        if len(folders) > 1:
            raise ConfigError("on robots two versions of their own run are compared: give one --run-dir")
        if options.set:
            raise ConfigError("--set changes a simulated world: robots that run have their own configuration")
        _on_robots(folders[0], config, policies, options, tally)
    named = {"versions": [policy.version for policy in policies], "run_dirs": [str(folder) for folder in folders]}
    print(json.dumps(named | tally.result()), flush=True)
    return 0


def _simulate(
    config: RunConfig, policies: tuple[PolicyParameters, PolicyParameters], options: argparse.Namespace, tally: Tally
) -> None:
    from tqdm import tqdm

    from naf_robot.study.comparison import compare_simulated

    with tqdm(total=options.pairs, unit="pair", disable=None) as bar:
        compare_simulated(config, policies, options.pairs, options.seed, tally, lambda _: bar.update())


def _on_robots(
    folder: Path,
    config: RunConfig,
    policies: tuple[PolicyParameters, PolicyParameters],
    options: argparse.Namespace,
    tally: Tally,
) -> None:
    """Have running collectors alternate between the versions until all pairs are there; then they go on as before."""
    names = list(config.robots) if options.robots == "all" else options.robots.split(",")
    robots = tuple(check_robot(config, name.strip()) for name in names)
    files = ComparisonFiles(folder)
    try:
        files.begin(policies, -(-options.pairs // len(robots)), options.seed, robots)
    except OSError as error:
        raise RunFolderError(f"cannot write the comparison to {str(folder)!r}: {error.strerror}") from None
    counted: dict[str, int] = {}
    shown_s = -SHOWN_S
    try:
        while tally.pairs < len(robots) * -(-options.pairs // len(robots)) and not tally.decided:
            _gather(files, robots, tally, counted)
            if time.monotonic() - shown_s >= SHOWN_S:
                shown_s = time.monotonic()
                trials = ", ".join(f"{name} {counted.get(name, 0)}" for name in robots)
                print(f"{tally.pairs} of {options.pairs} pairs; trials: {trials}", file=sys.stderr, flush=True)
            if not files.is_active():
                print("ended by naf-robot compare --cancel", file=sys.stderr, flush=True)
                break
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        print("stopped; the result so far:", file=sys.stderr, flush=True)
    finally:
        files.end()


def _gather(files: ComparisonFiles, robots: tuple[str, ...], tally: Tally, counted: dict[str, int]) -> None:
    """Take the trials that have come since."""
    for robot in robots:
        outcomes = files.outcomes(robot)
        for outcome in outcomes[counted.get(robot, 0) :]:
            if not tally.decided:
                tally.add(outcome)
        counted[robot] = len(outcomes)


def _policies(folders: list[Path], versions: list[int] | None) -> tuple[PolicyParameters, PolicyParameters]:
    if len(folders) > 2 or (versions is not None and len(versions) != 2):
        raise ConfigError("a comparison is of two: give two --versions, or two folders with --run-dir")
    if len(folders) == 1 and versions is not None and versions[0] == versions[1]:
        raise ConfigError(f"version {versions[0]} cannot be compared with itself")
    for folder in folders:
        _config_path(folder)
    if len(folders) == 1 and versions is None:
        known = ", ".join(map(str, known_versions(folders[0]))) or "none"
        raise ConfigError(f"give two --versions of {str(folders[0])!r}; those with checkpoints: {known}")
    if versions is None:
        return read_best(folders[0]).policy, read_best(folders[-1]).policy
    first, second = versions
    return read_checkpoint(folders[0], first).policy, read_checkpoint(folders[-1], second).policy


def _config_path(folder: Path) -> Path:
    path = folder / run_files.CONFIG
    if not path.is_file():
        raise RunFolderError(f"{str(folder)!r} is not a run folder: it has no {run_files.CONFIG}")
    return path
