import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from manual_clock import ManualClock
from step_batches import make_batch

from naf_robot.core.clock import SteadyClock
from naf_robot.core.errors import CheckpointError, CodecError
from naf_robot.core.records import StepBatch
from naf_robot.core.transitions import transitions_of
from naf_robot.experience.codec import (
    ExperienceMessage,
    decode_acknowledgement,
    decode_parameters,
    encode_experience,
    encode_parameters,
)
from naf_robot.experience.contract import RunMismatchError
from naf_robot.learning.learner_batch import learner_batch
from naf_robot.learning.policies.mlp import MlpPolicy
from naf_robot.learning.replay_buffer import TERMINATED, TRUNCATED
from naf_robot.run.checkpoint import read_checkpoint
from naf_robot.run.config import TrainerConfig, resolve
from naf_robot.run.ratio import RatioLimiter
from naf_robot.sim.lockstep import Lockstep
from naf_robot.training.receiver import Receipt
from naf_robot.training.trainer import RAN_OUT, SUCCEEDED, Trainer

CONFIG = resolve(
    "reach",
    overrides=[
        {
            "max_episodes": 6,
            "trainer": {
                "evaluation_rule": "window",
                "evaluation_window": 2,
                "learning_starts": 10,
                "publish_period_updates": 5,
                "replay_capacity": 1000,
                "ratio_tolerance": 10,
            },
        }
    ],
)


@pytest.fixture
def trainer(tmp_path: Path) -> Iterator[Trainer]:
    torch.set_num_threads(1)
    made = Trainer(CONFIG, tmp_path, SteadyClock())
    yield made
    made.receiver.close()


def batch(count: int, episode: int = 0, greedy: bool = False, success: bool = False) -> StepBatch:
    """A whole episode of `count` transitions."""
    return make_batch(count, 0, episode, last=True, greedy=greedy, success=success, terms=3)


def receive(trainer: Trainer, payload: bytes) -> Receipt:
    trainer.receiver.submit(payload)
    return trainer.receiver.settle(wait=True)


def send(trainer: Trainer, sequence: int, message_batch: StepBatch, robot: str = "robot_1", first: int = 0) -> Receipt:
    message = ExperienceMessage(robot, sequence, first, message_batch)
    return receive(trainer, encode_experience(message, trainer.contract))


def sequentially_tested(tmp_path: Path) -> Trainer:
    """A trainer whose sequential test passes with three successes and fails with a first failure."""
    rule = {"evaluation_rule": "sequential", "sequential": {"acceptable": 0.9, "unacceptable": 0.4, "false_pass": 0.1}}
    return Trainer(resolve("reach", overrides=[{"trainer": {"learning_starts": 10, **rule}}]), tmp_path, SteadyClock())


def test_a_run_ends_when_its_sequential_test_passes_and_its_version_is_the_best(tmp_path: Path):
    trainer = sequentially_tested(tmp_path)
    version = trainer.new_parameters()[0].version
    outcomes = [True, True, False, False, True, True, True]
    decided = []
    for episode, success in enumerate(outcomes):
        steps = replace(batch(4, episode, greedy=True, success=success), policy_version=np.full(5, version))
        send(trainer, episode, steps, first=5 * episode)
        decided.append(trainer.outcome())
    assert decided == [None] * 6 + [SUCCEEDED]
    assert trainer.gate.version == version  # the window of twenty is not full
    summary = trainer.finish()
    assert summary["evaluation_test"] == {
        "passed": True,
        "failed_before": 1,
        "successes": 3,
        "episodes": 3,
        "interval": [0.4385, 1.0],
        "confidence": 0.95,
    }
    assert (summary["learning_episodes"], summary["evaluation_episodes"], summary["episodes"]) == (0, 7, 7)
    again = sequentially_tested(tmp_path)  # the test is computed anew from what is stored
    assert (again.outcome(), again.gate.version, again.episodes.test.failed) == (SUCCEEDED, version, 1)
    again.finish()


def test_a_resend_is_acknowledged_again_and_counted_once(trainer: Trainer):
    first, finished, _ = send(trainer, 0, batch(8))
    again, nothing, _ = send(trainer, 0, batch(8))
    assert [decode_acknowledgement(a).of("robot_1") for a in first + again] == [(0,), (0,)]
    assert (trainer.transitions, trainer.receiver.duplicates, len(finished), len(nothing)) == (8, 1, 1, 0)
    assert finished[0].episode_return == pytest.approx(float(batch(8).reward.sum()), rel=1e-5)


def test_a_malformed_message_changes_nothing(trainer: Trainer):
    with pytest.raises(CodecError):
        receive(trainer, b"x" * 100)
    assert trainer.transitions == 0


def test_updates_keep_to_the_ratio(trainer: Trainer):
    send(trainer, 0, batch(9))
    assert trainer.learn(100) == 0
    send(trainer, 1, batch(21, 1), first=10)
    assert trainer.learn(5) == 5
    assert trainer.learn(100) == 16
    assert trainer.learn(100) == 0
    assert trainer.updates == 21
    assert np.isfinite(trainer.metrics["loss"])


def test_parameters_are_published_at_the_start_and_every_few_updates(trainer: Trainer):
    assert trainer.publication.is_due(trainer.updates)
    assert trainer.new_parameters()[0].version == 1
    assert not trainer.publication.is_due(trainer.updates)
    send(trainer, 0, batch(30))
    trainer.learn(5)
    assert trainer.publication.is_due(trainer.updates)
    (parameters,) = trainer.new_parameters()
    assert (parameters.version, parameters.updates, parameters.transitions) == (2, 5, 30)
    assert MlpPolicy.from_arrays(parameters.arrays).action(np.zeros(20, np.float32)).shape == (7,)


def test_the_run_is_decided_by_the_newest_greedy_episodes_or_by_their_number(trainer: Trainer):
    outcomes = []
    for episode, (greedy, success) in enumerate([(True, False), (False, True), (True, True), (True, True)]):
        send(trainer, episode, batch(5, episode, greedy, success), first=6 * episode)
        outcomes.append(trainer.outcome())
    assert outcomes == [None, None, None, SUCCEEDED]


def test_the_run_ends_without_success_when_episodes_run_out(trainer: Trainer):
    for episode in range(6):
        assert trainer.outcome() is None
        send(trainer, episode, batch(5, episode), first=6 * episode)
    assert trainer.outcome() == RAN_OUT


def test_finish_writes_what_the_readme_promises(trainer: Trainer, tmp_path: Path):
    send(trainer, 0, batch(30))
    send(trainer, 2, batch(5, 2), first=40)
    trainer.learn(10)
    trainer.new_parameters()
    (expected,) = trainer.parameters()
    trainer.finish()
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["transitions_received"], summary["steps_lost"], summary["updates"]) == (35, 9, 10)
    assert summary["policy_versions"] == 1
    checkpoint = read_checkpoint(tmp_path)
    for name, array in expected.arrays.items():
        np.testing.assert_array_equal(checkpoint.policy.arrays[name], array)
    assert len((tmp_path / "episodes.jsonl").read_text().splitlines()) == 2


def test_a_torn_checkpoint_is_passed_over_and_its_reason_told(trainer: Trainer, tmp_path: Path):
    send(trainer, 0, batch(30))
    trainer.new_parameters()
    trainer.learn(5)
    older = trainer.checkpoint()
    trainer.learn(5)
    newer = trainer.checkpoint()
    file = newer / "learner.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    assert read_checkpoint(tmp_path).policy.updates == 5
    shutil.rmtree(older)
    with pytest.raises(CheckpointError, match=rf"{newer.name}: malformed learner_state message"):
        read_checkpoint(tmp_path)


def test_only_the_newest_checkpoints_are_kept(trainer: Trainer, tmp_path: Path):
    send(trainer, 0, batch(60))
    trainer.new_parameters()
    for _ in range(4):
        trainer.learn(5)
        trainer.checkpoint()
    assert sorted(p.name for p in (tmp_path / "checkpoints").iterdir()) == [
        "000000000015-000000000004",
        "000000000020-000000000005",
    ]


def test_ratio_from_both_sides_and_free_running():
    held = RatioLimiter(2.0, tolerance=10, learning_starts=100)
    assert held.allowed_updates(99, 0, 50) == 0
    assert held.allowed_updates(109, 0, 50) == 20
    assert held.allowed_updates(109, 20, 50) == 0
    assert not held.collectors_must_wait(105, 0)
    assert held.collectors_must_wait(106, 0)
    free = RatioLimiter(0.0, tolerance=10, learning_starts=100)
    assert free.allowed_updates(100, 10**6, 50) == 50
    assert not free.collectors_must_wait(10**6, 0)


def test_the_learner_sees_the_chosen_action_and_the_scaled_reward():
    original = transitions_of(batch(4), CONFIG.make_task().observation_spec)
    executed = learner_batch(original, TrainerConfig(action_source="executed"))
    np.testing.assert_array_equal(executed.action, original.action)
    np.testing.assert_array_equal(executed.reward, original.reward)
    requested = learner_batch(original, TrainerConfig(action_source="requested", reward_scale=0.25))
    np.testing.assert_array_equal(requested.action, original.requested_action)
    np.testing.assert_array_equal(requested.reward, 0.25 * original.reward)


def test_what_the_task_calls_an_end_reaches_the_learner_as_one(trainer: Trainer):
    ended = batch(5)
    send(trainer, 0, replace(ended, terminated=ended.truncated, truncated=ended.terminated))
    _, outcomes = trainer._replay.contents()
    assert outcomes[0, :, TERMINATED].tolist() == [0.0, 0.0, 0.0, 0.0, 1.0]
    assert not outcomes[0, :, TRUNCATED].any()


def test_a_message_of_another_run_is_refused_without_an_answer(trainer: Trainer, tmp_path: Path):
    (tmp_path / "other").mkdir()
    other = Trainer(CONFIG, tmp_path / "other", SteadyClock())
    assert other.contract.run_id != trainer.contract.run_id
    message = ExperienceMessage("robot_1", 0, 0, batch(8))
    with pytest.raises(RunMismatchError, match="two runs share this ROS domain"):
        receive(trainer, encode_experience(message, other.contract))
    mine, theirs = send(trainer, 0, batch(8)), send(other, 0, batch(9))
    assert decode_acknowledgement(mine.answers[0], trainer.contract).of("robot_1") == (0,)
    with pytest.raises(RunMismatchError):
        decode_acknowledgement(theirs.answers[0], trainer.contract)
    with pytest.raises(RunMismatchError):
        decode_parameters(encode_parameters(other.new_parameters()[0]), trainer.contract)
    other.finish()


def test_a_message_above_the_configured_size_is_refused(tmp_path: Path):
    small = resolve("reach", overrides=[{"trainer": {"max_message_bytes": 65536}}])
    made = Trainer(small, tmp_path, SteadyClock())
    with pytest.raises(CodecError, match="8 to 65536 bytes"):
        send(made, 0, batch(1000))
    made.finish()


def test_lockstep_waits_for_a_robot_that_starts_late_but_not_for_ever():
    clock = ManualClock()
    lockstep = Lockstep(("a", "b"), start_timeout_s=30.0, clock=clock)
    for tick in range(1, 4):
        lockstep.begin(tick)
        lockstep.answer("a", tick)
        assert not lockstep.complete()  # b may still come
        assert lockstep.expects()
        lockstep.end()
    clock.advance(30.0)
    lockstep.begin(4)
    lockstep.answer("a", 4)
    assert lockstep.complete()
    assert lockstep.given_up() == ["b"]
    assert lockstep.given_up() == []
    lockstep.answer("b", 4)
    lockstep.begin(5)
    lockstep.answer("a", 5)
    assert not lockstep.complete()  # who comes late takes part
    assert lockstep.missed == {"a": 0, "b": 0}


def test_lockstep_waits_for_a_gripper_once_somebody_moves_it():
    lockstep = Lockstep(("a",), start_timeout_s=30.0, clock=ManualClock(), grippers=("a gripper",))
    lockstep.begin(1)
    lockstep.answer("a", 1)
    assert lockstep.complete()  # who moves the arm alone is not slowed down
    lockstep.answer("a gripper", 1)
    lockstep.end()
    lockstep.begin(2)
    lockstep.answer("a", 2)
    assert not lockstep.complete()
    lockstep.end()
    lockstep.begin(3)
    lockstep.answer("a", 3)
    assert lockstep.complete()
    assert lockstep.missed == {"a": 0, "a gripper": 1}


def test_lockstep_waits_for_all_but_not_for_the_silent():
    lockstep = Lockstep(("a", "b"), start_timeout_s=0.0, clock=ManualClock())
    lockstep.begin(1)
    assert lockstep.complete()  # nobody has ever answered
    assert not lockstep.expects()
    lockstep.answer("a", 1)
    lockstep.end()
    lockstep.begin(2)
    assert not lockstep.complete()
    lockstep.answer("a", 1)  # a late answer to the last tick
    lockstep.answer("a", None)
    assert not lockstep.complete()
    lockstep.answer("b", 2)
    lockstep.answer("a", 2)
    assert lockstep.complete()
    lockstep.end()
    lockstep.begin(3)
    lockstep.answer("b", 3)
    lockstep.end()
    assert lockstep.missed == {"a": 1, "b": 0}
    lockstep.begin(4)
    lockstep.answer("b", 4)
    assert lockstep.complete()  # a is silent now and not waited for
