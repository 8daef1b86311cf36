"""Which descriptions a run's arms were made of: kept in its folder, so that a resumed run moves the same arms."""

import json
from pathlib import Path
from typing import NamedTuple

import msgspec

from naf_robot.core import run_files
from naf_robot.core.errors import RunFolderError
from naf_robot.core.files import replace_file
from naf_robot.run.description_topics import kept_in
from naf_robot.run.run_config import RunConfig, arms_of


class DescribedArm(NamedTuple):
    """What one robot's arm was made of."""

    source: str  # file or topic
    fingerprint: str
    notes: tuple[str, ...]


def describe_arms(config: RunConfig) -> dict[str, DescribedArm]:
    """The descriptions of all robots, by name.

    Raises:
        NafRobotError: as `ArmConfig.description`.
    """
    of_arm = {name: config.robot(name).arm.description() for name in arms_of(config)}
    found = {}
    for name, robot in config.robots.items():
        same = next(other for other in of_arm if config.robot(other).arm == robot.arm)
        described = of_arm[same]
        found[name] = DescribedArm(described.source, described.fingerprint(), described.notes)
    return found


def settled(config: RunConfig, run_dir: Path) -> RunConfig:
    """`config` in which every arm names the file in use: no fallback, and a copy in `run_dir` of a topic's text."""
    robots = {name: msgspec.structs.replace(robot, arm=robot.arm.settled()) for name, robot in config.robots.items()}
    return msgspec.structs.replace(config, robots=kept_in(run_dir, robots))


def save_descriptions(described: dict[str, DescribedArm], run_dir: Path) -> None:
    """Write what the arms are made of to the run folder."""
    content = {name: arm._asdict() for name, arm in described.items()}
    replace_file(run_dir / run_files.DESCRIPTIONS, json.dumps(content, indent=2).encode())


def refuse_other_descriptions(described: dict[str, DescribedArm], run_dir: Path) -> None:
    """Refuse to resume a run whose arms are not those that it began with; older run folders do not say.

    Raises:
        RunFolderError: naming the robot and the file that has changed.
    """
    try:
        saved = json.loads((run_dir / run_files.DESCRIPTIONS).read_bytes())
    except (OSError, ValueError):
        return
    for name, arm in described.items():
        before = saved.get(name, {})
        if before.get("fingerprint", arm.fingerprint) != arm.fingerprint:
            other = "" if arm.source == before.get("source") else f" (before: {before.get('source')})"
            raise RunFolderError(
                f"the description of {name!r}, {arm.source}{other}, is not what it was when the run began: what was "
                "learned belongs to another arm; restore the file, its meshes or its package, or begin a new run"
            )
