"""Other processes read the store while the trainer writes."""

import subprocess
import sys
from pathlib import Path

import pytest
from step_batches import CAMERA, CONTRACT, make_batch

from naf_robot.core.errors import StoreError
from naf_robot.experience.codec import ExperienceMessage, encode_experience
from naf_robot.experience.reader import StoreReader
from naf_robot.experience.store import ExperienceStore

FOLLOWER = """
import sys, time; sys.path[:0] = {path!r}
from pathlib import Path
from step_batches import CONTRACT
from naf_robot.experience.reader import StoreReader
reader, last = StoreReader(Path({file!r}), CONTRACT), 0
print("ready", flush=True)
while True:
    for held in reader.after(last):
        last = held.arrival
        print(held.arrival, held.sequence, held.message.batch.reward[0], flush=True)
"""


def message(n: int) -> ExperienceMessage:
    return ExperienceMessage("robot_1", n, 6 * n, make_batch(5, episode=n, last=True))


def put(store: ExperienceStore, n: int) -> None:
    assert store.insert(message(n), encode_experience(message(n), CONTRACT))


def test_a_reader_in_another_process_follows_the_writer(tmp_path: Path):
    file = tmp_path / "experience.sqlite"
    store = ExperienceStore(file, CONTRACT)
    for n in range(20):
        put(store, n)
    code = FOLLOWER.format(path=sys.path, file=str(file))
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        for n in range(20, 60):
            put(store, n)
        lines = [child.stdout.readline().split() for _ in range(60)]
        put(store, 60)
        lines.append(child.stdout.readline().split())
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    assert [int(arrival) for arrival, *_ in lines] == list(range(1, 62))
    assert [int(sequence) for _, sequence, _ in lines] == list(range(61))
    assert [float(reward) for *_, reward in lines] == pytest.approx([message(n).batch.reward[0] for n in range(61)])
    store.close()


def test_a_reader_does_not_hold_the_writer_up_and_sees_a_compacted_batch_as_one(tmp_path: Path):
    file = tmp_path / "experience.sqlite"
    store = ExperienceStore(file, CONTRACT, max_bytes=200_000, keep=50)
    put(store, 0)
    reader = StoreReader(file, CONTRACT)
    some = reader.after()
    assert next(some).sequence == 0  # in the middle of reading
    for n in range(1, 150):
        put(store, n)
    found = list(reader.after(1))
    assert [held.sequence for held in found] == list(range(1, 150))
    compacted = [held for held in found if held.message is None]
    assert compacted
    assert [part.steps for held in compacted for part in held.parts] == [5] * len(compacted)
    assert list(reader.after(found[-1].arrival)) == []
    log = file.with_name("experience.sqlite-wal").stat().st_size
    assert log < 8 * 1024 * 1024
    reader.close()
    store.close()


def test_a_store_is_read_when_nobody_writes_and_another_one_is_refused(tmp_path: Path):
    file = tmp_path / "experience.sqlite"
    with pytest.raises(StoreError, match="cannot read experience store"):
        StoreReader(file, CONTRACT)
    assert not file.exists()
    store = ExperienceStore(file, CONTRACT)
    put(store, 0)
    store.close()
    reader = StoreReader(file, CONTRACT)
    assert [held.sequence for held in reader.after()] == [0]
    reader.close()
    with pytest.raises(StoreError, match="observation_spec"):
        StoreReader(file, CAMERA)
