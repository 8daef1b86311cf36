"""Return to a policy version: for a stopped run as a whole, or for single robots at any time."""

from pathlib import Path
from typing import Any

from naf_robot.core import run_files
from naf_robot.core.errors import CheckpointError, RunFolderError
from naf_robot.run.checkpoint import Checkpoint, read_best, read_checkpoint, roll_back
from naf_robot.run.config import check_robot, load
from naf_robot.run.folder_system import ROBOT, system_of
from naf_robot.run.pin import BEST, write_pin, write_request


def roll_back_run(run_dir: Path, version: int | None) -> dict[str, Any]:
    """Make the run in `run_dir` continue from `version`, None for the best; no process may use the folder.

    Experience is kept, newer checkpoints are moved aside, and the next versions have higher numbers.

    Raises:
        CheckpointError: no complete checkpoint of that version.
        RunFolderError: `run_dir` is no run folder.
    """
    _config(run_dir)
    checkpoint = _chosen(run_dir, version)
    moved = roll_back(run_dir, checkpoint)
    return {
        "version": checkpoint.policy.version,
        "updates": checkpoint.policy.updates,
        "set_aside": [folder.name for folder in moved],
    }


def pin_robots(run_dir: Path, robot: str | None, version: int | None, release: bool) -> dict[str, Any]:
    """Pin `robot`, None for all, to `version`, None for the best; or release the pin.

    Raises:
        CheckpointError: no whole checkpoint of that version, or it is addressed to another robot.
        UnknownNameError: no such robot in the run.
    """
    config = _config(run_dir)
    robots = tuple(config.robots) if robot is None else (check_robot(config, robot),)
    if system_of(run_dir) == ROBOT:
        return _ask_trainer(run_dir, robots, version, release)
    parameters = None if release else _chosen(run_dir, version).policy
    others = [name for name in robots if parameters is not None and parameters.addressee not in ("", name)]
    if parameters is not None and others:
        raise CheckpointError(
            f"version {parameters.version} is addressed to {parameters.addressee!r} and cannot be pinned on {others}"
        )
    for name in robots:
        write_pin(run_dir, name, parameters)
    return {"robots": list(robots), "version": parameters.version if parameters else None}


def _ask_trainer(run_dir: Path, robots: tuple[str, ...], version: int | None, release: bool) -> dict[str, Any]:
    """On a robot's machine, which has no checkpoints: its collectors ask the trainer for the version."""
    asked = None if release else BEST if version is None else str(version)
    for name in robots:
        if release:
            write_pin(run_dir, name, None)
        write_request(run_dir, name, asked)
    return {"robots": list(robots), "version": version, "asked of the trainer": asked is not None}


def _chosen(run_dir: Path, version: int | None) -> Checkpoint:
    return read_best(run_dir) if version is None else read_checkpoint(run_dir, version)


def _config(run_dir: Path) -> Any:
    path = run_dir / run_files.CONFIG
    if not path.is_file():
        raise RunFolderError(f"{str(run_dir)!r} is not a run folder: it has no {run_files.CONFIG}")
    return load(path)
