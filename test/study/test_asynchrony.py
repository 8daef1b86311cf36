"""Robots in lockstep with a trainer: rates, policies at episode starts alone, their age, and the history of latency."""

from pathlib import Path
from typing import Any

import gymnasium
import msgspec
import numpy as np
import pytest
import torch

from naf_robot.core.errors import UnknownNameError
from naf_robot.learning.naf.config import NafConfig
from naf_robot.study.asynchrony.cell import train_cell
from naf_robot.study.asynchrony.history import History
from naf_robot.study.asynchrony.loop import BLOCK, LockedStudy
from naf_robot.study.asynchrony.variants import VARIANTS, Protocol, Variant, cells
from naf_robot.study.config import StudyOptions
from naf_robot.study.grid.worker import Workplace

STEPS = 10
OPTIONS = StudyOptions(learning_starts=20, replay_capacity=1000)


class Walk(gymnasium.Env):
    """Observes the number of the step and the last action."""

    observation_space = gymnasium.spaces.Box(-100.0, 100.0, (2,), np.float32)
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None):
        self._step = 0
        return np.array([0.0, 0.5], np.float32), {}

    def step(self, action):
        self._step += 1
        return np.array([self._step, action[0]], np.float32), 1.0, False, self._step >= STEPS, {"success": False}


def locked(robots: int, seed: int = 0, **variant: Any) -> LockedStudy:
    torch.set_num_threads(1)
    config = NafConfig(hidden=(8, 8), batch_size=8)
    return LockedStudy([Walk() for _ in range(robots)], "naf", config, OPTIONS, Variant(**variant), seed)


@pytest.mark.parametrize(("robots", "rate"), [(1, 5.0), (3, 5.0), (4, 0.75)])
def test_the_trainer_makes_so_many_updates_while_each_robot_makes_one_step(robots: int, rate: float):
    study = locked(robots, updates_per_period=rate)
    for _ in range(100):
        study.period()
    before = -(-OPTIONS.learning_starts // robots) - 1  # periods without enough transitions
    assert (study.env_steps, study.periods, study.episodes) == (100 * robots, 100, 10 * robots)
    due = rate * (100 - before)
    assert due - BLOCK <= study.updates <= due
    study.current_policy()
    assert study.updates == int(due)


def test_policies_are_loaded_at_the_start_of_an_episode_alone_and_are_the_newest():
    study = locked(2)
    for _ in range(4 * STEPS + 1):
        study.period()
    assert len(study.loaded_ages) == 2 * 5
    assert set(study.loaded_ages) == {0}


def test_an_age_is_the_least_that_a_policy_has_when_it_is_loaded():
    study = locked(1, policy_age=150, updates_per_period=10.0)
    for _ in range(20 * STEPS):
        study.period()
    ages = study.loaded_ages
    old = [age for age in ages if age >= 150]
    assert ages[0] == 0
    assert len(old) >= len(ages) - 4
    assert max(ages) <= 150 + 100 + BLOCK + 10 * STEPS  # the next one that is kept, and what was due


def test_it_repeats_exactly():
    one, other, third = locked(2), locked(2), locked(2, seed=1)
    for _ in range(60):
        for study in (one, other, third):
            study.period()
    same, different = one.current_policy().arrays, third.current_policy().arrays
    for name, array in other.current_policy().arrays.items():
        np.testing.assert_array_equal(array, same[name])
    assert any((different[name] != array).any() for name, array in same.items())


def test_a_history_is_the_newest_observations_and_actions_in_their_order():
    environment = History(Walk(), 2)
    observation, _ = environment.reset()
    np.testing.assert_array_equal(observation, [0, 0.5, 0, 0.5, 0, 0.5, 0, 0])
    assert observation in environment.observation_space
    for action in (0.1, 0.2, 0.3):
        observation, *_ = environment.step(np.array([action]))
    np.testing.assert_allclose(observation, [3, 0.3, 2, 0.2, 1, 0.1, 0.3, 0.2], atol=1e-6)
    observation, _ = environment.reset()
    np.testing.assert_array_equal(observation, [0, 0.5, 0, 0.5, 0, 0.5, 0, 0])  # nothing of the episode before


def test_a_cell_has_success_over_updates_and_robot_time(tmp_path: Path):
    short = Protocol(
        updates=60,
        evaluate_every=30,
        evaluation_episodes=1,
        settings=("task.episode_steps=10", "trainer.learning_starts=20", "algorithm.batch_size=8"),
    )
    (cell,) = cells(short, ["reach"], [2], ["latency_1_history"], [0])
    row = train_cell(cell, Workplace(tmp_path))
    assert [point["updates"] for point in row["curve"]] == sorted(point["updates"] for point in row["curve"])
    assert row["curve"][-1]["updates"] == row["updates"] >= 60
    assert row["curve"][-1]["robot_s"] == pytest.approx(0.05 * row["env_steps"] / 2)
    assert (row["updates_to_95"], row["mean_policy_age"]) == (None, 0.0)


def test_every_variant_makes_its_cells_and_an_unknown_one_is_said():
    made = cells(Protocol(), ["door_push"], [1, 8], VARIANTS, [0, 1])
    assert len({cell.name for cell in made}) == len(made) == 2 * 2 * len(VARIANTS)
    late = next(cell for cell in made if cell.labels["variant"] == "latency_3")
    assert late.settings["study"]["run"]["simulator"]["imperfections"]["sensor_delay_periods"] == 3
    assert late.settings["variant"] == msgspec.to_builtins(Variant(latency_periods=3))
    with pytest.raises(UnknownNameError, match="unknown variant 'latency_9'; valid: age_2000"):
        cells(Protocol(), ["reach"], [1], ["latency_9"], [0])
