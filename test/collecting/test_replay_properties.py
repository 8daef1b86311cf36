"""Properties of steps rebuilt from bags, over orders, files, forms, cuts and lost messages."""

import itertools
import random
import tempfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

pytest.importorskip("rosbags", reason="needs the extra bags")

import replaying
import synthetic_bag as bags
from synthetic_bag import PERIOD_NS, STEPS

few = settings(max_examples=15, deadline=None, derandomize=True, database=None)
LATE_NS = 900_000_000  # by which a message is written late at most
EPISODES = 4
FORMS = [("mcap", ""), ("mcap", "storage"), ("sqlite3", ""), ("sqlite3", "message"), ("sqlite3", "file")]


@cache
def entries() -> tuple[bags.Entry, ...]:
    """Four episodes at 20 Hz by log time; the third ends before its time limit."""
    made = bags.bag_of(EPISODES, log_step_ns=PERIOD_NS)
    begin = next(e.stamp_ns for e in made if e.topic.endswith("episode") and e.message.data.find('"episode": 2') > 0)
    last_ns = begin + 3 * PERIOD_NS
    cut = [e for e in made if not last_ns < e.stamp_ns <= begin + STEPS * PERIOD_NS]
    place = next(n for n, e in enumerate(cut) if e.stamp_ns > last_ns)
    cut.insert(place, bags.Entry("/left/episode", bags.STRING, cut[place - 1].log_ns + 1,
                                 bags.event("end", 2, last_ns, reason="stopped", steps=3)))  # fmt: skip
    return tuple(cut)


@cache
def whole() -> replaying.Reading:
    with tempfile.TemporaryDirectory() as folder:
        return replaying.read([bags.write(Path(folder) / "bag", entries())])


def disordered(seed: int) -> list[bags.Entry]:
    """The messages in another order: each was written up to LATE_NS late, and keeps its log time."""
    late = random.Random(seed)
    return sorted(entries(), key=lambda e: e.log_ns + late.randrange(LATE_NS))


def test_the_whole_recording_gives_every_episode():
    assert [len(batch) for batch in whole().batches] == [STEPS + 1, STEPS + 1, 4, STEPS + 1]
    assert whole().findings == []


@few
@given(
    seed=st.integers(0, 1000),
    storage=st.sampled_from(["mcap", "sqlite3"]),
    cuts=st.lists(st.integers(1, len(entries()) - 1), max_size=3, unique=True),
)
def test_division_into_files_changes_no_step(seed: int, storage: str, cuts: list[int]):
    messages = disordered(seed)
    with tempfile.TemporaryDirectory() as folder:
        parts = Path(folder) / "parts"
        parts.mkdir()
        for number, (begin, end) in enumerate(itertools.pairwise([0, *sorted(cuts), len(messages)])):
            made = bags.write(Path(folder) / f"part{number}", messages[begin:end], storage)
            file = next(path for path in made.iterdir() if path.suffix != ".yaml")
            file.rename(parts / f"bag_{number}{file.suffix}")
        assert replaying.read([parts]).content == whole().content


@few
@given(seed=st.integers(0, 1000), form=st.sampled_from(FORMS))
def test_order_and_form_change_no_step(seed: int, form: tuple[str, str]):
    with tempfile.TemporaryDirectory() as folder:
        made = bags.write(Path(folder) / "bag", disordered(seed), *form)
        assert replaying.read([made]).content == whole().content


@few
@given(seed=st.integers(0, 1000), form=st.sampled_from(["mcap", "sqlite3"]), share=st.floats(0.05, 0.99))
@example(seed=71, form="sqlite3", share=0.9375)  # the last page is missing, and no message needs it
def test_what_comes_of_a_cut_off_file_is_how_the_whole_begins(seed: int, form: str, share: float):
    messages = disordered(seed)
    with tempfile.TemporaryDirectory() as folder:
        if form == "mcap":
            file = bags.write_in_chunks(Path(folder) / "bag_0.mcap", messages, 4096)
        else:
            made = bags.write(Path(folder) / "bag", messages, form)
            file = next(made.glob("*.db3"))
        file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
        reading = replaying.read([file])
    assert reading.content == whole().content[: len(reading.batches)]
    assert any("cut off" in sentence for sentence in reading.findings)


@few
@given(lost=st.integers(0, len(entries()) - 1))
def test_a_lost_message_is_named_or_changes_nothing(lost: int):
    messages = [entry for number, entry in enumerate(entries()) if number != lost]
    with tempfile.TemporaryDirectory() as folder:
        reading = replaying.read([bags.write(Path(folder) / "bag", messages)])
    assert reading.findings or reading.content == whole().content, entries()[lost]
