import shutil
import tempfile
from pathlib import Path

import msgspec
import numpy as np
import pytest
from collecting_robot import CONFIG, FULL, MODEL, ROBOT, STEPS, Robot, parameters
from policies import untrained

from naf_robot.collecting.collector import Collector
from naf_robot.collecting.phase import Phase
from naf_robot.collecting.upload import Uploader
from naf_robot.core.errors import NafRobotError
from naf_robot.core.records import concatenate
from naf_robot.experience.codec import decode_experience
from naf_robot.experience.contract import Contract
from naf_robot.experience.outbox import Outbox
from naf_robot.run.config import from_values
from naf_robot.tasks import task


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
    assert [len(b) for b in robot.batches] == [5, 5, 3]
    steps = concatenate(robot.batches)
    steps.validate(robot.collector._steps)
    assert steps.step.tolist() == list(range(STEPS + 1))
    requested = np.array([robot.requests[round(s, 6)] for s in steps.stamp_s[:-1]])
    np.testing.assert_allclose(steps.requested_action[:-1], requested, atol=1e-6)
    np.testing.assert_allclose(steps.action[:-1], 0.5 * requested, atol=1e-6)
    np.testing.assert_allclose(steps.reward, steps.reward_terms.sum(axis=1), rtol=1e-5)
    assert not steps.terminated.any()
    assert steps.truncated.tolist() == steps.closing.tolist() == [False] * STEPS + [True]
    assert steps.has_action.tolist() == [True] * STEPS + [False]


def test_what_was_executed_beyond_the_action_box_is_recorded_as_it_was():
    robot = Robot(scale=1.5)
    robot.collector.offer(parameters())
    robot.run_until(lambda: robot.ended)
    steps = concatenate(robot.batches)
    assert np.abs(steps.action).max() > 1.0
    np.testing.assert_allclose(steps.action, 1.5 * steps.requested_action, atol=1e-6)


def test_the_world_is_observed_once_per_tick(monkeypatch: pytest.MonkeyPatch):
    calls = []
    original = task.observe
    monkeypatch.setattr(task, "observe", lambda *arguments: calls.append(1) or original(*arguments))
    robot = Robot()
    robot.collector.offer(parameters())
    robot.run_until(lambda: robot.ended)
    assert len(calls) == STEPS + 1


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
    steps = concatenate(robot.batches)
    steps.validate(robot.collector._steps)
    assert (len(steps), steps.transitions) == (STEPS + 1, STEPS - 3)
    assert not steps.action[~steps.has_action].any()


def test_waits_at_home_while_the_trainer_is_behind():
    robot = Robot()
    robot.collector.offer(parameters(updates=0, transitions=102))
    robot.run(5)
    assert robot.collector.phase is Phase.WAITING_FOR_TRAINER
    robot.collector.trainer.heard(updates=1, transitions=102)
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
    robot.collector.trainer.heard(1, 1)
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
    assert [b.transitions for b in robot.batches] == [3]
    assert robot.batches[0].truncated.tolist() == [False, False, False, True]


def test_every_tick_is_journalled_until_its_batch_comes(tmp_path: Path):
    """After each tick a replacement would find everything that was complete by then."""
    robot = Robot()
    contract = Contract("reach", robot.collector._steps)
    outbox = Outbox(tmp_path / "outbox.sqlite", "robot_1", contract, 10**9)
    uploader = Uploader(outbox, robot.clock, 1.0, 1.0)
    original = robot.collector.tick
    complete: list[int] = []

    def tick(now_s, signals):
        result = original(now_s, signals)
        if result.batch is not None:
            uploader.add(result.batch, result.recorded() if result.recorded is not None else None)
        elif result.recorded is not None:
            uploader.note(result.recorded())
        if result.recorded is not None:
            shutil.copytree(tmp_path, copies / str(len(complete)))
            complete.append(robot.collector._episode.steps)
        return result

    with tempfile.TemporaryDirectory() as folder:
        copies = Path(folder)
        robot.collector.tick = tick
        robot.collector.offer(parameters())
        robot.run_until(lambda: robot.ended)
        assert complete == list(range(STEPS))
        whole = concatenate(robot.batches)
        for index, steps in enumerate(complete):
            successor = Outbox(copies / str(index) / "outbox.sqlite", "robot_1", contract, 10**9)
            messages = [decode_experience(successor.payload(n), contract, 10**9) for n in successor.waiting()]
            successor.close()
            if steps == 0:
                assert messages == []
                continue
            found = concatenate([message.batch for message in messages])
            found.validate(contract.steps)
            assert (found.transitions, len(found)) == (steps, steps + 1)
            np.testing.assert_array_equal(found.observation["target"], whole.observation["target"][: steps + 1])
            np.testing.assert_array_equal(found.reward[:-1], whole.reward[:steps])
            assert found.truncated[-1]


def test_a_restarted_trainer_with_fewer_updates_is_waited_for():
    robot = Robot()
    robot.collector.offer(parameters(updates=500, transitions=400))
    robot.collector.trainer.heard(updates=100, transitions=400)
    robot.run(5)
    assert robot.collector.phase is Phase.WAITING_FOR_TRAINER


class Stuck(Robot):
    """An arm that something holds away from home."""

    def run(self, ticks: int, feedback: bool = True) -> None:
        for _ in range(ticks):
            held = self.position.copy()
            super().run(1, feedback)
            if self.held:
                self.position, self.velocity = held, np.zeros(7)

    held = True


def test_an_arm_that_does_not_get_home_holds_still_and_asks_for_an_operator():
    robot = Stuck(offset=0.4)
    robot.collector.offer(parameters())
    robot.run(round(CONFIG.collector.home_timeout_s / 0.05) - 2)
    assert robot.collector.phase is Phase.HOMING
    robot.run(5)
    assert robot.collector.phase is Phase.NOT_AT_HOME
    assert robot.collector.way_home.reason.startswith("after 120 s joint_")
    robot.run(100)
    assert robot.collector.phase is Phase.NOT_AT_HOME
    assert not robot.requests[robot.time_s].any()
    robot.collector.paused = True
    robot.collector.paused = False
    robot.run(1)
    assert robot.collector.phase is Phase.HOMING
    robot.run(3000)
    assert robot.collector.phase is Phase.NOT_AT_HOME
    robot.collector.hold("fault", "contact: joint_4")  # a latched fault,
    robot.collector.hold("fault", None)  # and the operator who clears it
    robot.held = False
    robot.run_until(lambda: robot.collector.phase is Phase.RUNNING)
    assert robot.collector.way_home.reason is None


def test_an_arm_that_a_person_brings_home_goes_on():
    robot = Stuck(offset=0.4)
    robot.collector.offer(parameters())
    robot.run_until(lambda: robot.collector.phase is Phase.NOT_AT_HOME)
    robot.position = np.array(ROBOT.arm.home)
    robot.run_until(lambda: robot.collector.phase is Phase.RUNNING)


@pytest.mark.parametrize(("first_run", "fastest"), [(False, 0.25), (True, 0.025)])
def test_a_real_arm_goes_home_slowly_and_is_given_the_time_for_it(first_run, fastest):
    values = msgspec.to_builtins(CONFIG) | {"simulated_time": False, "first_run": first_run}
    for robot in values["robots"].values():
        robot["backend"] = "ros2_control"
    robot = Robot(scale=1.0, offset=0.4)
    robot.collector = Collector(from_values(values), "robot_1", MODEL, FULL, robot.clock)
    robot.collector.offer(parameters())
    robot.run_until(lambda: robot.collector.phase is Phase.RUNNING)
    way_home = [velocity for velocity in robot.requests.values() if velocity.any()][:-1]
    assert np.abs(way_home).max() == pytest.approx(fastest)
    assert robot.time_s > 0.35 / fastest


def test_an_arm_that_waits_for_its_operator_does_not_use_up_its_time_for_the_way_home():
    robot = Robot(offset=0.4)
    robot.collector.offer(parameters())
    robot.collector.hold("velocity_control", "disabled")
    robot.run(round(2.0 * CONFIG.collector.home_timeout_s / 0.05))
    assert robot.collector.phase is Phase.HELD
    assert robot.collector.way_home.reason is None
    robot.collector.hold("velocity_control", None)
    robot.run_until(lambda: robot.collector.phase is Phase.RUNNING)


def test_an_operator_who_enables_an_arm_lets_it_try_to_get_home_again():
    robot = Stuck(offset=0.4)
    robot.collector.offer(parameters())
    robot.run_until(lambda: robot.collector.phase is Phase.NOT_AT_HOME)
    robot.collector.hold("velocity_control", "disabled")
    robot.run(1)
    robot.collector.hold("velocity_control", None)
    robot.run(1)
    assert robot.collector.phase is Phase.HOMING


def test_a_released_arm_is_asked_for_nothing_until_it_is_resumed_and_the_episode_is_kept():
    robot = Robot()
    robot.collector.offer(parameters())
    robot.run_until(lambda: robot.collector.phase is Phase.RUNNING)
    robot.run(3)
    tick = robot.collector.release()
    assert tick.ended.end_reason == "released to an operator"
    assert tick.batch.truncated.tolist()[-1]
    assert tick.batch.step.tolist()[-1] >= 3
    signals = {"joint_position": robot.position, "joint_velocity": np.zeros(7)}
    for reason in ("stopped", None):
        robot.collector.hold("fault", reason)
        assert robot.collector.tick(robot.time_s + 0.05, signals).desired_velocity is None
        assert robot.collector.phase is Phase.RELEASED
    robot.collector.paused = False
    robot.run_until(lambda: robot.collector.phase is Phase.RUNNING)
