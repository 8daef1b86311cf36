"""Trials of a comparison on one robot: same goals for both versions, interrupted ones again, then as before."""

import numpy as np
import pytest
from collecting_robot import Robot, parameters

from naf_robot.collecting.comparing import Comparing
from naf_robot.collecting.phase import STATE_OF, Phase
from naf_robot.core.errors import NafRobotError
from naf_robot.run.comparison import Plan, trial

PLAN = Plan(identity="x", versions=(3, 5), pairs=2, seed=4, robots=("robot_1",))
POLICIES = (parameters(version=3), parameters(version=5))


def comparing_robot() -> Robot:
    robot = Robot()
    robot.collector.offer(parameters(version=9))
    robot.collector.pin(parameters(version=8))
    robot.collector.compare(Comparing(PLAN, POLICIES, "robot_1"))
    return robot


def test_versions_alternate_in_pairs_with_one_goal_and_then_the_robot_goes_on_as_before():
    robot = comparing_robot()
    robot.run_until(lambda: len(robot.ended) == 5)
    trials = [trial(4, "robot_1", number) for number in range(4)]
    assert [episode.trial for episode in robot.ended] == [*trials, None]
    assert [episode.policy_version for episode in robot.ended] == [*((3, 5)[t.side] for t in trials), 8]
    assert all(episode.greedy for episode in robot.ended[:4])
    goals = [episode.goal["target"] for episode in robot.ended]
    np.testing.assert_array_equal(goals[0], goals[1])
    np.testing.assert_array_equal(goals[2], goals[3])
    assert not np.array_equal(goals[1], goals[2])


def test_a_trial_that_is_cut_off_is_run_again_with_its_goal():
    robot = comparing_robot()
    robot.run_until(lambda: len(robot.ended) == 1)
    robot.run_until(lambda: robot.collector.phase is Phase.PREPARING)
    robot.run_until(lambda: robot.collector.phase is Phase.RUNNING)
    robot.collector.hold("fault", "contact")
    robot.run_until(lambda: len(robot.ended) == 2)
    robot.collector.hold("fault", None)
    robot.run_until(lambda: len(robot.ended) == 3)
    assert [episode.trial for episode in robot.ended] == [trial(4, "robot_1", n) for n in (0, 1, 1)]
    np.testing.assert_array_equal(robot.ended[1].goal["target"], robot.ended[2].goal["target"])
    assert robot.collector.comparing is not None
    assert robot.collector.comparing.done == 2


def test_a_comparison_that_ends_lets_the_running_episode_count_for_nothing():
    robot = comparing_robot()
    robot.run_until(lambda: robot.collector.phase is Phase.RUNNING)
    robot.collector.compare(None)
    robot.run_until(lambda: len(robot.ended) == 2)
    assert [episode.trial for episode in robot.ended] == [None, None]
    assert robot.ended[1].policy_version == 8


def test_a_policy_of_another_size_is_refused_and_nothing_changes():
    robot = comparing_robot()
    wrong = parameters(version=5, arrays={"w0": np.zeros((3, 7), np.float32), "b0": np.zeros(7, np.float32)})
    with pytest.raises((NafRobotError, ValueError)):
        robot.collector.compare(Comparing(PLAN, (POLICIES[0], wrong), "robot_1"))
    assert robot.collector.comparing is not None


def test_every_phase_has_a_state_by_which_its_time_is_counted():
    assert set(Phase) - set(STATE_OF) == {Phase.HELD}
