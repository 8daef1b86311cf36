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


class ManualClock:
    """A clock that advances only when `advance` is called; for simulation and tests."""

    def __init__(self, start_s: float = 0.0) -> None:
        self._now_s = start_s

    def now_s(self) -> float:
        """The time last set [s]."""
        return self._now_s

    def advance(self, duration_s: float) -> None:
        """Move forward by `duration_s` [s]."""
        if duration_s < 0.0:
            raise ValueError(f"a clock cannot go back, got a duration of {duration_s} s")
        self._now_s += duration_s
