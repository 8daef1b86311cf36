"""The latched fault of one robot in a file of the run, so that a restart does not clear it."""

from pathlib import Path

from naf_robot.core.files import replace_file

MAX_LENGTH = 1000  # of a fault's text that is read back
PREFIX = "latched before a restart: "


class FaultFile:
    """Holds the fault while one is latched, and does not exist otherwise."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> str | None:
        """The fault that was latched when a predecessor ended, or None."""
        if not self._path.is_file():
            return None
        text = self._path.read_text(encoding="utf-8", errors="replace")[:MAX_LENGTH].strip()
        return PREFIX + text.removeprefix("stopped: ").removeprefix(PREFIX)

    def write(self, fault: str) -> None:
        """Keep `fault`; an empty one removes the file.

        Raises:
            OSError: the disk refused.
        """
        if fault:
            self._path.parent.mkdir(exist_ok=True)
            replace_file(self._path, fault.encode())
        else:
            self._path.unlink(missing_ok=True)
