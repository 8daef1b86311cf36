"""How long a tick of simulated time lasts, and what drives do that hear nothing. No clock is read here."""

from collections.abc import Iterable

CATCH_UP_S = 1.0  # a simulation that fell behind by more does not run faster than asked to make up for it


class Pacing:
    """The pace of simulated time: `factor` times real time, or with 0 as fast as the robots answer.

    While nobody answers at all, free-running time keeps to real time.
    """

    def __init__(self, factor: float, period_s: float, answer_timeout_s: float, now_s: float) -> None:
        self._factor = factor
        self._period_s = period_s
        self._answer_timeout_s = answer_timeout_s
        self._due_s = now_s  # when the tick must not end before
        self._free = False
        self.answers_until_s = now_s  # how long answers to the running tick are waited for

    def change(self, factor: float) -> None:
        """Go on at another pace from the next tick."""
        self._factor = factor

    def begin(self, now_s: float, anyone_answers: bool) -> None:
        """A tick begins."""
        if self._free:
            self._due_s = now_s
        pace = self._factor if self._factor > 0.0 else (0.0 if anyone_answers else 1.0)
        self._free = pace == 0.0
        if not self._free:
            self._due_s = max(self._due_s, now_s - CATCH_UP_S) + self._period_s / pace
        self.answers_until_s = self._due_s if self._factor > 0.0 else now_s + self._answer_timeout_s

    def left_s(self, now_s: float) -> float:
        """How long the tick must still last; zero or less when it may end."""
        return 0.0 if self._free else self._due_s - now_s


class SilentDrives:
    """Drives that watch their commands: after `timeout_ticks` without one they stop; with 0 they repeat it."""

    def __init__(self, robots: Iterable[str], timeout_ticks: int) -> None:
        self._timeout_ticks = timeout_ticks
        self._commanded = dict.fromkeys(robots, 0)  # tick of each robot's newest command

    def accepts(self, computed_at: int | None, now: int) -> bool:
        """Whether a command is taken that was computed from the state of tick `computed_at`.

        In accelerated simulation a late process would else be late by seconds, which it never is on a real arm.
        """
        return not self._timeout_ticks or computed_at is None or computed_at >= now - self._timeout_ticks

    def commanded(self, robot: str, now: int) -> None:
        """A command was taken at tick `now`."""
        self._commanded[robot] = now

    def silent(self, now: int) -> list[str]:
        """Robots whose drives stop by themselves at tick `now`."""
        return [robot for robot, tick in self._commanded.items() if 0 < self._timeout_ticks <= now - tick]
