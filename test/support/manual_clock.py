"""A clock for tests."""


class ManualClock:
    """A clock that stands still until it is moved."""

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
