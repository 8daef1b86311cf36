"""Files that are complete at every instant, and locks against a second process."""

import fcntl
import os
from pathlib import Path

from naf_robot.core.errors import LockedError, RunFolderError, StoreError
from naf_robot.core.resources import expanded


def write_new(path: Path, data: bytes) -> None:
    """Write a file that does not exist yet, through to the disk; a link in its place is an error.

    Raises:
        OSError: it exists, or the write failed.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o644), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` at `path` so that a reader, also after a crash, sees the old or the new content, never a part.

    Raises:
        OSError: the write failed; the old content stays.
    """
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    partial.unlink(missing_ok=True)
    try:
        write_new(partial, data)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def make_run_folder(folder: str | Path) -> Path:
    """Make a folder that does not exist yet, for a run that can be resumed; returns its full path.

    Raises:
        RunFolderError: it exists, or cannot be made.
    """
    path = expanded(folder).resolve()
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        raise RunFolderError(
            f"run folder {str(path)!r} exists already; name one that does not, or continue it with --resume"
        ) from None
    except OSError as error:
        raise RunFolderError(f"cannot create run folder {str(path)!r}: {error.strerror}") from None
    return path


def sync_folder(folder: Path) -> None:
    """Make renames within `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class ExclusiveLock:
    """Held from construction to `release`, or until the process ends for whatever reason.

    Raises:
        LockedError: another process holds it; its process id is in the message.
        StoreError: the file cannot be made.
    """

    def __init__(self, path: Path, what: str) -> None:
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            self._file = os.fdopen(os.open(path, flags, 0o644), "r+b", buffering=0)
        except OSError as error:
            raise StoreError(f"cannot lock {what} by {str(path)!r}: {error.strerror}") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = self._file.read(20).decode("ascii", "replace").strip() or "unknown"
            self._file.close()
            raise LockedError(f"{what} is in use by process {holder}; end that process first") from None
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let other processes take it."""
        self._file.close()
