"""Observation, reward and success of `pick_place`, and which robots can do it."""

import numpy as np
import pytest

from naf_robot.core.errors import ConfigError
from naf_robot.run.config import resolve
from naf_robot.sensing.geometry_poses import signals_of
from naf_robot.tasks.pick_place import FINGERTIPS, GEOMETRIES
from naf_robot.tasks.registry import make_task

WEIGHTS = {"stick_weight": 2.0, "finger_weight": 3.0, "grip_weight": 5.0, "huber_delta": 0.1}


def signals(stick, tip, tool):
    position = np.zeros((len(GEOMETRIES), 3))
    for name, place in {"stick": stick, **dict.fromkeys(FINGERTIPS, tip)}.items():
        position[GEOMETRIES.index(name)] = place
    poses = signals_of(GEOMETRIES, position, np.tile(np.eye(3).ravel(), (len(GEOMETRIES), 1)))
    return poses | {"tool_position": np.array(tool), "joint_position": np.zeros(6)}


def test_it_has_the_papers_sizes():
    task = make_task("pick_place", {}, 6)
    assert task.observation_spec.size == 180 == 12 * len(GEOMETRIES) + 6 + 3 + 3
    assert task.action_spec.size(6) == 9
    assert (task.episode_steps, task.control_period_s) == (300, 0.01)
    drawn = np.array([task.sample_goal(np.random.default_rng(seed))["target"] for seed in range(200)])
    assert np.ptp(drawn, axis=0) == pytest.approx([0.24, 0.24, 0.0], abs=0.01)


def test_the_way_of_the_stick_to_the_target_is_observed():
    task = make_task("pick_place", {}, 6)
    goal = {"target": np.array([0.5, 0.1, 0.6])}
    observed = task.observation(signals([0.4, 0.1, 0.5], [0.0] * 3, [0.0] * 3), goal)
    np.testing.assert_allclose(observed["stick_to_target"], [0.1, 0.0, 0.1], atol=1e-6)
    np.testing.assert_allclose(observed["target"], goal["target"], atol=1e-6)
    assert task.observation_spec.flatten(observed).shape == (180,)


def test_the_reward_by_hand():
    task = make_task("pick_place", {**WEIGHTS, "action_weight": 0.5, "projection_weight": 0.1}, 6)
    goal = {"target": np.array([0.5, 0.0, 0.6])}
    now = signals([0.5, 0.0, 0.4], [0.5, 0.05, 0.4], [0.5, 0.0, 0.1])
    half = np.full(9, 0.5)
    terms = dict(zip(task.reward_names, task.reward_terms(now, goal, half, 2.0 * half), strict=True))
    assert terms == pytest.approx(
        {
            "stick": -2.0 * (0.2 - 0.05),
            "fingers": -3.0 * 3 * 0.05**2 / 0.2,
            "grip": -5.0 * (0.3 - 0.05),
            "action": -0.5 * 9 / 4,
            "projection": -0.1 * 9 / 4,
        }
    )
    assert not task.success(now, goal)
    assert task.success(signals([0.5, 0.04, 0.6], [0.0] * 3, [0.0] * 3), goal)
    assert not task.success_once


def test_an_episode_begins_where_the_stick_hangs_before_the_hand():
    task = make_task("pick_place", {}, 6)
    assert task.ready(signals([0.5, 0.0, 0.4], [0.0] * 3, [0.45, 0.0, 0.4]))
    assert not task.ready(signals([0.5, 0.0, 0.4], [0.0] * 3, [0.3, 0.0, 0.4]))
    assert not task.ready({"tool_position": np.zeros(3)})


def test_a_robot_without_a_gripper_is_one_sentence():
    with pytest.raises(ConfigError, match="the task's actions have 3 numbers for a gripper, and 'robot_1' has none"):
        resolve("pick_place", overrides=[{"profile": "arm7"}])
    with pytest.raises(ConfigError, match=r"has 3 joints: task\.actions needs 1"):
        resolve("pick_place", overrides=[{"task": {"actions": {"kind": "joint_velocity", "gripper": 2}}}])
