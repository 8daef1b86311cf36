"""The detector of changes: false alarms as rare as declared, shifts found soon."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from naf_robot.core.drift import LEARNED, ChangeDetector, standard_normal, threshold_of


def run(
    values: np.ndarray, threshold: float, direction: str = "both", smallest: float = 0.0
) -> list[tuple[int, float]]:
    detector, found = ChangeDetector(), []
    for index, value in enumerate(values):
        if (change := detector.take(float(value), float(index), threshold, smallest, direction)) is not None:
            found.append((index, change.since_s))
    return found


def test_thresholds_are_siegmunds():
    assert threshold_of(465, sides=2) == pytest.approx(5.0, abs=0.01)  # tables of Montgomery: ARL 465 at h = 5
    assert threshold_of(1e5) < threshold_of(1e6)


def test_students_t_is_made_normal():
    assert standard_normal(2.228, 10) == pytest.approx(1.96, abs=0.01)
    assert standard_normal(-3.690, 9) == pytest.approx(-2.807, abs=0.02)


def test_false_alarms_are_about_as_rare_as_declared():
    random, threshold = np.random.default_rng(0), threshold_of(300.0)
    lengths = [next((k for k, _ in run(random.normal(5.0, 3.0, 1500), threshold)), 1500) for _ in range(60)]
    assert 180.0 < np.mean(lengths) < 600.0


@pytest.mark.parametrize(("shift", "most"), [(1.0, 40), (3.0, 8)])
def test_a_shift_is_found_soon_and_its_begin_is_named(shift: float, most: int):
    random, threshold = np.random.default_rng(1), threshold_of(1e5)
    delays, begins = [], []
    for _ in range(40):
        values = random.normal(20.0, 0.5, 300)
        values[150:] -= shift * 0.5
        index, since = run(values, threshold)[0]
        delays.append(index - 150)
        begins.append(since - 150)
    assert 0 < np.mean(delays) < most
    assert abs(np.median(begins)) < 5


def test_one_change_is_reported_once():
    values = np.concatenate([np.full(50, 20.0), np.full(500, 15.0)]) + np.random.default_rng(2).normal(0.0, 0.1, 550)
    assert len(run(values, threshold_of(1e5))) == 1


def test_one_outlier_and_values_that_never_vary_are_no_change():
    values = np.full(400, 20.0)
    values[100] = 1e6
    values[200:] += 0.01
    assert run(values, threshold_of(1e5), smallest=0.2) == []


def test_only_the_direction_that_is_asked_for_counts():
    values = np.concatenate([np.zeros(50), np.ones(50)]) + np.random.default_rng(3).normal(0.0, 0.1, 100)
    assert run(values, threshold_of(1e5), "down") == []
    assert len(run(values, threshold_of(1e5), "up")) == 1


@given(st.lists(st.floats(), max_size=60))
def test_any_numbers_are_taken_and_the_state_goes_through_json(values: list[float]):
    detector = ChangeDetector()
    for index, value in enumerate(values):
        detector.take(value, index, 5.0, 0.1, "both", newest=LEARNED)
    again = msgspec.json.decode(msgspec.json.encode(detector), type=ChangeDetector)
    assert again.count == detector.count <= LEARNED
    assert math.isfinite(detector.mean)
