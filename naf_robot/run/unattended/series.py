"""Folded numbers: moments, and a course over time of bounded length."""

import math

import msgspec

BUCKETS = 160  # of a course; when they are full, pairs of them are joined and each is twice as long
FIRST_WIDTH_S = 10.0


class Moments(msgspec.Struct):
    """Number, mean, spread and range of values."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    low: float = 0.0
    high: float = 0.0

    def take(self, value: float) -> None:
        """The next value."""
        self.low = min(self.low, value) if self.count else value
        self.high = max(self.high, value) if self.count else value
        self.count += 1
        step = value - self.mean
        self.mean += step / self.count
        self.squares += step * (value - self.mean)

    @property
    def deviation(self) -> float:
        """Standard deviation, 0 before the second value."""
        return math.sqrt(self.squares / (self.count - 1)) if self.count > 1 else 0.0


class Bucket(msgspec.Struct, array_like=True):
    """What came within one stretch of time."""

    count: int = 0
    total: float = 0.0
    low: float = 0.0
    high: float = 0.0

    def take(self, value: float) -> None:
        """The next value."""
        self.low = value if self.count == 0 else min(self.low, value)
        self.high = value if self.count == 0 else max(self.high, value)
        self.count += 1
        self.total += value

    def joined(self, other: "Bucket") -> "Bucket":
        """Both together."""
        if not (self.count and other.count):
            return self if self.count else other
        total = self.total + other.total
        return Bucket(self.count + other.count, total, min(self.low, other.low), max(self.high, other.high))


class Course(msgspec.Struct):
    """Values over the days of a run: buckets from `start_s` (Unix time) on, each `width_s` long."""

    start_s: float = 0.0
    width_s: float = FIRST_WIDTH_S
    buckets: list[Bucket] = msgspec.field(default_factory=list)

    def take(self, value: float, at_s: float) -> None:
        """A value of the time `at_s`; times before the start (a clock that was set back) count as the newest."""
        if not self.buckets:
            self.start_s = at_s
        index = int((at_s - self.start_s) / self.width_s)
        while index >= BUCKETS:
            self._join()
            index = int((at_s - self.start_s) / self.width_s)
        if index < 0:
            index = len(self.buckets) - 1
        while len(self.buckets) <= index:
            self.buckets.append(Bucket())
        self.buckets[index].take(value)

    def points(self) -> list[tuple[float, float, float, float]]:
        """Middle [s, Unix time], mean, lowest and highest value of every stretch that has any."""
        return [
            (self.start_s + (index + 0.5) * self.width_s, bucket.total / bucket.count, bucket.low, bucket.high)
            for index, bucket in enumerate(self.buckets)
            if bucket.count
        ]

    def _join(self) -> None:
        if len(self.buckets) % 2:
            self.buckets.append(Bucket())
        self.buckets = [a.joined(b) for a, b in zip(self.buckets[::2], self.buckets[1::2], strict=True)]
        self.width_s *= 2.0
