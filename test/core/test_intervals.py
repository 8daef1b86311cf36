"""Confidence intervals against published values, and their coverage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from naf_robot.core.intervals import (
    MeanSequence,
    difference,
    mean_time_between,
    paired_difference,
    poisson_mean,
    proportion,
)


@pytest.mark.parametrize(
    ("count", "lower", "upper"), [(0, 0.0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.39), (100, 81.36, 121.63)]
)
def test_the_interval_of_a_poisson_mean_is_garwoods(count: int, lower: float, upper: float):
    assert poisson_mean(count) == (pytest.approx(lower, rel=1e-3), pytest.approx(upper, rel=1e-3))


def test_large_counts_continue_the_exact_interval():
    exact, near = poisson_mean(500), poisson_mean(501)
    assert near[0] - exact[0] == pytest.approx(1.0 - 1.96 / (2.0 * 500**0.5), abs=0.005)
    assert near[1] - exact[1] == pytest.approx(1.0 + 1.96 / (2.0 * 500**0.5), abs=0.005)


def test_without_a_failure_there_is_a_lower_bound_of_a_third_of_the_exposure():
    assert mean_time_between(0, 300.0).lower == pytest.approx(100.14, abs=0.01)
    assert mean_time_between(0, 300.0).upper is None
    lower, upper = mean_time_between(4, 400.0)
    assert (lower, upper) == (pytest.approx(400.0 / 10.242, rel=1e-3), pytest.approx(400.0 / 1.0899, rel=1e-3))


def test_wilson_and_newcombe_give_the_published_values():
    assert proportion(81, 263) == (pytest.approx(0.2553, abs=1e-4), pytest.approx(0.3662, abs=1e-4))
    assert proportion(0, 20) == (pytest.approx(0.0, abs=1e-12), pytest.approx(0.1611, abs=1e-4))
    assert difference(56, 70, 48, 80) == (pytest.approx(0.0524, abs=1e-4), pytest.approx(0.3339, abs=1e-4))


@given(*[st.integers(0, 40)] * 4)
def test_a_paired_difference_lies_in_its_interval_which_turns_with_the_sides(a: int, b: int, c: int, d: int):
    if (pairs := a + b + c + d) == 0:
        return
    lower, upper = paired_difference(a, b, c, d)
    assert -1.0 - 1e-9 <= lower <= (b - c) / pairs + 1e-9
    assert (b - c) / pairs - 1e-9 <= upper <= 1.0 + 1e-9
    turned = paired_difference(a, c, b, d)
    assert turned == (pytest.approx(-upper, abs=1e-9), pytest.approx(-lower, abs=1e-9))


def test_pairs_cover_as_often_as_they_say():
    random = np.random.default_rng(0)
    shares = np.array([0.55, 0.25, 0.10, 0.10])
    drawn = random.multinomial(60, shares, size=2000)
    covered = [lower <= 0.15 <= upper for lower, upper in (paired_difference(*row) for row in drawn.tolist())]
    assert 0.93 < np.mean(covered) < 0.975


def test_the_sequence_covers_at_all_times_and_becomes_narrow():
    random = np.random.default_rng(1)
    missed, widths = 0, []
    for _ in range(150):
        sequence, missing = MeanSequence(0.9), False
        for value in random.choice([-1.0, 0.0, 1.0], 150, p=[0.1, 0.6, 0.3]):
            sequence.add(value)
            lower, upper = sequence.interval
            missing |= not lower <= 0.2 <= upper
        missed += missing
        widths.append(upper - lower)
    assert missed / 150 <= 0.1 + 2.0 * (0.1 * 0.9 / 150) ** 0.5
    assert np.mean(widths) < 0.45
