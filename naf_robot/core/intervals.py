"""Confidence intervals of counts, proportions and their differences, and one that holds at every instant.

Short formulas, each from its source: Garwood 1936 (Poisson), Wilson 1927 (a proportion), Newcombe 1998 (differences of
independent and of paired proportions, his methods 10 in Statistics in Medicine 17:873 and 17:2635), Waudby-Smith and
Ramdas 2024 (a bounded mean, valid however often it is looked at).
"""

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

CONFIDENCE = 0.95
EXACT_UP_TO = 500  # counts; beyond them the chi-square quantile of Wilson and Hilferty is as good as any
GRID = 401  # values of the mean that the sequence of intervals tries
MAX_BET = 0.5  # share of what a bet may lose


class Interval(NamedTuple):
    """A confidence interval; None is a bound that the data do not give."""

    lower: float | None
    upper: float | None


def poisson_mean(count: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The exact interval for the mean of a Poisson count (Garwood); its lower end is 0 for a count of 0."""
    tail = (1.0 - confidence) / 2.0
    if count > EXACT_UP_TO:
        return _gamma_quantile(count, tail), _gamma_quantile(count + 1, 1.0 - tail)
    lower = 0.0 if count == 0 else _root(lambda mean: 1.0 - _poisson_below(count - 1, mean) - tail, count)
    return lower, _root(lambda mean: tail - _poisson_below(count, mean), count + 1)


def mean_time_between(failures: int, exposure_s: float, confidence: float = CONFIDENCE) -> Interval:
    """The mean time between failures [s] that come at a constant rate (exponential times), `failures` in `exposure_s`.

    Without a failure there is a lower bound alone, one-sided: exposure / -ln(1 - confidence), a third of the exposure
    at 95 %.
    """
    if failures == 0:
        return Interval(exposure_s / -math.log(1.0 - confidence), None)
    fewest, most = poisson_mean(failures, confidence)
    return Interval(exposure_s / most, exposure_s / fewest)


def proportion(successes: int, trials: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval; (0, 1) without a trial."""
    if trials == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1.0 + confidence) / 2.0)
    share, denominator = successes / trials, 1.0 + z * z / trials
    centre = (share + z * z / (2.0 * trials)) / denominator
    half = z * math.sqrt(share * (1.0 - share) / trials + z * z / (4.0 * trials * trials)) / denominator
    return max(0.0, centre - half), min(1.0, centre + half)


def difference(
    successes_a: int, trials_a: int, successes_b: int, trials_b: int, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Newcombe's interval for share a less share b of independent trials."""
    share_a, share_b = successes_a / trials_a, successes_b / trials_b
    wilson_a, wilson_b = proportion(successes_a, trials_a, confidence), proportion(successes_b, trials_b, confidence)
    return _joined(share_a, share_b, wilson_a, wilson_b, 0.0)


def paired_difference(
    both: int, only_a: int, only_b: int, neither: int, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Newcombe's interval for share a less share b, of pairs of which both, one or neither succeeded."""
    pairs = both + only_a + only_b + neither
    of_a, of_b = both + only_a, both + only_b
    scale = math.sqrt(float(of_a) * (pairs - of_a) * of_b * (pairs - of_b))
    product = both * neither - only_a * only_b
    corrected = max(product - pairs / 2.0, 0.0) if product > 0 else float(product)
    correlation = corrected / scale if scale > 0.0 else 0.0
    wilson_a, wilson_b = proportion(of_a, pairs, confidence), proportion(of_b, pairs, confidence)
    return _joined(of_a / pairs, of_b / pairs, wilson_a, wilson_b, correlation)


class MeanSequence:
    """Intervals for the mean of values in [-1, 1] that hold for all numbers of values at once.

    With probability `confidence` not one of them, however many are looked at, misses the mean: so one may stop as
    soon as zero is outside. Each candidate mean is bet against; one that has made the bets win 1 / (1 - confidence) is
    refused (hedged capital of Waudby-Smith and Ramdas, with their predictable plug-in bets).
    """

    def __init__(self, confidence: float = CONFIDENCE) -> None:
        self._alpha = 1.0 - confidence
        self._means = np.linspace(0.0, 1.0, GRID)
        self._above = np.zeros(GRID)  # logarithm of what a bet on a mean above each candidate has come to
        self._below = np.zeros(GRID)
        self._refused = np.zeros(GRID, dtype=bool)
        self._count, self._sum, self._squares = 0, 0.5, 0.25

    def add(self, value: float) -> None:
        """The next value."""
        scaled = (value + 1.0) / 2.0
        time = self._count + 1
        variance = self._squares / time
        bet = math.sqrt(2.0 * math.log(2.0 / self._alpha) / (variance * time * math.log(1.0 + time)))
        with np.errstate(divide="ignore"):
            up, down = np.minimum(bet, MAX_BET / self._means), np.minimum(bet, MAX_BET / (1.0 - self._means))
        self._above += np.log1p(up * (scaled - self._means))
        self._below += np.log1p(-down * (scaled - self._means))
        self._refused |= np.maximum(self._above, self._below) + math.log(0.5) >= -math.log(self._alpha)
        self._count = time
        self._sum += scaled
        self._squares += (scaled - self._sum / (time + 1)) ** 2

    @property
    def interval(self) -> tuple[float, float]:
        """The interval by now, a step of the grid wider on each side."""
        kept = np.flatnonzero(~self._refused)
        if len(kept) == 0:
            return self._mean, self._mean
        step = self._means[1]
        lower, upper = max(0.0, self._means[kept[0]] - step), min(1.0, self._means[kept[-1]] + step)
        return float(2.0 * lower - 1.0), float(2.0 * upper - 1.0)

    @property
    def _mean(self) -> float:
        return 2.0 * (self._sum - 0.5) / max(self._count, 1) - 1.0


def _joined(
    share_a: float, share_b: float, a: tuple[float, float], b: tuple[float, float], correlation: float
) -> tuple[float, float]:
    def half(of_a: float, of_b: float) -> float:
        return math.sqrt(max(of_a * of_a - 2.0 * correlation * of_a * of_b + of_b * of_b, 0.0))

    found = share_a - share_b
    return found - half(share_a - a[0], b[1] - share_b), found + half(a[1] - share_a, share_b - b[0])


def _poisson_below(count: int, mean: float) -> float:
    """P(X <= count)."""
    log_terms = [k * math.log(mean) - mean - math.lgamma(k + 1.0) for k in range(count + 1)]
    return math.fsum(map(math.exp, log_terms))


def _gamma_quantile(shape: float, probability: float) -> float:
    z = NormalDist().inv_cdf(probability)
    return shape * (1.0 - 1.0 / (9.0 * shape) + z / (3.0 * math.sqrt(shape))) ** 3


def _root(rising: Callable[[float], float], near: float) -> float:
    low, high = 1e-12, near + 10.0 * math.sqrt(near) + 10.0
    for _ in range(80):
        middle = (low + high) / 2.0
        low, high = (middle, high) if rising(middle) < 0.0 else (low, middle)
    return (low + high) / 2.0
