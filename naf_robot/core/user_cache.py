"""The user's cache folder for this package: what can be made again, and is only taken from where nobody else writes."""

import os
import stat
from pathlib import Path


def cache_folder(name: str = "") -> Path:
    """The folder `name` of the cache: below `XDG_CACHE_HOME`, or `.cache` of the user's home; made if it is not there.

    Raises:
        OSError: it cannot be made, or others may write into it.
        RuntimeError: the user has no home folder.
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    folder = (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "naf_robot"
    for each in (folder, folder / name):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
        require_own(each)
    return folder / name


def require_own(path: Path) -> None:
    """See that nobody but this user can write to `path`.

    Raises:
        OSError: others can.
    """
    found = path.stat()
    if found.st_uid != os.getuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise OSError(f"{str(path)!r} can be written by others than this user")
