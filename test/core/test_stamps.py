"""Stamps are keys: what is sent with one must be found again by it, at any time of day."""

import numpy as np
import pytest

from naf_robot.core.stamps import BILLION, seconds_of_stamp, stamp_of_seconds


@pytest.mark.parametrize("begin_s", [0, 100, 1_795_764_400, 4_000_000_000])
def test_a_time_that_came_from_a_stamp_gives_a_stamp_of_the_same_time(begin_s: int):
    random = np.random.default_rng(begin_s)
    for sec, nanosec in zip(begin_s + random.integers(0, 1000, 5000), random.integers(0, BILLION, 5000), strict=True):
        time_s = seconds_of_stamp(int(sec), int(nanosec))
        assert seconds_of_stamp(*stamp_of_seconds(time_s)) == time_s


@pytest.mark.parametrize(
    ("time_s", "expected"),
    [(0.0, (0, 0)), (1.25, (1, 250_000_000)), (2.9999999999, (3, 0)), (-0.25, (-1, 750_000_000))],
)
def test_the_fraction_of_a_stamp_is_never_a_whole_second(time_s: float, expected: tuple[int, int]):
    assert stamp_of_seconds(time_s) == expected
