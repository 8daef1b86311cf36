"""Bags of which a part is there: what ended is kept, and the whole adds the rest."""

import json
import sqlite3
from pathlib import Path

import pytest

pytest.importorskip("rosbags", reason="needs the extra bags")

import synthetic_bag as bags
from synthetic_bag import BEGIN_NS, PERIOD_NS, STEPS

GOAL = ("--goal", "target=0.5,0.0,0.4")


def test_a_file_that_is_cut_off_is_read_as_far_as_it_goes(tmp_path: Path, replay):
    entries = bags.bag_of(episodes=8, log_step_ns=PERIOD_NS)
    file = bags.write_in_chunks(tmp_path / "bag_0.mcap", entries, 4096)
    assert replay(file, folder="whole")["steps"] == 8 * STEPS
    file.write_bytes(file.read_bytes()[: int(0.6 * file.stat().st_size)])
    result = replay(file)
    assert result["code"] == 0
    assert STEPS <= result["steps"] < 8 * STEPS
    assert "is cut off" in json.dumps(result["findings"])


def test_a_database_that_is_cut_off_is_read_as_far_as_it_goes(tmp_path: Path, replay):
    entries = bags.bag_of(episodes=15, log_step_ns=PERIOD_NS)
    folder = bags.write(tmp_path / "bag", entries, "sqlite3", "message")
    (folder / "metadata.yaml").unlink()  # without it nothing says that messages are compressed
    file = next(folder.glob("*.db3"))
    assert replay(folder, folder="whole")["steps"] == 15 * STEPS
    file.write_bytes(file.read_bytes()[: int(0.6 * file.stat().st_size)])
    result = replay(folder)
    assert result["code"] == 0
    assert 4 * STEPS <= result["steps"] < 15 * STEPS
    assert "is cut off" in json.dumps(result["findings"])


def rows(folder: Path) -> list[tuple]:
    """What the store in `folder` holds, without the order in which it came."""
    with sqlite3.connect(folder / "experience.sqlite") as database:
        found = database.execute("SELECT collector, sequence, first_step, steps, transitions, payload FROM batches")
        return sorted(row[:-1] for row in found)


def shortened(path: Path, source: Path, share: float) -> Path:
    path.mkdir()
    file = path / source.name
    file.write_bytes(source.read_bytes()[: int(share * source.stat().st_size)])
    return path


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
@pytest.mark.parametrize("share", [0.55, 0.8])
def test_the_whole_bag_adds_the_rest_of_one_that_was_read_cut_off(tmp_path: Path, replay, storage: str, share: float):
    entries = bags.bag_of(8, log_step_ns=PERIOD_NS)
    if storage == "mcap":
        made = file = bags.write_in_chunks(tmp_path / "bag_0.mcap", entries, 4096)
    else:
        made = bags.write(tmp_path / "bag", entries, storage)
        file = next(made.glob("*.db3"))
    alone = replay(made, folder="alone")
    cut = shortened(tmp_path / "cut", file, share)
    first = replay(cut)
    assert 0 < first["added"] < 8 * STEPS
    assert replay(cut)["added"] == 0
    second = replay(made)
    assert (second["added"], second["refused"]) == (8 * STEPS - first["added"], 0)
    assert second["sha256"] == alone["sha256"]
    assert rows(tmp_path / "steps") == rows(tmp_path / "alone")
    for again in (made, cut):
        assert replay(again)["added"] == 0


def test_a_later_file_of_a_bag_adds_the_rest_of_its_last_episode(tmp_path: Path, replay):
    entries = bags.bag_of(3)
    folder = tmp_path / "bag"
    folder.mkdir()
    within = next(n for n, e in enumerate(entries) if e.stamp_ns == BEGIN_NS + 15 * PERIOD_NS)
    for number, part in enumerate((entries[:within], entries[within:])):
        made = bags.write(tmp_path / f"part{number}", part)
        next(made.glob("*.mcap")).rename(folder / f"bag_{number}.mcap")
    first = replay(folder / "bag_0.mcap")
    assert (first["added"], first["refused"]) == (STEPS, 1)
    assert "the recording ends within it" in json.dumps(first["findings"])
    whole = replay(folder)
    assert (whole["added"], whole["refused"]) == (2 * STEPS, 0)
    replay(folder, folder="alone")
    assert rows(tmp_path / "steps") == rows(tmp_path / "alone")


@pytest.mark.parametrize("borders", ["whole", "gaps"])
def test_a_declared_episode_that_is_cut_off_waits_for_the_whole_file(tmp_path: Path, replay, borders: str):
    ticks = [e for e in bags.bag_of(4, log_step_ns=PERIOD_NS) if not e.topic.endswith("episode")]
    made = bags.write_in_chunks(tmp_path / "bag_0.mcap", ticks, 4096)
    settings = ("--borders", borders, *GOAL)
    first = replay(shortened(tmp_path / "cut", made, 0.95), *settings)
    assert first.get("steps", 0) < 4 * STEPS
    assert borders == "whole" or "its file is cut off" in json.dumps(first)
    whole = replay(made, *settings)
    alone = replay(made, *settings, folder="alone")
    assert whole["sha256"] == alone["sha256"]
    assert rows(tmp_path / "steps") == rows(tmp_path / "alone")
