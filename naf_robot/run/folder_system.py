"""Which system works in a run folder: everything (`train`), the `trainer` alone, or a machine's robots (`robot`)."""

from pathlib import Path

from naf_robot.core import run_files
from naf_robot.core.errors import RunFolderError
from naf_robot.core.files import replace_file

TRAIN, TRAINER, ROBOT = "train", "trainer", "robot"
SYSTEMS = (TRAIN, TRAINER, ROBOT)


def save_system(run_dir: Path, system: str) -> None:
    """Write that `system` works in `run_dir`."""
    replace_file(run_dir / run_files.SYSTEM, f"{system}\n".encode())


def system_of(run_dir: Path) -> str:
    """The system that works in `run_dir`; folders of older versions, which do not say, are of `train`.

    Raises:
        RunFolderError: the file holds something else.
    """
    path = run_dir / run_files.SYSTEM
    if not path.is_file():
        return TRAIN
    text = path.read_text(encoding="utf-8", errors="replace").strip()
    if text not in SYSTEMS:
        raise RunFolderError(f"{str(path)!r} must hold one of {', '.join(SYSTEMS)}, got {text[:40]!r}")
    return text
