"""The keys of a terminal, one by one as they come."""

import os
import select
import sys
import termios
import time

GAP_S = 0.3  # keys that were pressed while nobody looked for so long are forgotten
LOST = "the terminal is gone"


class Terminal:
    """Reads keys without waiting for a line; `close` gives the terminal back as it was.

    Ctrl-C and Ctrl-Z come as keys: a process that is stopped by the second would leave its terminal so.

    Raises:
        OSError, termios.error: standard input is no terminal.
    """

    def __init__(self) -> None:
        self._file = sys.stdin.fileno()
        self._before = termios.tcgetattr(self._file)
        changed = termios.tcgetattr(self._file)
        changed[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG)
        termios.tcsetattr(self._file, termios.TCSADRAIN, changed)
        self._looked_s = time.monotonic()

    def read(self) -> bytes | None:
        """What was typed since the last look; None once the terminal is gone."""
        now_s = time.monotonic()
        try:
            if now_s - self._looked_s > GAP_S:
                termios.tcflush(self._file, termios.TCIFLUSH)
            self._looked_s = now_s
            if not select.select([self._file], [], [], 0.0)[0]:
                return b""
            return os.read(self._file, 4096) or None
        except (OSError, termios.error):
            return None

    def close(self) -> None:
        """Give the terminal back, if it is still there."""
        try:
            termios.tcsetattr(self._file, termios.TCSADRAIN, self._before)
        except (OSError, termios.error):
            return
