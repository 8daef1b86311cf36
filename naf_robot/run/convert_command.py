"""The command `naf-robot convert`: a run folder of an older version in today's format."""

import argparse
import json
import os
from pathlib import Path
from typing import Any

import yaml

from naf_robot.core.config import load_yaml
from naf_robot.core.errors import RunFolderError
from naf_robot.core.files import ExclusiveLock, replace_file
from naf_robot.experience.conversion import KEPT, convert_experience
from naf_robot.run.checkpoint_conversion import convert_checkpoints
from naf_robot.run.config import load
from naf_robot.run.contract import contract_of

RENAMED = {  # dotted paths of older versions and today's
    "trainer.learned_action": "trainer.action_source",
    "trainer.success_share": "trainer.success_fraction",
    "collector.exploration.settled_scale": "collector.exploration.final_scale",
    "collector.exploration.settled_success": "collector.exploration.final_scale_success",
    "collector.exploration.settled_pause_share": "collector.exploration.noise_free_fraction",
    "collector.exploration.stretch_steps": "collector.exploration.mean_burst_steps",
}
VALUES = {("trainer.full_store", "thin"): "compact"}


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
    if not (run_dir / "config.yaml").is_file():
        raise RunFolderError(f"{str(run_dir)!r} is not a run folder: it has no config.yaml")
    lock = ExclusiveLock(run_dir / "run.lock", f"run folder {str(run_dir)!r}")
    try:
        renamed = _rename_settings(run_dir / "config.yaml")
        config = load(run_dir / "config.yaml")
        contract = contract_of(config, run_dir)
        batches = convert_experience(run_dir, contract, config.make_task().control_period_s)
        return {"batches": batches, "checkpoints": convert_checkpoints(run_dir, contract), "settings": renamed}
    finally:
        lock.release()


def _rename_settings(path: Path) -> list[str]:
    """Give settings of an older version today's names; those that were there."""
    values = load_yaml(path)
    found = [old for old, new in RENAMED.items() if _move(values, old, new)]
    for (place, old), new in VALUES.items():
        section, _, name = place.rpartition(".")
        if isinstance(values.get(section), dict) and values[section].get(name) == old:
            values[section][name] = new
            found.append(place)
    if found:
        kept = path.with_name(path.name + KEPT)
        if not kept.exists():
            os.link(path, kept)
        replace_file(path, yaml.safe_dump(values, sort_keys=False).encode())
    return found


def _move(values: dict[str, Any], old: str, new: str) -> bool:
    *sections, name = old.split(".")
    below: Any = values
    for section in sections:
        below = below.get(section, {}) if isinstance(below, dict) else {}
    if not isinstance(below, dict) or name not in below:
        return False
    below[new.rpartition(".")[2]] = below.pop(name)
    return True
