import sqlite3
import threading
from pathlib import Path

import pytest
from step_batches import CONTRACT, make_batch

from naf_robot.core.errors import ConflictError, StoreError
from naf_robot.experience.codec import ExperienceMessage, encode_experience
from naf_robot.experience.store import ExperienceStore, Received
from naf_robot.training.intake import Intake


def received(sequence: int, robot: str = "robot_1", seed: int = 0) -> Received:
    message = ExperienceMessage(robot, sequence, 5 * sequence, make_batch(5, seed=seed))
    return message, encode_experience(message, CONTRACT)


@pytest.fixture
def store(tmp_path: Path):
    made = ExperienceStore(tmp_path / "store.sqlite", CONTRACT)
    yield made
    made.close()


def outcomes(intake: Intake) -> list[tuple[str, int, object]]:
    return [(s.message.collector, s.message.sequence, s.outcome) for s in intake.settle(wait=True)]


def test_a_group_is_one_transaction_and_keeps_its_order(store: ExperienceStore):
    statements: list[str] = []
    store._database.set_trace_callback(statements.append)
    assert store.insert_group([received(n) for n in (2, 0, 1, 0)]) == [True, True, True, False]
    assert sum(statement.startswith("COMMIT") for statement in statements) == 1
    assert [message.sequence for message in store.batches()] == [2, 0, 1]


def test_a_batch_that_conflicts_does_not_keep_its_group_out(store: ExperienceStore):
    first, conflict, last = store.insert_group([received(0), received(0, seed=1), received(1)])
    assert (first, last) == (True, True)
    assert isinstance(conflict, ConflictError)
    assert [message.sequence for message in store.batches()] == [0, 1]


def test_a_disk_that_refuses_concerns_the_whole_group_and_leaves_nothing_of_it(store: ExperienceStore):
    store.insert(*received(0))
    (pages,) = store._database.execute("PRAGMA page_count").fetchone()
    store._database.execute(f"PRAGMA max_page_count = {pages + 2}")
    group = [received(n) for n in range(1, 20)]
    refusals = store.insert_group(group)
    assert all(isinstance(refusal, StoreError) and "full" in str(refusal) for refusal in refusals)
    assert [message.sequence for message in store.batches()] == [0]
    store._database.execute("PRAGMA max_page_count = 100000")
    assert store.insert_group(group) == [True] * 19  # a resend finds room


def test_nothing_settles_before_its_commit_and_what_comes_meanwhile_is_the_next_group(store: ExperienceStore):
    intake, released, groups = Intake(store), threading.Event(), []
    commit = store.insert_group

    def slow_commit(group):
        groups.append(len(group))
        assert released.wait(10.0)
        return commit(group)

    store.insert_group = slow_commit
    intake.add(*received(0))
    assert intake.settle() == []
    for message in (received(1), received(0, "robot_2"), received(1)):
        intake.add(*message)
    assert intake.settle() == []
    released.set()
    assert outcomes(intake) == [
        ("robot_1", 0, True),
        ("robot_1", 1, True),
        ("robot_2", 0, True),
        ("robot_1", 1, False),
    ]
    assert groups == [1, 3]
    intake.close()


def test_an_error_of_the_thread_is_not_swallowed(store: ExperienceStore):
    intake = Intake(store)

    def broken(group):
        raise sqlite3.ProgrammingError("not foreseen")

    store.insert_group = broken
    intake.add(*received(0))
    with pytest.raises(sqlite3.ProgrammingError):
        intake.settle(wait=True)
    intake.close()
