"""A trainer that is killed and restarted continues bit for bit, whatever it was doing."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from step_batches import make_batch
from test_trainer import CONFIG, batch, receive, send

from naf_robot.core.clock import SteadyClock
from naf_robot.core.errors import CheckpointError, LockedError, StoreError
from naf_robot.core.records import concatenate
from naf_robot.core.reserved_counter import ReservedCounter
from naf_robot.experience.codec import ExperienceMessage, decode_acknowledgement, encode_experience
from naf_robot.learning.registry import ALGORITHMS
from naf_robot.run import checkpoint as checkpoints
from naf_robot.run.checkpoint import read_best, read_checkpoint, roll_back, versions
from naf_robot.run.config import RunConfig, resolve
from naf_robot.run.sequencing import MAX_WAITING
from naf_robot.training.trainer import Trainer


def trainer(folder: Path, config: RunConfig = CONFIG) -> Trainer:
    torch.set_num_threads(1)
    folder.mkdir(exist_ok=True)
    return Trainer(config, folder, SteadyClock())


def die(it: Trainer) -> None:
    """As by kill -9: nothing is written, the locks go."""
    it.receiver.close()
    it.store._database.close()
    it.store._lock.release()


def feed(it: Trainer, first: int, last: int) -> None:
    """A deterministic synchronous run: one episode of each of two robots, then the updates that are due."""
    for episode in range(first, last):
        for robot in ("robot_1", "robot_2"):
            send(it, episode, batch(20, episode, greedy=episode % 2 == 0, success=episode > 2), robot, 21 * episode)
        while it.learn(7):
            if it.publication.is_due(it.updates):
                it.new_parameters()


def whole_state(it: Trainer) -> dict[str, np.ndarray]:
    state = {f"learner {k}": v for k, v in it.algorithm.state().items()}
    state["observations"], state["outcomes"] = (tensor.numpy() for tensor in it._replay.contents())
    state["rewards"] = np.array(it._replay.reward_range)
    state["counters"] = np.array(
        [
            it._replay.added,
            it.transitions,
            it.episodes.episodes,
            it.episodes.evaluations,
            it.episodes.evaluation_success,
        ]
    )
    return state


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_a_resumed_run_is_bit_identical_to_an_unbroken_one(tmp_path: Path, algorithm: str):
    config = resolve(
        "reach", algorithm, [{"trainer": {"learning_starts": 10, "replay_capacity": 130, "ratio_tolerance": 10}}]
    )
    unbroken = trainer(tmp_path / "unbroken", config)
    feed(unbroken, 0, 6)
    broken = trainer(tmp_path / "broken", config)
    feed(broken, 0, 3)
    broken.checkpoint()
    die(broken)
    resumed = trainer(tmp_path / "broken", config)
    feed(resumed, 3, 6)
    expected, found = whole_state(unbroken), whole_state(resumed)
    assert expected.keys() == found.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)
    lines = [
        [{k: v for k, v in json.loads(line).items() if k != "wall_s"} for line in path.read_text().splitlines()]
        for path in (tmp_path / "unbroken" / "episodes.jsonl", tmp_path / "broken" / "episodes.jsonl")
    ]
    assert lines[0] == lines[1]


def test_a_run_whose_oldest_transitions_were_given_up_goes_on_as_if_they_were_there(tmp_path: Path):
    """Replay holds 130 transitions, the store soon no more than some hundred; all episodes count."""
    found = []
    for full_store, max_bytes in (("hold", 10**9), ("compact", 150_000)):
        own = {"learning_starts": 10, "replay_capacity": 130, "ratio_tolerance": 10}
        config = resolve(
            "reach", overrides=[{"trainer": own | {"full_store": full_store, "max_store_bytes": max_bytes}}]
        )
        first = trainer(tmp_path / full_store, config)
        feed(first, 0, 12)
        first.checkpoint()
        compacted = sum(held.message is None for held in first.store.held())
        assert (compacted > 0) == (full_store == "compact")
        die(first)
        second = trainer(tmp_path / full_store, config)
        feed(second, 12, 14)
        lines = (tmp_path / full_store / "episodes.jsonl").read_text().splitlines()
        found.append((whole_state(second), [json.loads(line) | {"wall_s": 0} for line in lines]))
    for name, array in found[0][0].items():
        np.testing.assert_array_equal(found[1][0][name], array, err_msg=name)
    assert found[0][1] == found[1][1]


def test_transitions_that_came_after_the_checkpoint_count_and_their_updates_are_made_again(tmp_path: Path):
    first = trainer(tmp_path)
    feed(first, 0, 2)
    first.checkpoint()
    feed(first, 2, 4)
    updates, held = first.updates, first.transitions
    die(first)
    second = trainer(tmp_path)
    assert second.updates < updates
    assert (second.transitions, second.episodes.episodes) == (held, 8)
    while second.learn(50):
        pass
    assert second.updates == updates


def test_the_acting_policy_is_the_trained_one_and_its_version_higher_than_any_before(tmp_path: Path):
    first = trainer(tmp_path)
    feed(first, 0, 4)
    first.checkpoint()
    (last,) = first.new_parameters()
    die(first)
    second = trainer(tmp_path)
    assert second.publication.is_due(second.updates)
    (acting,) = second.new_parameters()
    assert acting.version > last.version
    for name, array in last.arrays.items():
        np.testing.assert_array_equal(acting.arrays[name], array)


def test_a_version_never_changes_its_arrays(tmp_path: Path):
    it = trainer(tmp_path)
    (first,) = it.new_parameters()
    send(it, 0, batch(20), "robot_1")
    while it.learn(5):
        pass
    (again,) = it.parameters()
    assert again.version == first.version
    assert again.updates == it.updates
    np.testing.assert_array_equal(again.arrays["w0"], first.arrays["w0"])


def test_versions_go_on_above_all_that_were_reserved(tmp_path: Path):
    counter = ReservedCounter(tmp_path / "v", reserved_at_once=3)
    numbers = [counter.next() for _ in range(6)]
    assert numbers == [1, 2, 3, 4, 5, 6]
    assert ReservedCounter(tmp_path / "v", 3).next() > 6
    (tmp_path / "v").write_text("-5")
    with pytest.raises(StoreError, match="must hold a whole number, got '-5'"):
        ReservedCounter(tmp_path / "v")


def test_a_torn_newer_checkpoint_is_set_aside_and_the_older_one_taken(tmp_path: Path):
    first = trainer(tmp_path)
    feed(first, 0, 2)
    first.checkpoint()
    at = first.updates
    feed(first, 2, 3)
    torn = first.checkpoint()
    file = torn / "learner.safetensors"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    die(first)
    second = trainer(tmp_path)
    assert second.updates == at
    assert (torn.parent / f"aside-{torn.name}").is_dir()
    second.learn(1)
    second.checkpoint()
    assert read_checkpoint(tmp_path).policy.updates == at + 1


def test_checkpoints_of_another_algorithm_or_shape_are_refused_and_left_alone(tmp_path: Path):
    first = trainer(tmp_path)
    feed(first, 0, 2)
    folder = first.checkpoint()
    die(first)
    before = sorted(p.name for p in folder.parent.iterdir())
    with pytest.raises(CheckpointError, match=r"algorithm .*'naf'.*this run .*'sac'"):
        trainer(tmp_path, resolve("reach", "sac"))
    with pytest.raises(CheckpointError, match="does not fit"):
        trainer(tmp_path, resolve("reach", overrides=[{"algorithm": {"hidden": [50, 50]}}]))
    with pytest.raises(StoreError, match="has task 'reach'; this run needs 'door_push'"):
        trainer(tmp_path, resolve("door_push"))
    assert sorted(p.name for p in folder.parent.iterdir()) == before


def test_a_second_trainer_in_the_same_folder_is_refused(tmp_path: Path):
    first = trainer(tmp_path)
    with pytest.raises(LockedError, match=f"in use by process {os.getpid()}"):
        trainer(tmp_path)
    die(first)
    trainer(tmp_path)


def test_a_full_disk_leaves_the_older_checkpoint_and_the_trainer_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    it = trainer(tmp_path)
    feed(it, 0, 2)
    older = it.checkpoint()
    feed(it, 2, 3)

    def full(path: Path, data: bytes) -> None:
        path.write_bytes(data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "write_new", full)
    assert not it.try_checkpoint()
    assert "No space left on device" in it.trouble["checkpoint"]
    assert [p.name for p in older.parent.iterdir()] == [older.name]
    assert read_checkpoint(tmp_path).policy.updates == int(older.name.split("-")[0])
    monkeypatch.undo()
    assert it.try_checkpoint()
    assert it.trouble == {}


def test_every_instant_of_writing_leaves_a_whole_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The process is killed at each system call of a checkpoint in turn."""
    it = trainer(tmp_path)
    feed(it, 0, 2)
    it.checkpoint()
    feed(it, 2, 3)

    class DiedError(BaseException):
        pass

    calls = 0
    limit = 0

    def counted(original):
        def call(*args, **kwargs):
            nonlocal calls
            calls += 1
            if calls > limit:
                raise DiedError
            return original(*args, **kwargs)

        return call

    for module, name in ((os, "fsync"), (os, "open"), (Path, "rename"), (Path, "mkdir"), (shutil, "rmtree")):
        monkeypatch.setattr(module, name, counted(getattr(module, name)))
    finished = False
    while not finished:
        calls, limit = 0, limit + 1
        try:
            it.checkpoint()
            finished = True
        except DiedError:
            pass
        calls, kept = -(10**6), limit
        assert read_checkpoint(tmp_path).policy.updates > 0
        limit = kept
    assert limit > 8


def test_one_name_for_two_contents_is_refused_with_a_reason_and_never_acknowledged(tmp_path: Path):
    it = trainer(tmp_path)
    send(it, 0, batch(8))
    receipt = send(it, 0, batch(8, episode=5))
    (answer,) = map(decode_acknowledgement, receipt.answers)
    assert answer.of("robot_1") == (0,)
    assert "two collectors have this name" in answer.refusal
    assert receipt.refused == [answer.refusal]
    overlapping = send(it, 1, batch(8, episode=5), first=4)
    assert "numbers its steps 4 to 12" in decode_acknowledgement(overlapping.answers[0]).refusal
    assert it.transitions == 8


def test_a_full_store_is_said_and_not_acknowledged(tmp_path: Path):
    it = trainer(tmp_path)
    it.store._max_bytes = 1
    receipt = send(it, 0, batch(8))
    assert "experience store is full" in decode_acknowledgement(receipt.answers[0]).refusal
    assert it.transitions == 0


def test_batches_out_of_order_make_the_same_episodes(tmp_path: Path):
    parts = [batch(10, episode=0), batch(10, episode=1)]
    it = trainer(tmp_path)
    middle = encode_experience(ExperienceMessage("robot_1", 1, 11, parts[1]), it.contract)
    assert receive(it, middle).finished == []
    assert [r.episode for r in send(it, 0, parts[0]).finished] == [0, 1]


def test_the_best_version_by_greedy_success_is_kept_apart_and_can_be_rolled_back_to(tmp_path: Path):
    it = trainer(tmp_path)
    feed(it, 0, 1)
    number = 1

    def greedy(success: bool) -> int:
        nonlocal number
        version = it.new_parameters()[0].version
        one = batch(10, number, greedy=True, success=success)
        one.policy_version[:] = version
        send(it, number, one, first=21 + 11 * (number - 1))
        number += 1
        it.learn(3)
        return version

    greedy(True)
    good = greedy(True)
    assert (it.gate.version, it.gate.success) == (good, 1.0)
    for _ in range(3):
        greedy(False)
    assert it.gate.version == good
    it.finish()
    best = read_best(tmp_path)
    assert best.policy.version == good
    assert good in versions(tmp_path)
    moved = roll_back(tmp_path, best)
    assert moved
    assert read_checkpoint(tmp_path).policy.version == good
    again = trainer(tmp_path)
    assert again.gate.version == good
    assert again.new_parameters()[0].version > max(versions(tmp_path))


def torn_up(count: int, robot: str) -> list[ExperienceMessage]:
    """The experience of `count` episodes in batches of 8 steps, whose borders are not those of episodes."""
    episodes = [make_batch(20, 0, n, last=True, terms=3, seed=len(robot) + ord(robot[-1])) for n in range(count)]
    whole = concatenate(episodes)
    starts = range(0, len(whole), 8)
    return [ExperienceMessage(robot, n, i, whole.between(i, min(i + 8, len(whole)))) for n, i in enumerate(starts)]


def fed(it: Trainer, messages: list[ExperienceMessage]) -> list[tuple]:
    finished = []
    for message in messages:
        receipt = receive(it, encode_experience(message, it.contract))
        finished += [(r.robot, r.episode, r.steps, round(r.episode_return, 4)) for r in receipt.finished]
    return finished


def test_batches_enter_replay_in_the_order_of_their_numbers_and_linked_whatever_the_order_of_arrival(tmp_path: Path):
    config = resolve("reach", overrides=[{"trainer": {"replay_capacity": 90}}])
    straight, shuffled = (trainer(tmp_path / name, config) for name in ("straight", "shuffled"))
    messages = torn_up(6, "robot_1")
    expected = fed(straight, messages)
    assert [steps for *_, steps, _ in expected] == [20] * 6
    order = [2, 0, 1, 1, 5, 3, 4, 0, *range(8, len(messages)), 7, 6, 8]
    assert fed(shuffled, [messages[n] for n in order]) == expected
    for one, other in zip(straight._replay.contents(), shuffled._replay.contents(), strict=True):
        np.testing.assert_array_equal(other.numpy(), one.numpy())
    observations, _ = straight._replay.contents()
    assert straight.transitions == shuffled.transitions == 120
    assert straight._replay.observations_held == len(np.unique(observations[0].flatten(0, 1).numpy(), axis=0))
    die(shuffled)
    resumed = trainer(tmp_path / "shuffled", config)
    for one, other in zip(straight._replay.contents(), resumed._replay.contents(), strict=True):
        np.testing.assert_array_equal(other.numpy(), one.numpy())


def test_resumed_amid_episodes_and_with_compacted_batches_it_is_bit_identical(tmp_path: Path):
    states = []
    for full_store, max_bytes in (("hold", 10**9), ("compact", 200_000)):
        own = {"learning_starts": 10, "replay_capacity": 130, "full_store": full_store, "max_store_bytes": max_bytes}
        config = resolve("reach", overrides=[{"trainer": own}])
        first = trainer(tmp_path / full_store, config)
        messages = [m for pair in zip(torn_up(30, "robot_1"), torn_up(30, "robot_2"), strict=True) for m in pair]
        fed(first, messages[:123])
        while first.learn(50):
            pass
        first.checkpoint()
        before = whole_state(first)
        compacted = sum(held.message is None for held in first.store.held())
        assert (compacted > 0) == (full_store == "compact")
        die(first)
        second = trainer(tmp_path / full_store, config)
        for name, array in before.items():
            np.testing.assert_array_equal(whole_state(second)[name], array, err_msg=name)
        fed(second, messages[123:])
        while second.learn(50):
            pass
        states.append(whole_state(second))
    for name, array in states[0].items():
        np.testing.assert_array_equal(states[1][name], array, err_msg=name)


def test_a_batch_that_never_comes_is_passed_over_and_counts_by_itself_when_it_comes_after_all(tmp_path: Path):
    it = trainer(tmp_path)
    messages = torn_up(40, "robot_1")
    fed(it, messages[:3])
    assert it.transitions == 22  # of the third batch's last step the successor is not there
    fed(it, messages[4 : 4 + MAX_WAITING])
    assert it.transitions == 22
    assert it._sequencer.waiting == MAX_WAITING
    fed(it, messages[4 + MAX_WAITING :])
    assert it._sequencer.waiting == 0
    whole = 40 * 20
    assert it.transitions == whole - messages[3].batch.transitions - 1
    fed(it, [messages[3]])
    assert whole - 2 <= it.transitions <= whole - 1
