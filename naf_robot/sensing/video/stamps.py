"""Stamps of frames that never go back, and the times at which a file's frames are due."""

from naf_robot.core.stamps import BILLION

JUMP_NS = BILLION  # a clock that goes back by more has been set anew, and is followed
STEP_NS = 1_000  # between stamps while the clock is behind them
MAX_AGE_S = 1.0  # of a frame when it is read; a device that says more counts its time otherwise
LATE_S = 0.5  # beyond which a file's frames are not made up for


class MonotonicStamps:
    """Makes the stamps of frames [ns]: the clock's time less the frame's age, later than the one before."""

    def __init__(self) -> None:
        self._last_ns: int | None = None

    def stamp_ns(self, now_ns: int, age_s: float = 0.0) -> int:
        """The stamp of a frame that is `age_s` old at `now_ns`."""
        stamp_ns = now_ns - round(age_s * 1e9)
        if self._last_ns is not None and self._last_ns - JUMP_NS < stamp_ns <= self._last_ns:
            stamp_ns = self._last_ns + STEP_NS
        self._last_ns = stamp_ns
        return stamp_ns


def age_of(captured_s: float, now_s: float) -> float:
    """Age [s] of a frame captured at `captured_s` of the steady clock, as a device says; 0 where that cannot be."""
    age_s = now_s - captured_s
    return age_s if captured_s > 0.0 and 0.0 <= age_s < MAX_AGE_S else 0.0


class Pacer:
    """Says how long to wait until a file's next frame is due, at `rate_hz`; times are of a steady clock [s]."""

    def __init__(self, rate_hz: float) -> None:
        self._period_s = 1.0 / rate_hz
        self._due_s: float | None = None

    def wait_s(self, now_s: float) -> float:
        """Time until the next frame [s]; 0 if it is late. After a longer pause the frames after it are not hurried."""
        if self._due_s is None or now_s - self._due_s > LATE_S:
            self._due_s = now_s
        wait_s = max(0.0, self._due_s - now_s)
        self._due_s += self._period_s
        return wait_s
