"""Which policy acts in which episode: newer ones, greedy ones, candidates under evaluation, pinned ones."""

import numpy as np
import pytest
from collecting_robot import CONFIG, POLICY, Robot, parameters

from naf_robot.collecting.phase import Phase
from naf_robot.core.sequential import InSuccession, SequentialConfig, SequentialTest


def test_parameters_change_between_episodes_only_and_never_go_back():
    robot = Robot()
    robot.collector.offer(parameters(version=5))
    robot.run_until(lambda: robot.collector.phase is Phase.RUNNING)
    robot.collector.offer(parameters(version=7))
    robot.collector.offer(parameters(version=6))
    robot.run_until(lambda: len(robot.ended) == 2)
    versions = [b.policy_version.tolist() for b in robot.batches]
    assert {v for b in versions[:3] for v in b} == {5}
    assert {v for b in versions[3:] for v in b} == {7}


def test_every_third_episode_is_greedy_without_noise():
    robot = Robot()
    robot.collector.offer(parameters())
    robot.run_until(lambda: len(robot.ended) == 6)
    assert [e.greedy for e in robot.ended] == [False, False, True, False, False, True]
    greedy = next(b for b in robot.batches if b.greedy.any())
    expected = [POLICY.action(o) for o in greedy.vectors(CONFIG.make_task().observation_spec)[greedy.has_action]]
    np.testing.assert_allclose(greedy.requested_action[greedy.has_action], expected, atol=1e-6)


def test_after_a_greedy_success_the_next_episode_is_greedy_too(monkeypatch: pytest.MonkeyPatch):
    robot = Robot()
    monkeypatch.setattr(type(robot.collector._task), "success", lambda *_: True)
    robot.collector.offer(parameters())
    robot.run_until(lambda: len(robot.ended) == 5)
    assert [e.greedy for e in robot.ended] == [False, False, True, True, True]


def versions_of(robot: Robot, episodes: int) -> list[int]:
    """Run so many episodes, a newer policy being offered in each; the versions that acted."""
    while len(robot.ended) < episodes:
        robot.collector.offer(parameters(version=len(robot.ended) + 1))
        begun = len(robot.ended)
        robot.run_until(lambda: len(robot.ended) > begun)  # noqa: B023  used up at once
    return [episode.policy_version for episode in robot.ended]


def test_a_policy_on_trial_stays_until_it_fails(monkeypatch: pytest.MonkeyPatch):
    robot = Robot()
    robot.collector._policies.new_test = lambda: InSuccession(20)
    succeeds = [True]
    monkeypatch.setattr(type(robot.collector._task), "success", lambda *_: succeeds[0])
    assert versions_of(robot, 5) == [1, 2, 3, 3, 3]  # the third is the first greedy one
    succeeds[0] = False
    assert versions_of(robot, 7) == [1, 2, 3, 3, 3, 3, 7]
    assert [episode.greedy for episode in robot.ended][5:] == [True, False]


def test_a_trial_ends_when_the_evaluation_window_is_full(monkeypatch: pytest.MonkeyPatch):
    robot = Robot()
    robot.collector._policies.new_test = lambda: InSuccession(4)
    monkeypatch.setattr(type(robot.collector._task), "success", lambda *_: True)
    assert versions_of(robot, 8) == [1, 2, 3, 3, 3, 3, 7, 7]


def test_a_sequential_test_keeps_a_policy_on_trial_that_has_failed_once(monkeypatch: pytest.MonkeyPatch):
    robot = Robot()
    bears_one = SequentialConfig(acceptable=0.9, unacceptable=0.5, false_fail=0.1)
    robot.collector._policies.new_test = lambda: SequentialTest(bears_one)
    outcomes = {2: True, 3: False, 4: True}
    monkeypatch.setattr(type(robot.collector._task), "success", lambda *_: outcomes.get(len(robot.ended), False))
    assert versions_of(robot, 8) == [1, 2, 3, 3, 3, 3, 3, 8]
    assert [episode.greedy for episode in robot.ended][2:] == [True, True, True, True, True, False]


def test_a_pin_and_its_release_end_a_trial(monkeypatch: pytest.MonkeyPatch):
    robot = Robot()
    monkeypatch.setattr(type(robot.collector._task), "success", lambda *_: True)
    assert versions_of(robot, 4) == [1, 2, 3, 3]
    robot.collector.pin(parameters(version=2))
    assert versions_of(robot, 6)[4:] == [2, 2]
    robot.collector.pin(None)
    assert versions_of(robot, 7)[6:] == [7]


def test_noise_follows_the_success_of_exploring_episodes_alone(monkeypatch: pytest.MonkeyPatch):
    robot = Robot()
    robot.collector.offer(parameters())
    robot.run_until(lambda: len(robot.ended) == 1)
    assert robot.collector.exploration_scale == 0.3  # it failed
    monkeypatch.setattr("naf_robot.tasks.reach.Reach.success", lambda *arguments: True)
    robot.run_until(lambda: len(robot.ended) == 2)
    half = robot.collector.exploration_scale
    assert 0.1 < half < 0.3
    robot.run_until(lambda: len(robot.ended) == 3)
    assert robot.ended[2].greedy
    assert robot.collector.exploration_scale == half


def test_a_pinned_robot_acts_with_its_version_until_released():
    robot = Robot()
    robot.collector.offer(parameters(version=5))
    robot.collector.pin(parameters(version=2))
    robot.run_until(lambda: len(robot.ended) == 1)
    robot.collector.offer(parameters(version=6))
    robot.run_until(lambda: len(robot.ended) == 2)
    robot.collector.pin(None)
    robot.run_until(lambda: len(robot.ended) == 3)
    assert [e.policy_version for e in robot.ended] == [2, 2, 6]
