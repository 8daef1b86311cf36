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

    The files that came with this very code win: those of the source tree where it runs from one (editable
    installs leave the share folder out), or of the prefix or `--target` folder that it was installed to. Then the
    ament index of a ROS workspace; then the environment's prefix.

    Raises:
        NafRobotError: none of the places has the files; all are named.
    """
    prefixes = [SOURCE_ROOT, *SOURCE_ROOT.parents[:3]]  # <target>, or <prefix>/lib/python3.X/site-packages
    prefixes += [Path(entry) for entry in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if entry]
    places = [SOURCE_ROOT, *(prefix / "share" / PACKAGE for prefix in (*prefixes, Path(sys.prefix)))]
    for place in places:
        if all((place / name).exists() for name in ("package.xml", "urdf", "config")):
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
