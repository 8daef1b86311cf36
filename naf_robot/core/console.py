"""Output that never stands in the way of the work: a closed pipe, a full disk or a stopped reader costs text."""

import io
import os
import select
import sys
import time
from typing import TextIO

PIECE_BYTES = 4096  # what a pipe that is ready takes at once
PATIENCE_S = 1.0  # for a reader that does not read, once; then its text is dropped until it reads again


class SteadyStream(io.TextIOBase):
    """Writes text to a file descriptor without a buffer; what cannot be written is dropped.

    Python's own streams raise on every write to a pipe whose reader has gone, once more when the interpreter ends,
    and wait without end for a reader that has been stopped.
    """

    def __init__(self, descriptor: int, name: str) -> None:
        self._descriptor = descriptor
        self.name = name
        self._waiting = False  # its reader has used up the patience
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)

    def write(self, text: str) -> int:
        """Write `text` as far as it is taken; always its length, as if it were."""
        data = memoryview(text.encode("utf-8", errors="backslashreplace"))
        end_s = time.monotonic() + PATIENCE_S
        try:
            while data:
                left_s = 0.0 if self._waiting else max(0.0, end_s - time.monotonic())
                if not self._poll.poll(1000.0 * left_s):
                    self._waiting = True
                    break
                data = data[os.write(self._descriptor, data[:PIECE_BYTES]) :]
                self._waiting = False
        except OSError:
            pass  # nobody reads it, or the disk is full
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """What text is written in."""
        return "utf-8"

    def fileno(self) -> int:
        """The file descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether a person looks at it."""
        try:
            return os.isatty(self._descriptor)
        except OSError:
            return False

    def writable(self) -> bool:
        """It takes text."""
        return True


def protect_output() -> None:
    """Replace the interpreter's own standard output and error by streams whose failure is not the program's."""
    if sys.stdout is sys.__stdout__ and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout = _protected(sys.stdout)
    if sys.stderr is sys.__stderr__ and isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr = _protected(sys.stderr)


def _protected(stream: TextIO) -> TextIO:
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        stream.flush()
    return SteadyStream(stream.fileno(), stream.name)  # type: ignore[return-value]
