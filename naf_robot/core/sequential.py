"""Tests of a success probability that stop as soon as the answer is clear: Wald's sequential probability ratio.

Two rates are declared, and how often each may be mistaken for the other. With log-likelihood ratio L of `acceptable`
against `unacceptable` after each episode (Wald 1945, Ann. Math. Stat. 16:117), a test passes at L >= ln(1 / false_pass)
and fails at L <= -ln(1 / false_fail). By Ville's inequality neither error is more frequent than declared, however often
one looks, and also where the rate changes from episode to episode but stays on its side.
"""

import math
from typing import Annotated, Literal, Protocol

import msgspec

from naf_robot.core.config import Config
from naf_robot.core.intervals import CONFIDENCE, proportion

EvaluationRule = Literal["sequential", "window"]
Rate = Annotated[float, msgspec.Meta(gt=0.0, lt=1.0)]


class SequentialConfig(Config, frozen=True):
    """What a sequential test tells apart, and how often it may be wrong."""

    acceptable: Rate = 0.98  # success rate of a policy that should pass
    unacceptable: Rate = 0.85  # success rate of a policy that should not
    false_pass: Rate = 0.1  # highest probability that a policy of unacceptable rate passes a test
    false_fail: Rate = 0.2  # highest probability that a policy of acceptable rate fails a test

    def __post_init__(self) -> None:
        """Check the relation between the rates."""
        if not self.unacceptable < self.acceptable:
            raise ValueError(f"unacceptable={self.unacceptable} must be below acceptable={self.acceptable}")


class SuccessTest(Protocol):
    """Judges a policy by its episodes, one after the other."""

    episodes: int
    successes: int

    @property
    def passed(self) -> bool | None:
        """Whether it has passed or failed; None while that is open."""
        ...

    def add(self, success: bool) -> None:
        """The next episode; what was decided stays."""
        ...


class _CountingTest:
    """Counts episodes until `_verdict` says what they come to; implements `SuccessTest`."""

    def __init__(self) -> None:
        self.episodes = self.successes = 0
        self.passed: bool | None = None

    def add(self, success: bool) -> None:
        """The next episode; what was decided stays."""
        if self.passed is not None:
            return
        self.episodes += 1
        self.successes += success
        self.passed = self._verdict()

    def _verdict(self) -> bool | None:
        raise NotImplementedError


class SequentialTest(_CountingTest):
    """Wald's test of `config`."""

    def __init__(self, config: SequentialConfig) -> None:
        super().__init__()
        self._gain = math.log(config.acceptable / config.unacceptable)
        self._loss = math.log((1.0 - config.acceptable) / (1.0 - config.unacceptable))
        self._pass, self._fail = math.log(1.0 / config.false_pass), -math.log(1.0 / config.false_fail)

    def _verdict(self) -> bool | None:
        ratio = self.successes * self._gain + (self.episodes - self.successes) * self._loss
        if ratio >= self._pass:
            return True
        return False if ratio <= self._fail else None


class InSuccession(_CountingTest):
    """Passes with `count` successes in succession and fails with the first failure."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._count = count

    def _verdict(self) -> bool | None:
        if self.successes < self.episodes:
            return False
        return True if self.successes >= self._count else None


class Curtailed(_CountingTest):
    """Passes with at least `least` successes of `count` episodes; fails as soon as that cannot be."""

    def __init__(self, count: int, least: float) -> None:
        super().__init__()
        self._count, self._least = count, least

    def _verdict(self) -> bool | None:
        if self.successes + self._count - self.episodes < self._least:
            return False
        return True if self.episodes == self._count else None


class RepeatedTest:
    """Tests one after the other, each anew after a failed one, until one passes; declared rates are of each test."""

    def __init__(self, config: SequentialConfig) -> None:
        self._config = config
        self._current = SequentialTest(config)
        self.failed = 0  # tests

    @property
    def passed(self) -> bool:
        """Whether a test has passed."""
        return self._current.passed is True

    @property
    def episodes(self) -> int:
        """Episodes of the test that passed or is under way."""
        return self._current.episodes

    @property
    def successes(self) -> int:
        """Successes among them."""
        return self._current.successes

    def add(self, success: bool) -> None:
        """The next episode, of whatever policy is tested now."""
        self._current.add(success)
        if self._current.passed is False:
            self.failed += 1
            self._current = SequentialTest(self._config)


def new_test(rule: EvaluationRule, config: SequentialConfig, window: int) -> SuccessTest:
    """The test of one policy that belongs to a rule; that of `window` asks for so many successes in succession."""
    return SequentialTest(config) if rule == "sequential" else InSuccession(window)


def least_successes(config: SequentialConfig) -> int:
    """Successes in succession with which a test passes."""
    test = SequentialTest(config)
    while test.passed is None:
        test.add(True)
    return test.episodes


def described(successes: int, episodes: int, confidence: float = CONFIDENCE) -> dict[str, object]:
    """Successes of so many episodes with Wilson's interval, as JSON can hold it."""
    return {
        "successes": successes,
        "episodes": episodes,
        "interval": interval(successes, episodes, confidence),
        "confidence": confidence,
    }


def interval(successes: int, episodes: int, confidence: float = CONFIDENCE) -> list[float]:
    """Wilson's interval of a success rate, rounded for people."""
    return [round(bound, 4) for bound in proportion(successes, episodes, confidence)]
