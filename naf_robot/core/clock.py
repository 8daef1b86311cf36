"""Time as a protocol, so that control code runs on wall, simulated and test time alike."""

import time
from typing import Protocol


class Clock(Protocol):
    """A source of monotonic time in seconds."""

    def now_s(self) -> float:
        """Current time [s]; never goes back."""
        ...


class SteadyClock:
    """The machine's monotonic clock."""

    def now_s(self) -> float:
        """Seconds since an arbitrary start; unaffected by wall-clock changes."""
        return time.monotonic()
