import numpy as np
import pytest
from collecting_robot import ROBOT, STEPS, Robot, parameters
from policies import untrained

from naf_robot.collecting.collector import Phase
from naf_robot.core.errors import NafRobotError


def test_nothing_moves_before_parameters_come():
    robot = Robot()
    robot.run(20)
    assert robot.collector.phase is Phase.WAITING_FOR_POLICY
    np.testing.assert_array_equal(robot.position, ROBOT.arm.home)


def test_goes_home_by_motion_first():
    robot = Robot(scale=1.0, offset=0.4)
    robot.collector.offer(parameters())
    robot.run(1)
    assert robot.collector.phase is Phase.HOMING
    assert np.abs(robot.velocity).max() <= 1.0
    robot.run_until(lambda: robot.collector.phase is Phase.RUNNING)
    assert np.abs(robot.position - ROBOT.arm.home).max() < 0.1


def test_one_episode_gives_its_transitions_with_the_executed_action():
    robot = Robot(scale=0.5)
    robot.collector.offer(parameters())
    robot.run_until(lambda: robot.ended)
    rows = np.concatenate([b.step for b in robot.batches])
    assert rows.tolist() == list(range(STEPS))
    assert [len(b) for b in robot.batches] == [5, 5, 2]
    for batch in robot.batches:
        requested = np.array([robot.requests[round(s, 6)] for s in batch.stamp_s])
        np.testing.assert_allclose(batch.requested_action, requested, atol=1e-6)
        np.testing.assert_allclose(batch.action, 0.5 * requested, atol=1e-6)
        np.testing.assert_allclose(batch.reward, batch.reward_terms.sum(axis=1), rtol=1e-5)
        np.testing.assert_array_equal(batch.observation[1:], batch.next_observation[:-1])
        assert not batch.terminated.any()
    truncated = np.concatenate([b.truncated for b in robot.batches])
    assert truncated.tolist() == [False] * (STEPS - 1) + [True]


def test_a_step_without_feedback_is_discarded_and_counted():
    robot = Robot()
    robot.collector.offer(parameters())
    robot.run_until(lambda: robot.collector.phase is Phase.RUNNING)
    robot.run(3, feedback=False)
    assert robot.collector.awaits_executed()
    robot.run_until(lambda: robot.ended)
    episode = robot.ended[0]
    assert episode.steps == STEPS
    assert episode.discarded == 3
    assert sum(len(b) for b in robot.batches) == STEPS - 3


def test_waits_at_home_while_the_trainer_is_behind():
    robot = Robot()
    robot.collector.offer(parameters(updates=0, transitions=102))
    robot.run(5)
    assert robot.collector.phase is Phase.WAITING_FOR_TRAINER
    robot.collector.progress(updates=1, transitions=102)
    robot.run(2)
    assert robot.collector.phase is Phase.RUNNING


def test_holds_still_when_the_trainer_is_silent_for_too_long_and_goes_on_when_it_returns():
    robot = Robot()
    robot.collector.offer(parameters())
    robot.run_until(lambda: robot.ended)
    robot.clock.advance(10.1)
    robot.run_until(lambda: robot.collector.phase is Phase.POLICY_TOO_OLD)
    robot.run(50)
    assert len(robot.ended) == 1
    assert not robot.velocity.any()
    robot.collector.progress(1, 1)
    robot.run_until(lambda: len(robot.ended) == 2)


@pytest.mark.parametrize(("name", "phase"), [("paused", Phase.PAUSED), ("outbox_full", Phase.OUTBOX_FULL)])
def test_pause_and_full_outbox_let_the_episode_finish_and_then_hold(name: str, phase: Phase):
    robot = Robot()
    robot.collector.offer(parameters())
    robot.run_until(lambda: robot.collector.phase is Phase.RUNNING)
    setattr(robot.collector, name, True)
    robot.run_until(lambda: robot.collector.phase is phase)
    assert len(robot.ended) == 1


def test_abort_keeps_what_was_executed_and_truncates():
    robot = Robot()
    robot.collector.offer(parameters())
    robot.run_until(lambda: robot.collector.phase is Phase.RUNNING)
    robot.run(3)
    tick = robot.collector.abort("shutdown")
    assert not tick.desired_velocity.any()
    assert tick.batch is not None
    assert tick.batch.truncated.tolist() == [False] * (len(tick.batch) - 1) + [True]
    assert robot.collector.abort("shutdown").batch is None


def test_parameters_of_another_shape_are_refused_and_the_last_good_ones_stay():
    robot = Robot()
    robot.collector.offer(parameters(version=1))
    with pytest.raises(NafRobotError, match=r"observation of shape \(19,\)"):
        robot.collector.offer(parameters(2, arrays=untrained(19, 7).arrays()))
    robot.run_until(lambda: robot.ended)
    assert set(robot.batches[0].policy_version) == {1}


def test_a_fault_or_a_silent_sensor_ends_the_episode_with_its_reason_and_holds_until_it_is_gone():
    robot = Robot()
    robot.collector.offer(parameters())
    robot.run_until(lambda: robot.collector.phase is Phase.RUNNING)
    robot.run(3)
    robot.collector.hold("fault", "contact: joint_4")
    robot.collector.hold("door", "door angle is stale")
    robot.run(10)
    assert [e.end_reason for e in robot.ended] == ["contact: joint_4; door angle is stale"]
    assert robot.batches[-1].truncated[-1]
    assert robot.collector.phase is Phase.HELD
    assert not robot.velocity.any()
    robot.collector.hold("fault", None)
    robot.run(5)
    assert robot.collector.phase is Phase.HELD
    robot.collector.hold("door", None)
    robot.run_until(lambda: len(robot.ended) == 2)


def test_a_gap_in_the_control_loop_ends_the_episode_without_that_transition():
    robot = Robot()
    robot.collector.offer(parameters())
    robot.run_until(lambda: robot.collector.phase is Phase.RUNNING)
    robot.run(3)
    robot.time_s += 0.5
    robot.run(1)
    assert robot.ended[0].end_reason == "0.55 s passed between two control steps, allowed 0.2 s"
    assert [len(b) for b in robot.batches] == [3]
    assert robot.batches[0].truncated.tolist() == [False, False, True]


def test_every_transition_is_recorded_at_its_tick_until_its_batch_comes():
    robot = Robot()
    recorded = []
    original = robot.collector.tick

    def tick(now_s, signals):
        result = original(now_s, signals)
        if result.batch is not None:
            recorded.clear()
        elif result.recorded is not None:
            recorded.append(int(result.recorded.step[0]))
        seen.append(list(recorded))
        return result

    seen: list[list[int]] = []
    robot.collector.tick = tick
    robot.collector.offer(parameters())
    robot.run_until(lambda: robot.ended)
    assert [0, 1, 2, 3] in seen
    assert [5, 6, 7, 8] in seen


def test_a_restarted_trainer_with_fewer_updates_is_waited_for():
    robot = Robot()
    robot.collector.offer(parameters(updates=500, transitions=400))
    robot.collector.progress(updates=100, transitions=400)
    robot.run(5)
    assert robot.collector.phase is Phase.WAITING_FOR_TRAINER
