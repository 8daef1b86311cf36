"""Continuous joints are observed by sine and cosine, whatever the task."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from naf_robot.sensing.registry import JOINT_STATES, make_sensor
from naf_robot.sensing.signals import OF_ARM, for_continuous_joints, observe, with_kinematics
from naf_robot.tasks.registry import TASKS, make_task

MASKS = [(True, False, True, False), (False,) * 4, (True,) * 4]


def kinematics(continuous):
    """What `with_kinematics` asks of a model."""
    return SimpleNamespace(continuous=np.array(continuous), tool_position=lambda position: np.zeros(3))


@pytest.mark.parametrize("name", sorted(TASKS))
@pytest.mark.parametrize("continuous", MASKS)
def test_every_task_is_observed_with_turning_joints(name, continuous):
    """The arrays replace `joint_position` where it stood: one number more for each continuous joint."""
    plain, turning = make_task(name, {}, 4), make_task(name, {}, 4, continuous)
    assert turning.observation_spec.size == plain.observation_spec.size + sum(continuous)
    names = [array.name for array in turning.observation_spec.arrays]
    assert ("joint_position" in names) == (not any(continuous))
    assert (names[0] == "bounded_joint_position") == (0 < sum(continuous) < 4)
    assert (turning.observation_spec.hash == plain.observation_spec.hash) == (not any(continuous))


@pytest.mark.parametrize("continuous", MASKS[:1] + MASKS[2:])
@given(position=st.lists(st.floats(-3.0, 3.0), min_size=4, max_size=4), turns=st.integers(-3, 3))
def test_whole_turns_are_not_seen(continuous, position, turns):
    """A posture and the same after whole turns of its continuous joints give one observation."""
    spec = for_continuous_joints(make_task("reach", {}, 4).observation_spec, continuous)
    goal = {"target": np.zeros(3)}
    seen = []
    for added in (0, turns):
        moved = np.array(position) + 2.0 * np.pi * added * np.array(continuous)
        signals = {"joint_position": moved, "joint_velocity": np.zeros(4)}
        seen.append(spec.flatten(observe(spec, with_kinematics(signals, kinematics(continuous)), goal)))
    np.testing.assert_allclose(seen[0], seen[1], atol=1e-5)


def test_an_arm_with_bounded_joints_is_observed_as_before():
    signals = {"joint_position": np.arange(4.0), "joint_velocity": np.zeros(4)}
    assert set(with_kinematics(signals, kinematics((False,) * 4))) == {*signals, "tool_position"}


def test_what_the_arm_says_is_what_its_joints_and_kinematics_give():
    joints = ("a", "b", "c", "d")
    sensor = make_sensor(JOINT_STATES, joints, {})
    signals = {spec.name: np.zeros(spec.shape) for spec in (*sensor.specs, *sensor.optional)}
    assert set(with_kinematics(signals, kinematics((True, False, True, False)))) == set(OF_ARM)
