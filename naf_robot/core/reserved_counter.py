"""Policy versions that never decrease, also after a crash: numbers are reserved on disk before they are used."""

from pathlib import Path

from naf_robot.core.errors import StoreError
from naf_robot.core.files import replace_file

RESERVED_AT_ONCE = 100  # a restart skips at most so many


class ReservedCounter:
    """Counts up from 1; the next process with the same file starts above every number that was used.

    Raises:
        StoreError: the file holds no number.
    """

    def __init__(self, path: Path, reserved_at_once: int = RESERVED_AT_ONCE) -> None:
        self._path = path
        self._block = reserved_at_once
        text = path.read_text(encoding="ascii", errors="replace").strip() if path.is_file() else "0"
        if not text.isascii() or not text.isdigit() or len(text) > 18:
            raise StoreError(f"{str(path)!r} must hold a whole number, got {text[:40]!r}")
        self.value = self._reserved = int(text)

    def next(self, step: int = 1) -> int:
        """A number above all before by `step`; it is reserved on disk first.

        Raises:
            OSError: the write failed; the number must not be used.
        """
        number = self.value + step
        if number > self._reserved:
            reserved = number + self._block
            replace_file(self._path, f"{reserved}\n".encode())
            self._reserved = reserved
        self.value = number
        return number
