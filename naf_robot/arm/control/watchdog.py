"""Is every input fresh? Ages count in the time of the stamps and, apart from it, on a steady clock."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from naf_robot.core.clock import Clock
from naf_robot.core.errors import ConfigError, UnknownNameError

STAMP_ROUNDING_S = 1e-6  # stamps are whole nanoseconds: an age of exactly the limit is within it


@dataclass
class _Input:
    limit_s: float
    stamp_s: float | None = None  # of the newest message taken, in stamp time
    arrival_s: float | None = None  # on the steady clock


class Watchdog:
    """Freshness of named inputs.

    Stamp time is what stamps and `now_s` are in: the machine's wall time, or simulated seconds.
    On wall time an input is stale when its stamp or its arrival is older than its limit. On
    simulated time only the stamp's age is held against that limit, and the arrival against
    `wall_limit_s`, because a busy machine is no silent sender.

    `clock` is steady. A jump of stamp time, back or ahead of the steady clock by more than
    `jump_s`, forgets all stamps: each input must then arrive anew within its limit.

    Raises:
        ConfigError: a limit that is not positive and finite.
    """

    def __init__(
        self,
        limits_s: Mapping[str, float],
        clock: Clock,
        simulated_time: bool = False,
        wall_limit_s: float = 2.0,
        future_s: float = 0.1,
        jump_s: float = 1.0,
    ) -> None:
        for name, limit in {**limits_s, "wall": wall_limit_s}.items():
            if not 0.0 < limit < math.inf:
                raise ConfigError(f"the age limit of {name!r} must be positive and finite, got {limit} s")
        self._inputs = {name: _Input(limit) for name, limit in limits_s.items()}
        self._clock = clock
        self._simulated = simulated_time
        self._wall_limit_s = wall_limit_s
        self._future_s = future_s
        self._jump_s = jump_s
        self._now_s: float | None = None  # stamp time of the newest step
        self._steady_s = 0.0  # steady time of the same

    def observe(self, now_s: float) -> str | None:
        """Tell the stamp time of this step [s]; returns a sentence if time has jumped since the last."""
        steady = self._clock.now_s()
        if not math.isfinite(now_s):
            return f"the time of the step is {now_s}"
        text = None
        if self._now_s is not None:
            passed, steadily = now_s - self._now_s, steady - self._steady_s
            ahead = passed - (0.0 if self._simulated else steadily)
            if passed < 0.0 if self._simulated else ahead < -self._jump_s:
                text = f"time jumped back by {-ahead:.3f} s"
            elif ahead > self._jump_s:
                text = f"time jumped ahead by {ahead:.3f} s"
        if text is not None:
            for entry in self._inputs.values():
                if entry.stamp_s is not None:
                    entry.stamp_s, entry.arrival_s = None, steady
        self._now_s, self._steady_s = now_s, steady
        return text

    def receive(self, name: str, stamp_s: float, now_s: float | None = None) -> str | None:
        """Take note of a message of input `name`, unless `rejection` says why it must not be used."""
        text = self.rejection(name, stamp_s, now_s)
        if text is None:
            entry = self._entry(name)
            entry.stamp_s, entry.arrival_s = stamp_s, self._clock.now_s()
        return text

    def rejection(self, name: str, stamp_s: float, now_s: float | None = None) -> str | None:
        """Why a message of input `name` must not be used, or None.

        Refused are stamps that are not finite, ahead of time, older than or equal to the newest
        one taken, or already older than the limit. `now_s` defaults to the time of the last step
        carried on by the steady clock.

        Raises:
            UnknownNameError: no such input; the known ones are listed.
        """
        entry = self._entry(name)
        if not math.isfinite(stamp_s):
            return f"{name} has a stamp that is not finite"
        now = now_s if now_s is not None else self._estimate(self._clock.now_s())
        if now is not None and not stamp_s <= now + self._future_s:
            return f"{name} is stamped {stamp_s - now:.3f} s in the future"
        if entry.stamp_s is not None and stamp_s == entry.stamp_s:
            return f"{name} is a duplicate of stamp {stamp_s:.3f} s"
        if entry.stamp_s is not None and stamp_s < entry.stamp_s:
            return f"{name} is out of order: stamped {entry.stamp_s - stamp_s:.3f} s before the newest"
        if now_s is not None and not now_s - stamp_s <= entry.limit_s + STAMP_ROUNDING_S:
            return f"{name} is {now_s - stamp_s:.3f} s old on arrival, limit {entry.limit_s} s"
        return None

    def gap_s(self, name: str, stamp_s: float) -> float:
        """Stamp time from the newest message taken to `stamp_s`; 0 where there is none to count from."""
        newest_s = self._entry(name).stamp_s
        return 0.0 if newest_s is None else stamp_s - newest_s

    def arrival_s(self, name: str) -> float | None:
        """Steady time at which the newest message arrived, or time jumped after it; None before the first."""
        return self._entry(name).arrival_s

    def stale(self, name: str) -> str | None:
        """Why the input is not fresh at the time last observed, or None if it is."""
        entry = self._entry(name)
        if entry.arrival_s is None:
            return f"{name} has not arrived yet"
        silence = self._clock.now_s() - entry.arrival_s
        wall = self._wall_limit_s if self._simulated else entry.limit_s
        if not silence <= wall:
            return f"{name} has been silent for {silence:.3f} s, limit {wall} s"
        if entry.stamp_s is None:
            return f"{name} has not arrived since time jumped"
        if self._now_s is not None and not self._now_s - entry.stamp_s <= entry.limit_s + STAMP_ROUNDING_S:
            return f"{name} is {self._now_s - entry.stamp_s:.3f} s old, limit {entry.limit_s} s"
        return None

    def awaited(self, name: str) -> bool:
        """Whether the input may still arrive in time after a jump of stamp time."""
        entry = self._entry(name)
        if entry.stamp_s is not None or entry.arrival_s is None:
            return False
        return self._clock.now_s() - entry.arrival_s <= (self._wall_limit_s if self._simulated else entry.limit_s)

    def _estimate(self, steady_s: float) -> float | None:
        if self._now_s is None:
            return None
        # Simulated time may run at any speed: nothing is known of it between steps.
        return math.inf if self._simulated else self._now_s + steady_s - self._steady_s

    def _entry(self, name: str) -> _Input:
        if name not in self._inputs:
            raise UnknownNameError("input", name, self._inputs, "the watchdog")
        return self._inputs[name]
