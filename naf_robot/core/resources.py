"""Finds the package's shared files however it was installed."""

import os
import sys
from functools import cache
from pathlib import Path

from naf_robot.core.errors import NafRobotError

PACKAGE = "naf_robot"
SOURCE_ROOT = Path(__file__).resolve().parents[2]


@cache
def share_directory() -> Path:
    """The folder that holds `config/`, `urdf/` and `launch/`.

    The source tree wins where the code itself runs from one (editable installs leave the
    share folder out); then the ament index of a ROS workspace; then the environment's prefix.

    Raises:
        NafRobotError: none of the three places has the files; all are named.
    """
    places = [SOURCE_ROOT]
    places += [
        Path(prefix) / "share" / PACKAGE for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(":") if prefix
    ]
    places += [Path(sys.prefix) / "share" / PACKAGE]
    for place in places:
        if (place / "urdf").is_dir() and (place / "config").is_dir():
            return place
    raise NafRobotError(f"shared files of {PACKAGE} not found; looked in {', '.join(map(str, places))}")


def find(path: str | Path) -> Path:
    """Resolve `path`: as given if it exists, else below the share folder.

    Raises:
        NafRobotError: the file is in neither place.
    """
    given = Path(path).expanduser()
    if given.exists():
        return given.resolve()
    shared = share_directory() / path
    if not given.is_absolute() and shared.exists():
        return shared
    raise NafRobotError(f"file {str(path)!r} not found, neither as given nor below {share_directory()}")
