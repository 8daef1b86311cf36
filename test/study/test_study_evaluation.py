"""Evaluations of a study: a fixed number of episodes or a sequential test, and how they are counted."""

from collections.abc import Iterable
from itertools import chain, repeat
from typing import Any

import gymnasium
import numpy as np
import pytest
from policies import untrained

from naf_robot.core.sequential import Curtailed
from naf_robot.study.config import StudyOptions
from naf_robot.study.evaluations import evaluation_row, is_good


class Outcomes(gymnasium.Env):
    """Episodes of one step that succeed as they were told beforehand."""

    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)

    def __init__(self, outcomes: Iterable[bool]) -> None:
        self._outcomes = iter(outcomes)

    def reset(self, *, seed: int | None = None, options: Any = None):
        return np.zeros(2, np.float32), {}

    def step(self, action):
        return np.zeros(2, np.float32), 0.0, True, False, {"success": next(self._outcomes)}


def row(outcomes: Iterable[bool], before: int = 0, **options: Any) -> tuple[dict[str, Any], bool]:
    chosen = StudyOptions(**{"evaluation_episodes": 40, "stop_at_success": 0.95} | options)
    found = evaluation_row(Outcomes(outcomes), untrained(2, 1), chosen, 0, (10, 100, 50), before)
    return found, is_good(found, chosen)


@pytest.mark.parametrize(
    ("outcomes", "evaluated", "rate", "passed"),
    [
        (repeat(True), 17, 1.0, True),
        (repeat(False), 1, 0.0, False),
        (chain([True] * 8, [False], repeat(True)), 32, 31 / 32, True),
        (chain([True] * 4, repeat(False)), 6, 4 / 6, False),
    ],
)
def test_a_sequential_evaluation_ends_when_it_is_decided(outcomes, evaluated: int, rate: float, passed: bool):
    found, good = row(outcomes, evaluation_rule="sequential")
    assert (found["evaluated"], found["success_rate"], found["passed"], good) == (evaluated, rate, passed, passed)
    assert found["success_interval"][0] <= rate <= found["success_interval"][1]


def test_a_test_that_stays_open_is_not_passed():
    found, good = row(chain([True] * 9, [False], repeat(True)), evaluation_rule="sequential", evaluation_episodes=20)
    assert (found["evaluated"], found["passed"], good) == (20, None, False)


def test_training_goes_on_after_a_passed_test_where_nothing_shall_stop_it():
    found, good = row(repeat(True), evaluation_rule="sequential", stop_at_success=2.0, confirmation_episodes=5)
    assert (found["passed"], found["confirmed_success_rate"], good) == (True, None, False)


def test_a_fixed_number_is_run_whole_and_counted_with_those_that_confirm_it():
    found, good = row(repeat(True), before=7, confirmation_episodes=100)
    assert (found["evaluated"], found["evaluation_episodes"], found["passed"]) == (40, 7 + 40 + 100, None)
    assert (found["confirmed_success_rate"], found["episodes"], good) == (1.0, 10, True)


def test_a_confirmation_ends_when_it_cannot_be_reached_any_more():
    found, good = row(chain([True] * 40, [False] * 6, repeat(True)), confirmation_episodes=100)
    assert (found["confirmed_success_rate"], found["evaluation_episodes"], good) == (0.0, 46, False)
    found, good = row(chain([True] * 40, [False] * 5, repeat(True)), confirmation_episodes=100)
    assert (found["confirmed_success_rate"], found["evaluation_episodes"], good) == (0.95, 140, True)


@pytest.mark.parametrize("failures", range(12))
def test_curtailing_decides_as_the_whole_number_would(failures: int):
    random = np.random.default_rng(failures)
    outcomes = random.permutation([False] * failures + [True] * (20 - failures)).tolist()
    test = Curtailed(20, 15)
    for outcome in outcomes:
        test.add(outcome)
    assert test.passed == (20 - failures >= 15)
    assert test.episodes == 20 or not test.passed
