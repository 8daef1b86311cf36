"""Detection of a change in a sequence of values whose mean and spread are not known before: a self-starting CUSUM.

Hawkins 1987: each value is compared with the mean and standard deviation of those before it, which gives Student's t,
made standard normal (Wallace 1959); two cumulative sums of what exceeds half a standard deviation grow until a
threshold. The threshold follows from the declared mean number of values between two false alarms (Siegmund 1985).
"""

import math
from typing import Literal, NamedTuple

import msgspec

SLACK = 0.5  # [standard deviations] shifts of twice this are found soonest
LEARNED = 10  # values before the first is compared
FROZEN = 200  # values from which on the reference stays: a slow drift must not become part of it
LARGEST = 1e100  # beyond it, and where it is no number, a value is passed over
CLIP = 4.0  # [standard deviations] of a single value that count: one outlier is no drift

Direction = Literal["up", "down", "both"]


class Change(NamedTuple):
    """A change that was found."""

    before: float  # mean of the reference
    after: float  # mean of the values since
    since_s: float  # time of the first value of the change
    values: int  # since then


class _Sum(msgspec.Struct):
    """One cumulative sum, and what has come since it last was zero."""

    level: float = 0.0
    since_s: float = 0.0
    values: int = 0
    total: float = 0.0
    newest: float = 0.0

    def take(self, excess: float, value: float, at_s: float) -> None:
        if self.level == 0.0:
            self.since_s, self.values, self.total = at_s, 0, 0.0
        self.level = max(0.0, self.level + excess)
        self.values += 1
        self.total += value
        self.newest = value


class ChangeDetector(msgspec.Struct):
    """The detector's state, which JSON can hold; after a change it learns anew and so reports one change once.

    `newest` values at most make the reference of a quantity that is expected to change slowly (learning); 0 freezes it.
    """

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    up: _Sum = msgspec.field(default_factory=_Sum)
    down: _Sum = msgspec.field(default_factory=_Sum)

    def take(
        self, value: float, at_s: float, threshold: float, smallest: float, direction: Direction, newest: int = 0
    ) -> Change | None:
        """The next value, which came at `at_s`; the change that it completes, if any.

        `smallest` is the least standard deviation that is assumed, for values that hardly vary.
        """
        if not abs(value) < LARGEST:  # nor is a NaN
            return None
        if self.count >= LEARNED:
            deviation = max(math.sqrt(self.squares / (self.count - 1)), smallest, 1e-12)
            z = standard_normal((value - self.mean) / (deviation * math.sqrt(1.0 + 1.0 / self.count)), self.count - 1)
            z = min(CLIP, max(-CLIP, z))
            self.up.take(z - SLACK, value, at_s)
            self.down.take(-z - SLACK, value, at_s)
            for name, side in (("up", self.up), ("down", self.down)):
                if direction in (name, "both") and side.level > threshold:
                    change = Change(self._before(side, newest), side.total / side.values, side.since_s, side.values)
                    self.restart()
                    return change
        self._learn(value, newest)
        return None

    def _before(self, side: _Sum, newest: int) -> float:
        """The reference's mean without the values of the change, which it has learned meanwhile if it still learns."""
        learned = side.values - 1
        if newest or self.count >= FROZEN or learned >= self.count:
            return self.mean
        return (self.mean * self.count - (side.total - side.newest)) / (self.count - learned)

    def restart(self) -> None:
        """Forget everything: what follows is not comparable."""
        self.count, self.mean, self.squares, self.up, self.down = 0, 0.0, 0.0, _Sum(), _Sum()

    def _learn(self, value: float, newest: int) -> None:
        if newest and self.count >= newest:
            self.squares *= (newest - 1) / self.count
            self.count = newest - 1
        if self.count >= FROZEN:
            return
        self.count += 1
        step = value - self.mean
        self.mean += step / self.count
        self.squares += step * (value - self.mean)


def standard_normal(t: float, degrees: int) -> float:
    """The standard normal value of the same probability as Student's `t` with `degrees` of freedom (Wallace)."""
    size = math.sqrt(degrees * math.log1p(t * t / degrees)) * (8.0 * degrees + 1.0) / (8.0 * degrees + 3.0)
    return math.copysign(size, t)


def threshold_of(values_between_false_alarms: float, sides: int = 2) -> float:
    """The threshold at which `sides` cumulative sums together raise a false alarm every so many values on average."""
    one_sided = sides * values_between_false_alarms
    low, high = 0.0, 100.0
    for _ in range(60):
        middle = (low + high) / 2.0
        shifted = 2.0 * SLACK * (middle + 1.166)
        low, high = (
            (middle, high) if (math.exp(shifted) - shifted - 1.0) / (2.0 * SLACK**2) < one_sided else (low, middle)
        )
    return (low + high) / 2.0
