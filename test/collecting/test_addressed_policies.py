"""A collector among several: it takes what is for it, of every kind that it knows, and keeps the rest out."""

from dataclasses import replace

import numpy as np
import pytest
from collecting_robot import STEPS, Robot, parameters

from naf_robot.collecting.phase import Phase
from naf_robot.core.errors import NafRobotError, UnknownNameError
from naf_robot.core.records import PolicyParameters, concatenate
from naf_robot.learning.policies.linear_gaussian import LinearGaussianPolicy

OFFSETS = np.linspace(-0.5, 0.5, STEPS)[:, None] * np.ones(7)


def linear_gaussian(version: int = 2, observation_size: int = 20, addressee: str = "") -> PolicyParameters:
    gains = np.zeros((STEPS, 7, observation_size))
    policy = LinearGaussianPolicy.from_covariance(gains, OFFSETS, np.tile(0.01 * np.eye(7), (STEPS, 1, 1)))
    return replace(parameters(version, arrays=policy.arrays()), kind="linear_gaussian", addressee=addressee)


def test_a_time_varying_policy_acts_from_its_first_step_in_every_episode_and_explores_by_its_covariance():
    robot = Robot()
    robot.collector.offer(linear_gaussian())
    robot.run_until(lambda: len(robot.ended) == 3)  # the third is greedy
    steps = concatenate(robot.batches)
    requested = steps.requested_action[steps.has_action].reshape(3, STEPS, 7)
    greedy = steps.greedy[steps.has_action].reshape(3, STEPS)
    assert greedy.all(axis=1).tolist() == [False, False, True]
    np.testing.assert_allclose(requested[2], OFFSETS, atol=1e-6)
    noise = requested[:2] - OFFSETS
    assert noise.std() == pytest.approx(0.1, rel=0.15)
    assert abs(np.corrcoef(noise[:, :-1].ravel(), noise[:, 1:].ravel())[0, 1]) < 0.25  # white, unlike an mlp's
    assert robot.collector.exploration_scale == 1.0


def test_parameters_for_another_robot_are_a_sign_of_the_trainer_and_nothing_more():
    robot = Robot()
    robot.clock.advance(9.0)
    robot.collector.offer(replace(parameters(3, updates=40, transitions=30), addressee="robot_2"))
    assert robot.collector.trainer.age_s == 0.0
    robot.run(50)
    assert robot.collector.phase is Phase.WAITING_FOR_POLICY
    assert robot.collector.newest_version == -1
    robot.collector.offer(replace(parameters(9), kind="unknown", addressee="robot_2"))  # not even looked at


def test_a_robot_acts_with_the_newest_of_its_own_and_those_for_all():
    robot = Robot()
    robot.collector.offer(parameters(1))
    robot.collector.offer(linear_gaussian(2, addressee="robot_1"))
    robot.collector.offer(replace(parameters(3), addressee="robot_2"))
    robot.run_until(lambda: robot.ended)
    assert set(robot.batches[0].policy_version) == {2}
    robot.collector.offer(parameters(4))
    robot.run_until(lambda: robot.collector.policy_version == 4)


def test_unknown_kinds_and_arrays_of_another_kind_are_refused_and_the_last_good_ones_stay():
    robot = Robot()
    robot.collector.offer(parameters(1))
    with pytest.raises(UnknownNameError, match="unknown policy kind 'cnn'; valid: linear_gaussian, mlp"):
        robot.collector.offer(replace(parameters(2), kind="cnn"))
    with pytest.raises(NafRobotError, match="a linear_gaussian policy has the arrays"):
        robot.collector.offer(replace(parameters(2), kind="linear_gaussian"))
    with pytest.raises(NafRobotError, match=r"takes an observation of shape \(19,\)"):
        robot.collector.offer(linear_gaussian(2, observation_size=19))
    robot.run_until(lambda: robot.ended)
    assert set(robot.batches[0].policy_version) == {1}


def test_a_pin_addressed_to_another_robot_is_refused():
    robot = Robot()
    robot.collector.offer(parameters(1))
    with pytest.raises(NafRobotError, match="version 5 is addressed to 'robot_2'"):
        robot.collector.pin(linear_gaussian(5, addressee="robot_2"))
    assert robot.collector.pinned_version is None
    robot.collector.pin(linear_gaussian(5, addressee="robot_1"))
    robot.run_until(lambda: robot.collector.policy_version == 5)
