"""The command `naf-robot convert`: a run folder of an older version in today's format."""

import argparse
import json
import os
from pathlib import Path
from typing import Any

import yaml

from naf_robot.core import run_files
from naf_robot.core.config import load_yaml
from naf_robot.core.errors import RunFolderError
from naf_robot.core.files import ExclusiveLock, replace_file
from naf_robot.experience.conversion import KEPT, convert_experience
from naf_robot.run.checkpoint_conversion import convert_checkpoints
from naf_robot.run.config import load
from naf_robot.run.contract import contract_of
from naf_robot.run.old_settings import rename_settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options on `parser`."""
    parser.add_argument("--run-dir", type=Path, required=True, metavar="DIR", help="run folder in which nothing runs")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Convert the folder and print what was converted."""
    print(json.dumps(convert_run(options.run_dir.expanduser().resolve())), flush=True)
    return 0


def convert_run(run_dir: Path) -> dict[str, Any]:
    """Bring the configuration, the experience and the checkpoints of `run_dir` into today's format.

    What was changed is kept beside it under its name and `.before-conversion`. Interrupted, it can be called again.

    Raises:
        RunFolderError: it is no run folder.
        LockedError: a running process works in it.
        StoreError, CheckpointError, ConfigError: something in it cannot be read.
    """
    if not (run_dir / run_files.CONFIG).is_file():
        raise RunFolderError(f"{str(run_dir)!r} is not a run folder: it has no config.yaml")
    lock = ExclusiveLock(run_dir / run_files.LOCK, f"run folder {str(run_dir)!r}")
    try:
        renamed = _rename_settings(run_dir / run_files.CONFIG)
        config = load(run_dir / run_files.CONFIG)
        contract = contract_of(config, run_dir)
        batches = convert_experience(run_dir, contract, config.make_task().control_period_s)
        return {"batches": batches, "checkpoints": convert_checkpoints(run_dir, contract), "settings": renamed}
    finally:
        lock.release()


def _rename_settings(path: Path) -> list[str]:
    """Give settings of an older version today's names; those that were there."""
    values = load_yaml(path)
    found = rename_settings(values)
    if found:
        kept = path.with_name(path.name + KEPT)
        if not kept.exists():
            os.link(path, kept)
        replace_file(path, yaml.safe_dump(values, sort_keys=False).encode())
    return found
