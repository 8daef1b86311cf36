"""Evaluation over ROS: a run's robots, simulated or real, run greedy episodes with one version of its policy.

It is a run with a folder of its own: every robot is pinned to the version, every episode is greedy, and the trainer
stores episodes and updates nothing. So whatever moves the arms is what moves them while they learn. The run that is
evaluated may be running; it is only read.
"""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from naf_robot.bringup.gazebo_packages import check_gazebo
from naf_robot.bringup.gazebo_system import in_gazebo, with_gazebo
from naf_robot.bringup.options import Option, SystemOptions, given_layers
from naf_robot.bringup.training import PreparedRun, lock_run, run_in
from naf_robot.core import run_files
from naf_robot.core.composition import Layer
from naf_robot.core.errors import CheckpointError, ConfigError, RunFolderError
from naf_robot.core.files import make_run_folder, replace_file
from naf_robot.core.intervals import proportion
from naf_robot.core.records import PolicyParameters
from naf_robot.core.resources import expanded
from naf_robot.core.run_identity import run_identity
from naf_robot.run.checkpoint import read_best, read_checkpoint, read_policy
from naf_robot.run.checks import check
from naf_robot.run.config import compose_saved, parse_robots, save_composed
from naf_robot.run.descriptions import describe_arms, save_descriptions, settled
from naf_robot.run.folder_system import TRAIN, save_system
from naf_robot.run.gazebo.files import GazeboFiles
from naf_robot.run.pin import write_pin
from naf_robot.run.report import read_episodes

BEST, NEWEST = "best", "newest"
NEVER = 1_000_000_000  # transitions before the first update
EVALUATION_SEED = 1000
EPISODES = 100
LIKE_TRAINING = ("backend", "simulated", "first_run", "real_time_factor", "record", "restarts", "settings")
EVALUATE_OPTIONS = (
    Option("run_dir", "", "run folder whose policy is evaluated", "it must be given"),
    Option("version", "", "policy version that has a checkpoint, or best or newest", "best, or newest before one is"),
    Option("episodes", "", "number of greedy episodes of all robots together", str(EPISODES)),
    Option("robots", "", "names of some of the run's robots, separated by commas", "all of them"),
    Option("seed", "", "seed of the goals", str(EVALUATION_SEED)),
    Option("backend", "", "what moves the arms: a simulator, or ros2_control", "as in the run"),
    Option("simulated", "", "true: a simulator; false: real arms, whose drivers are running", "as in the run"),
    Option("first_run", "", "real arms move at a fraction of their speeds, to be watched", "as in the run"),
    Option("real_time_factor", "", "speed of the simulation: 1 is real time, 0 is without limit", "as in the run"),
    Option("record", "", "true: record each robot's topics to a bag in the folder of the evaluation", "as in the run"),
    Option("restarts", "", "how often each process that ended unexpectedly is started again", "as in the run"),
    Option("settings", "", "single values over the run's own", "none"),
    Option("out_dir", "", "new folder of the evaluation; it must not exist", "a folder below runs/"),
)


def prepare_evaluation(given: Mapping[str, Any]) -> PreparedRun:
    """Check everything, then write the evaluation's folder; the run that is evaluated is not changed.

    Raises:
        NafRobotError: no such run, version or robot, or a wrong option; nothing is written.
    """
    if not given.get("run_dir"):
        raise ConfigError("run_dir must name the run folder whose policy is evaluated")
    source = expanded(str(given["run_dir"])).resolve()
    if not (source / run_files.CONFIG).is_file():
        raise RunFolderError(f"{str(source)!r} is not a run folder: it has no {run_files.CONFIG}")
    policy = chosen_policy(source, given.get("version") or "")
    episodes = _whole("episodes", given.get("episodes") or str(EPISODES), 1)
    fixed: dict[str, Any] = {
        "seed": _whole("seed", given.get("seed") or str(EVALUATION_SEED), 0),
        "max_episodes": episodes,
        "target_success": 1.0,
        "collector": {"evaluation_period": 1},
        "trainer": {"learning_starts": NEVER, "evaluation_window": episodes, "evaluation_rule": "window"},
    }
    options = SystemOptions(**{name: given.get(name) for name in LIKE_TRAINING})
    composed = compose_saved(source / run_files.CONFIG, [*given_layers(options), Layer("evaluation", fixed)])
    config = composed.config
    if given.get("robots"):
        config = config.with_robots(*parse_robots(given["robots"]))
    if policy.addressee and set(config.robots) != {policy.addressee}:
        raise CheckpointError(f"version {policy.version} is for {policy.addressee!r} alone: give that robot")
    notes = check(config)
    if in_gazebo(config):
        check_gazebo(config)
        GazeboFiles.of(config)
    described = describe_arms(config)
    begin = time.strftime("%Y%m%d-%H%M%S")
    default = f"runs/evaluation-{config.task_name}-version{policy.version}-{begin}"
    out_dir = make_run_folder(given.get("out_dir") or default)
    config = settled(config, out_dir)
    save_composed(replace(composed, config=config), out_dir)
    save_descriptions(described, out_dir)
    save_system(out_dir, TRAIN)
    pinned = replace(policy, run_id=run_identity(out_dir))
    for robot in config.robots:
        write_pin(out_dir, robot, pinned)
    evaluated = {"run_dir": str(source), "version": policy.version, "episodes": episodes}
    replace_file(out_dir / run_files.EVALUATED, json.dumps(evaluated).encode())
    run = run_in(out_dir, config, lock_run(out_dir), notes, TRAIN)
    return with_gazebo(run) if in_gazebo(config) else run


def chosen_policy(run_dir: Path, version: str) -> PolicyParameters:
    """The policy of `version`: a number, best or newest; "": the best, before there is one the newest.

    Raises:
        ConfigError: something else.
        CheckpointError: there is none.
    """
    if version == BEST:
        return read_best(run_dir).policy
    if not version:
        with suppress(CheckpointError):
            return read_best(run_dir).policy
    if version in ("", NEWEST):
        return read_policy(run_dir)
    return read_checkpoint(run_dir, _whole("version", version, 0)).policy


def evaluation_result(out_dir: Path) -> dict[str, Any]:
    """What the evaluation in `out_dir` has found, also written to its folder; it may have been ended early.

    Raises:
        RunFolderError: `out_dir` is no evaluation, or no episode has been finished.
    """
    try:
        evaluated = json.loads((out_dir / run_files.EVALUATED).read_bytes())
    except (OSError, ValueError):
        raise RunFolderError(f"{str(out_dir)!r} is of no evaluation: it has no {run_files.EVALUATED}") from None
    found = read_episodes(out_dir) if (out_dir / run_files.EPISODES).is_file() else []
    episodes = found[: evaluated["episodes"]]  # later ones were under way when that many had come
    if not episodes:
        raise RunFolderError(f"the evaluation in {str(out_dir)!r} has finished no episode")
    successes = sum(each["success"] for each in episodes)
    low, high = proportion(successes, len(episodes))
    result = {
        "success_rate": successes / len(episodes),
        "success_interval": [low, high],
        "episodes": len(episodes),
        "mean_return": sum(each["episode_return"] for each in episodes) / len(episodes),
        "by_robot": {
            robot: {"episodes": len(own), "successes": sum(each["success"] for each in own)}
            for robot in sorted({each["robot"] for each in episodes})
            if (own := [each for each in episodes if each["robot"] == robot])
        },
        "policy_version": evaluated["version"],
        "run_dir": evaluated["run_dir"],
    }
    replace_file(out_dir / run_files.EVALUATION, json.dumps(result, indent=2).encode())
    return result


def _whole(name: str, text: str, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        what = f"{BEST}, {NEWEST} or a version" if name == "version" else f"a whole number from {least} on"
        raise ConfigError(f"{name} must be {what}, got {text!r}")
    return value
