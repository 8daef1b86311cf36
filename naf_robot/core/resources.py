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


def expanded(path: str | Path) -> Path:
    """`path` with `~` written out.

    Raises:
        NafRobotError: there is no such home folder.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise NafRobotError(f"path {str(path)!r} begins with a home folder that is not known; write it out") from None


def find(path: str | Path) -> Path:
    """The file at `path`: an absolute path (or one from `~`) as given, a relative one below the share folder alone.

    What a relative path means does not depend on the folder one stands in: `absolute_path` is for what users give.

    Raises:
        NafRobotError: there is no such file.
    """
    given = expanded(path)
    place = given.resolve() if given.is_absolute() else share_directory() / given
    if place.exists():
        return place
    if given.is_absolute():
        raise NafRobotError(f"file {str(path)!r} not found")
    raise NafRobotError(f"file {str(path)!r} not found below {share_directory()}")


def absolute_path(path: str, folder: Path) -> str:
    """`path`, given relative to `folder`, as an absolute one; a path of the package's own files stays relative.

    Raises:
        NafRobotError: the file is in neither place; both are named.
    """
    given = expanded(path)
    if given.is_absolute():
        return str(given.resolve())
    if (folder / given).exists():
        return str((folder / given).resolve())
    if (share_directory() / given).exists():
        return path
    raise NafRobotError(f"file {path!r} not found, neither below {folder} nor below {share_directory()}")
