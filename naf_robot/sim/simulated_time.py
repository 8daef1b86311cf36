"""Simulated time in numbered ticks, which never goes back, also not when a simulator is restarted."""

from pathlib import Path

from naf_robot.core.reserved_counter import ReservedCounter

TICKS_RESERVED_AT_ONCE = 1000  # after a restart time jumps ahead by at most so many


class SimulatedTime:
    """The running tick, counted from 1: zero means "no time yet" in ROS. `path` is the file of reserved numbers."""

    def __init__(self, path: Path, period_s: float) -> None:
        self._period_ns = round(period_s * 1e9)
        self._ticks = ReservedCounter(path, TICKS_RESERVED_AT_ONCE)
        self._ticks.next()
        self._first_ns = self.now_ns

    @property
    def tick(self) -> int:
        """Number of the running tick."""
        return self._ticks.value

    @property
    def now_ns(self) -> int:
        """The time [ns]."""
        return self._ticks.value * self._period_ns

    @property
    def passed_s(self) -> float:
        """Simulated time since the start of this process [s]."""
        return (self.now_ns - self._first_ns) * 1e-9

    def tick_at(self, time_ns: int) -> int:
        """Number of the tick that runs at `time_ns`."""
        return time_ns // self._period_ns

    def ticks_in(self, duration_s: float) -> int:
        """How many ticks last `duration_s`."""
        return round(duration_s * 1e9 / self._period_ns)

    def advance(self) -> None:
        """The next tick begins.

        Raises:
            OSError: its number could not be reserved; it begins all the same, a full disk does not stop time.
        """
        try:
            self._ticks.next()
        except OSError:
            self._ticks.value += 1
            raise
