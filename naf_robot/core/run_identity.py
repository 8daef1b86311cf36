"""Which run a folder belongs to: an identity written into it once, which every message of the run carries."""

import os
import re
import secrets
from pathlib import Path

from naf_robot.core import run_files
from naf_robot.core.errors import ConfigError, RunFolderError
from naf_robot.core.files import sync_folder, write_new

RUN_ID = re.compile(r"[0-9a-f]{16}")


def run_identity(run_dir: Path) -> str:
    """The identity of the run in `run_dir`, sixteen hexadecimal digits; made now if the folder has none.

    Processes that ask at the same time get the same one. A robot's machine with a run folder of its own gets that of
    its trainer (`write_run_id`).

    Raises:
        RunFolderError: the file holds something else, or cannot be written.
    """
    path = run_dir / run_files.RUN_ID
    try:
        if not path.exists():
            _write_once(path, secrets.token_hex(8))
    except OSError as error:
        raise RunFolderError(f"cannot write the run's identity to {str(path)!r}: {error.strerror}") from None
    return known_run_id(run_dir)


def known_run_id(run_dir: Path) -> str:
    """The identity of the run in `run_dir`, "" while it has none.

    Raises:
        RunFolderError: the file holds something else, or cannot be read.
    """
    path = run_dir / run_files.RUN_ID
    try:
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise RunFolderError(f"cannot read the run's identity in {str(path)!r}: {error.strerror}") from None
    if not RUN_ID.fullmatch(text):
        raise RunFolderError(f"{str(path)!r} must hold the identity of a run, sixteen hexadecimal digits")
    return text


def write_run_id(run_dir: Path, run_id: str) -> None:
    """Make the folder one of run `run_id`, permanently.

    Raises:
        ConfigError: it is no identity.
        RunFolderError: the folder belongs to another run, or cannot be written.
    """
    check_run_id(run_id)
    path = run_dir / run_files.RUN_ID
    try:
        if not path.exists():
            _write_once(path, run_id)
    except OSError as error:
        raise RunFolderError(f"cannot write the run's identity to {str(path)!r}: {error.strerror}") from None
    if (own := known_run_id(run_dir)) != run_id:
        raise RunFolderError(
            f"{str(run_dir)!r} belongs to run {own}, not to {run_id}: what its robots recorded is of that run; "
            "begin a new folder"
        )


def check_run_id(run_id: str) -> str:
    """`run_id` if it is the identity of a run.

    Raises:
        ConfigError: it is not.
    """
    if not RUN_ID.fullmatch(run_id):
        raise ConfigError(f"a run's identity has sixteen hexadecimal digits, got {run_id[:40]!r}")
    return run_id


def _write_once(path: Path, text: str) -> None:
    """Put `text` at `path` whole, unless another process was first."""
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}-{secrets.token_hex(4)}")
    write_new(partial, f"{text}\n".encode())
    try:
        os.link(partial, path)
    except FileExistsError:
        pass
    finally:
        partial.unlink()
    sync_folder(path.parent)
