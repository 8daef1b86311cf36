import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from manual_clock import ManualClock
from step_batches import CAMERA, CONTRACT, STEPS, journal_rows, make_batch

from naf_robot.collecting.upload import Uploader
from naf_robot.core.errors import ConflictError, LockedError, StoreError
from naf_robot.experience.codec import ExperienceMessage, decode_experience, encode_experience
from naf_robot.experience.compacted import parts_of
from naf_robot.experience.journal import JournalRow
from naf_robot.experience.outbox import Outbox
from naf_robot.experience.recorder import EpisodeRecorder
from naf_robot.experience.store import ExperienceStore

BIG = 10**9


def outbox(tmp_path: Path, collector: str = "robot_1", limit: int = BIG) -> Outbox:
    return Outbox(tmp_path / "outbox.sqlite", collector, CONTRACT, limit)


def test_batches_are_numbered_on_across_a_restart(tmp_path: Path):
    first = outbox(tmp_path)
    assert [first.append(make_batch(5, last=True)), first.append(make_batch(3, episode=1))] == [0, 1]
    first.acknowledge((0,))
    first.close()
    again = outbox(tmp_path)
    assert again.waiting() == [1]
    assert again.append(make_batch(2, episode=1)) == 2
    assert (again.transitions, again.waiting_transitions(), again.next_episode) == (10, 5, 2)
    message = decode_experience(again.payload(2), CONTRACT, BIG)
    assert (message.sequence, message.first_step, len(message.batch)) == (2, 9, 2)


def test_a_full_outbox_says_so_and_still_keeps_what_was_recorded(tmp_path: Path):
    box = outbox(tmp_path, limit=1)
    assert not box.is_full()
    box.append(make_batch(1))
    assert box.is_full()
    box.append(make_batch(1))
    assert box.waiting() == [0, 1]
    box.acknowledge((0, 1, 7))
    assert not box.is_full()


def test_a_store_of_another_collector_task_or_role_is_refused(tmp_path: Path):
    outbox(tmp_path).close()
    with pytest.raises(StoreError, match="has collector 'robot_1'; this run needs 'robot_2'"):
        outbox(tmp_path, "robot_2")
    with pytest.raises(StoreError, match="has role 'outbox'; this run needs 'store'"):
        ExperienceStore(tmp_path / "outbox.sqlite", CONTRACT)
    (tmp_path / "text").write_text("not a database, but long enough to look at" * 10)
    with pytest.raises(StoreError, match="not a database"):
        ExperienceStore(tmp_path / "text", CONTRACT)


def test_a_resend_changes_nothing_and_gaps_are_counted(tmp_path: Path):
    store = ExperienceStore(tmp_path / "s.sqlite", CONTRACT)
    messages = [ExperienceMessage("robot_1", n, 5 * n, make_batch(5, seed=n)) for n in range(4)]
    arrivals = [messages[0], messages[3], messages[0]]
    assert [store.insert(m, encode_experience(m, CONTRACT)) for m in arrivals] == [True, True, False]
    assert (store.transitions(), store.missing()) == (10, 10)
    for message in messages:
        store.insert(message, encode_experience(message, CONTRACT))
    assert (store.transitions(), store.missing()) == (20, 0)
    assert [m.sequence for m in store.batches()] == [0, 3, 1, 2]
    store.close()
    with pytest.raises(StoreError, match="observation_spec"):
        ExperienceStore(tmp_path / "s.sqlite", CAMERA)
    with pytest.raises(StoreError, match="has run '0123456789abcdef'; this run needs 'other'"):
        ExperienceStore(tmp_path / "s.sqlite", replace(CONTRACT, run_id="other"))


KILLED = """
import sys; sys.path[:0] = {path!r}
from pathlib import Path
from step_batches import CONTRACT, journal_rows, make_batch
from naf_robot.experience.outbox import Outbox
box = Outbox(Path({file!r}), "robot_1", CONTRACT, 10**9)
while True:
    print(box.append(make_batch(5, last=True)), flush=True)
"""


def test_what_was_stored_survives_kill_9(tmp_path: Path):
    file = tmp_path / "outbox.sqlite"
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED.format(path=sys.path, file=str(file))], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    confirmed = [int(child.stdout.readline()) for _ in range(20)]
    os.kill(child.pid, signal.SIGKILL)
    confirmed += [int(line) for line in child.stdout.read().split()]
    child.wait()
    box = outbox(tmp_path)
    waiting = box.waiting()
    assert waiting[: len(confirmed)] == confirmed == list(range(len(confirmed)))
    assert box.transitions == 5 * len(waiting)
    for sequence in waiting:
        assert decode_experience(box.payload(sequence), CONTRACT, BIG).sequence == sequence


JOURNALLED = KILLED.replace(
    "print(box.append(make_batch(5, last=True)), flush=True)",
    """
    for step, row in enumerate(journal_rows()):
        box.journal(row)
        print(step, flush=True)
""",
)


def test_every_step_of_the_running_episode_survives_kill_9_and_becomes_a_truncated_batch(tmp_path: Path):
    file = tmp_path / "outbox.sqlite"
    child = subprocess.Popen(
        [sys.executable, "-c", JOURNALLED.format(path=sys.path, file=str(file))], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    confirmed = [int(child.stdout.readline()) for _ in range(30)]
    os.kill(child.pid, signal.SIGKILL)
    confirmed += [int(line) for line in child.stdout.read().split()]
    child.wait()
    box = outbox(tmp_path)
    assert box.recovered >= len(confirmed) - 1  # a step is complete with the observation after it
    assert box.transitions == box.waiting_transitions() == box.recovered
    batch = decode_experience(box.payload(0), CONTRACT, BIG).batch
    assert batch.step.tolist() == list(range(box.recovered + 1))
    assert batch.truncated.tolist() == [False] * box.recovered + [True]
    assert batch.has_action.tolist() == [True] * box.recovered + [False]
    np.testing.assert_array_equal(batch.observation["target"][7], np.full(3, 7.0))
    np.testing.assert_array_equal(batch.action[7], np.full(7, 7 / 1024, np.float32))
    np.testing.assert_array_equal(batch.reward[7], -7.0)
    assert batch.stamp_s[7] == 0.05 * 7
    box.close()
    assert outbox(tmp_path).recovered == 0


def test_a_batch_takes_the_place_of_its_journal(tmp_path: Path):
    box, rows, recorder = outbox(tmp_path), journal_rows(), EpisodeRecorder(STEPS, 0)
    for _ in range(4):
        box.journal(next(rows))
    assert box.waiting_transitions() == 3
    box.append(make_batch(3), JournalRow(next(rows).observation, None))
    assert box.waiting_transitions() == box.transitions == 3
    box.close()
    again = outbox(tmp_path)
    assert again.waiting() == [0, 1], "the observation that was open closes the episode"
    batch = decode_experience(again.payload(1), CONTRACT, BIG).batch
    assert (batch.closing.tolist(), batch.truncated.tolist(), again.recovered) == ([True], [True], 0)
    again.close()
    assert outbox(tmp_path).waiting() == [0, 1]
    assert recorder.take() is None


def test_a_first_observation_alone_is_no_experience(tmp_path: Path):
    box = outbox(tmp_path)
    box.journal(next(journal_rows()))
    box.close()
    again = outbox(tmp_path)
    assert (again.waiting(), again.recovered, again.waiting_transitions()) == ([], 0, 0)


def test_two_living_collectors_with_one_name_are_refused(tmp_path: Path):
    first = outbox(tmp_path)
    with pytest.raises(LockedError, match=f"outbox of collector 'robot_1' is in use by process {os.getpid()}"):
        outbox(tmp_path)
    first.close()
    outbox(tmp_path)


def test_another_content_under_a_held_number_is_a_conflict(tmp_path: Path):
    store = ExperienceStore(tmp_path / "s.sqlite", CONTRACT)
    mine, other = (ExperienceMessage("robot_1", 0, 0, make_batch(5, seed=n)) for n in range(2))
    store.insert(mine, encode_experience(mine, CONTRACT))
    with pytest.raises(ConflictError, match="batch 0 of collector 'robot_1' is held with another content"):
        store.insert(other, encode_experience(other, CONTRACT))
    assert not store.insert(mine, encode_experience(mine, CONTRACT))
    namesake = ExperienceMessage("robot_1", 7, 3, make_batch(5))
    with pytest.raises(ConflictError, match="numbers its steps 3 to 7"):
        store.insert(namesake, encode_experience(namesake, CONTRACT))
    assert store.transitions() == 5


def test_a_damaged_store_is_refused_and_left_alone(tmp_path: Path):
    file = tmp_path / "s.sqlite"
    store = ExperienceStore(file, CONTRACT)
    for n in range(40):
        message = ExperienceMessage("robot_1", n, 5 * n, make_batch(5, seed=n))
        store.insert(message, encode_experience(message, CONTRACT))
    store.close()
    data = bytearray(file.read_bytes())
    data[8192:12288] = bytes(4096)
    file.write_bytes(data)
    with pytest.raises(StoreError, match=r"damaged|malformed"):
        list(ExperienceStore(file, CONTRACT).batches())
    assert file.read_bytes() == data


def test_a_disk_that_refuses_costs_nothing_and_is_told_until_it_takes_again(tmp_path: Path):
    box = outbox(tmp_path)
    uploader = Uploader(box, ManualClock(), 1.0, 2.0)
    box._database.execute("PRAGMA max_page_count = 8")
    uploader.add(make_batch(500, last=True))
    assert "disk is full" in (uploader.trouble or "")
    assert uploader.unsent == 1
    assert uploader.due() == []
    box._database.execute("PRAGMA max_page_count = 100000")
    assert len(uploader.due()) == 1
    assert uploader.trouble is None
    assert box.transitions == 500


def test_uploader_sends_at_once_then_with_growing_patience_until_acknowledged(tmp_path: Path):
    clock = ManualClock()
    box = outbox(tmp_path)
    uploader = Uploader(box, clock, resend_s=1.0, max_resend_s=3.0)
    uploader.add(make_batch(5))
    sent_at = []
    for _ in range(100):
        if uploader.due():
            sent_at.append(round(clock.now_s(), 1))
        clock.advance(0.1)
    assert sent_at[0] == 0.0
    assert [round(b - a) for a, b in pairwise(sent_at)] == [1, 2, 3, 3]
    uploader.acknowledge((0,))
    clock.advance(100.0)
    assert uploader.due() == []
    assert box.waiting() == []


def test_uploader_takes_up_what_a_predecessor_left(tmp_path: Path):
    outbox(tmp_path).append(make_batch(5))
    uploader = Uploader(outbox(tmp_path), ManualClock(), 1.0, 2.0)
    assert [decode_experience(p, CONTRACT, BIG).sequence for p in uploader.due()] == [0]


def test_a_disk_that_refuses_is_said_and_nothing_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    store = ExperienceStore(tmp_path / "s.sqlite", CONTRACT)
    store._database.execute("PRAGMA max_page_count = 8")
    message = ExperienceMessage("robot_1", 0, 0, make_batch(500))
    with pytest.raises(StoreError, match="cannot take batch 0: database or disk is full"):
        store.insert(message, encode_experience(message, CONTRACT))
    assert store.transitions() == 0
    assert isinstance(store._database, sqlite3.Connection)


def filled(path: Path, first: int, last: int, max_bytes: int, keep: int | None) -> tuple[ExperienceStore, list[object]]:
    """A store that batches of 20 transitions, of one episode each, were offered to."""
    store = ExperienceStore(path, CONTRACT, max_bytes, keep)
    outcomes: list[object] = []
    for n in range(first, last):
        message = ExperienceMessage("robot_1", n, 21 * n, make_batch(20, seed=n, episode=n, last=True))
        outcomes += store.insert_group([(message, encode_experience(message, CONTRACT))])
    return store, outcomes


def test_a_store_near_its_bound_compacts_the_oldest_and_forgets_neither_their_episodes_nor_their_numbers(
    tmp_path: Path,
):
    path, bound = tmp_path / "s.sqlite", 500_000
    store, outcomes = filled(path, 0, 200, bound, keep=500)
    assert outcomes == [True] * 200
    assert (store.transitions(), store.missing()) == (4000, 0)
    store.close()
    store, outcomes = filled(path, 200, 400, bound, keep=500)
    assert outcomes == [True] * 200
    held = list(store.held())
    whole = [entry.sequence for entry in held if entry.message is not None]
    assert 500 <= 20 * len(whole) < 4000
    assert [entry.sequence for entry in held] == list(range(400))
    assert whole == list(range(400 - len(whole), 400)), "only the oldest are compacted"
    for entry in held:
        assert entry.parts == parts_of(make_batch(20, seed=entry.sequence, episode=entry.sequence, last=True))
    old = ExperienceMessage("robot_1", 3, 63, make_batch(20, seed=3, episode=3, last=True))
    assert store.insert(old, encode_experience(old, CONTRACT)) is False
    other = replace(old, batch=make_batch(20, seed=4, episode=3))
    with pytest.raises(ConflictError, match="held with another content"):
        store.insert(other, encode_experience(other, CONTRACT))
    store.close()
    assert path.stat().st_size < 1.1 * bound


def test_what_the_replay_buffer_holds_is_never_compacted_and_without_leave_nothing_is(tmp_path: Path):
    for name, keep in (("kept", 10_000), ("hold", None)):
        store, outcomes = filled(tmp_path / f"{name}.sqlite", 0, 100, 200_000, keep)
        assert all(entry.message is not None for entry in store.held())
        assert isinstance(outcomes[-1], StoreError)
        assert "experience store is full" in str(outcomes[-1])
        store.close()


def test_a_step_is_kept_for_as_long_as_the_transition_from_it_is_among_the_newest(tmp_path: Path):
    """Batch 0 of robot_1 ends in an episode that its batch 1 goes on with, after ten batches of robot_2."""
    store = ExperienceStore(tmp_path / "s.sqlite", CONTRACT, keep=50)
    first = ExperienceMessage("robot_1", 0, 0, make_batch(8))
    others = [ExperienceMessage("robot_2", n, 9 * n, make_batch(8, episode=n, last=True)) for n in range(10)]
    second = ExperienceMessage("robot_1", 1, 8, make_batch(8, first_step=8, last=True))
    later = [ExperienceMessage("robot_1", n, 9 * n - 1, make_batch(8, episode=n, last=True)) for n in range(2, 8)]

    def whole() -> list[tuple[str, int]]:
        store._max_bytes = 1  # full: whatever may go goes now
        store.insert(first, encode_experience(first, CONTRACT))
        store._max_bytes = BIG
        return [(held.collector, held.sequence) for held in store.held() if held.message is not None]

    for message in (first, *others, second):
        store.insert(message, encode_experience(message, CONTRACT))
    assert whole()[0] == ("robot_1", 0), "88 newer transitions, but eight of them after the one from its last step"
    for message in later:
        store.insert(message, encode_experience(message, CONTRACT))
    assert whole()[0] == ("robot_2", 3)
    store.close()
