"""Sequential tests of a success rate: measured error rates beside the declared ones, and what a decision costs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from naf_robot.core.config import build
from naf_robot.core.errors import ConfigError
from naf_robot.core.sequential import (
    InSuccession,
    RepeatedTest,
    SequentialConfig,
    SequentialTest,
    described,
    least_successes,
)

TESTS = 1500
RATES = [(0.98, 0.85, 0.1, 0.2), (0.95, 0.7, 0.05, 0.05), (0.6, 0.4, 0.1, 0.1), (0.99, 0.5, 0.01, 0.3)]


def share_passed(config: SequentialConfig, rate: float, seed: int) -> float:
    """Share of tests that pass at a success `rate`; each is run to its end."""
    random = np.random.default_rng(seed)
    passed = 0
    for _ in range(TESTS):
        test = SequentialTest(config)
        while test.passed is None:
            for success in random.random(64) < rate:
                test.add(bool(success))
        passed += test.passed
    return passed / TESTS


@pytest.mark.parametrize("rates", RATES)
def test_measured_error_rates_are_at_most_the_declared_ones(rates: tuple[float, float, float, float]):
    config = SequentialConfig(*rates)
    for limit, wrong in (
        (config.false_pass, share_passed(config, config.unacceptable, 1)),
        (config.false_fail, 1.0 - share_passed(config, config.acceptable, 2)),
    ):
        assert wrong <= limit + 3.0 * (limit * (1.0 - limit) / TESTS) ** 0.5
        assert wrong > limit / 20.0  # the test is not more careful than it was asked to be


def test_rates_that_change_on_their_side_pass_no_more_often():
    config, random = SequentialConfig(), np.random.default_rng(3)
    passed = 0
    for _ in range(TESTS):
        test = SequentialTest(config)
        while test.passed is None:  # a rate that rises to the unacceptable one
            rate = config.unacceptable - 0.1 * 0.9**test.episodes
            test.add(bool(random.random() < rate))
        passed += test.passed
    assert passed / TESTS <= config.false_pass


@given(st.lists(st.booleans(), max_size=200), st.sampled_from(RATES))
@settings(deadline=None)
def test_what_is_decided_stays_and_order_within_a_test_does_not_undo_it(outcomes: list[bool], rates: tuple):
    test = SequentialTest(SequentialConfig(*rates))
    decided: tuple[bool, int] | None = None
    for outcome in outcomes:
        test.add(outcome)
        if decided is not None:
            assert (test.passed, test.episodes) == decided
        elif test.passed is not None:
            decided = (test.passed, test.episodes)
            assert test.passed == outcome  # a success never fails a test, a failure never passes one


def test_the_defaults_pass_with_seventeen_successes_bear_one_failure_and_end_at_a_first_one():
    config = SequentialConfig()
    assert least_successes(config) == 17
    first = SequentialTest(config)
    first.add(False)
    assert first.passed is False
    later = SequentialTest(config)
    for success in [True] * 5 + [False] + [True] * 40:
        later.add(success)
    assert later.passed is True
    assert (later.episodes, later.successes) == (32, 31)


def test_a_failed_test_is_followed_by_a_new_one():
    test = RepeatedTest(SequentialConfig())
    for success in [False, True, True, False, False]:
        test.add(success)
    assert (test.failed, test.passed, test.episodes) == (2 + 1, False, 0)
    for _ in range(17):
        test.add(True)
    assert (test.failed, test.passed, test.episodes, test.successes) == (3, True, 17, 17)


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 20))
@settings(deadline=None)
def test_in_succession_passes_with_so_many_and_fails_at_the_first_failure(outcomes: list[bool], count: int):
    test = InSuccession(count)
    for outcome in outcomes:
        test.add(outcome)
    before = outcomes.index(False) if False in outcomes else len(outcomes)
    assert test.passed == (True if before >= count else False if before < len(outcomes) else None)


def test_an_acceptable_rate_must_be_above_the_unacceptable_one():
    with pytest.raises(ConfigError, match=r"unacceptable=0.9 must be below acceptable=0.9"):
        build(SequentialConfig, {"acceptable": 0.9, "unacceptable": 0.9}, "trainer.sequential")


def test_a_result_is_given_with_its_interval():
    assert described(17, 17) == {"successes": 17, "episodes": 17, "interval": [0.8157, 1.0], "confidence": 0.95}
