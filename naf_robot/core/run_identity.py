"""Which run a folder belongs to: an identity written into it once, which every message of the run carries."""

import os
import re
import secrets
from pathlib import Path

from naf_robot.core import run_files
from naf_robot.core.errors import RunFolderError
from naf_robot.core.files import sync_folder, write_new

RUN_ID = re.compile(r"[0-9a-f]{16}")


def run_identity(run_dir: Path) -> str:
    """The identity of the run in `run_dir`, sixteen hexadecimal digits; made now if the folder has none.

    Processes that ask at the same time get the same one. A robot's machine with a run folder of its
    own needs a copy of the file of the trainer's folder.

    Raises:
        RunFolderError: the file holds something else, or cannot be written.
    """
    path = run_dir / run_files.RUN_ID
    try:
        if not path.exists():
            _write_once(path, secrets.token_hex(8))
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        raise RunFolderError(f"cannot write the run's identity to {str(path)!r}: {error.strerror}") from None
    if not RUN_ID.fullmatch(text):
        raise RunFolderError(f"{str(path)!r} must hold the identity of a run, sixteen hexadecimal digits")
    return text


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
