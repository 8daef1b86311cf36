"""Bags into a store: every way of writing the same messages gives the same steps, and nothing twice."""

import json
import random
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("rosbags", reason="needs the extra bags")

import synthetic_bag as bags
from replaying import stored
from synthetic_bag import BEGIN_NS, PERIOD_NS, STEPS

from naf_robot.bringup.cli import main
from naf_robot.collecting.bags.readings import Readings
from naf_robot.core.records import concatenate
from naf_robot.experience.bags.files import RawMessage
from naf_robot.experience.bags.ordering import Stamped
from naf_robot.run.config import load
from naf_robot.run.contract import contract_of

BETWEEN = 3


def test_steps_are_those_of_the_messages(tmp_path: Path, replay):
    result = replay(bags.write(tmp_path / "bag", bags.bag_of()))
    assert (result["steps"], result["added"], result["refused"]) == (2 * STEPS, 2 * STEPS, 0)
    first, second = stored(tmp_path / "steps")
    scale = bags.config().collector.action_velocity
    for number, batch in enumerate((first, second)):
        begin = number * (BETWEEN + STEPS + 1) + BETWEEN
        ticks = np.arange(begin, begin + STEPS + 1)
        assert batch.stamp_s == pytest.approx(1e-9 * (BEGIN_NS + ticks * PERIOD_NS), abs=1e-9)
        np.testing.assert_allclose(batch.observation["joint_position"], [bags.position_at(t) for t in ticks], rtol=1e-6)
        np.testing.assert_allclose(batch.observation["target"], [[0.5, 0.01 * number, 0.4]] * (STEPS + 1), rtol=1e-6)
        np.testing.assert_allclose(
            batch.requested_action[:-1], [bags.desired_at(t) / scale for t in ticks[:-1]], rtol=1e-6
        )
        np.testing.assert_allclose(batch.action[:-1], [bags.executed_at(t) / scale for t in ticks[:-1]], rtol=1e-6)
        np.testing.assert_allclose(batch.reward_terms.sum(axis=1), batch.reward, rtol=1e-5)
        assert batch.has_action.tolist() == [True] * STEPS + [False]
        assert batch.truncated.tolist() == [False] * STEPS + [True]
        assert set(batch.greedy) == {number == 1}
        assert set(batch.policy_version) == {3 + number}


def test_the_same_messages_give_the_same_steps_however_they_are_written(tmp_path: Path, replay):
    entries = bags.bag_of()
    shuffled = list(entries)
    random.Random(1).shuffle(shuffled)  # within a recording of less than a second
    first = replay(bags.write(tmp_path / "plain", entries))
    assert (first["added"], first["refused"]) == (2 * STEPS, 0)
    others = {
        "sqlite3": bags.write(tmp_path / "sqlite3", entries, "sqlite3"),
        "compressed": bags.write(tmp_path / "compressed", entries, "mcap", "storage"),
        "messages": bags.write(tmp_path / "messages", entries, "sqlite3", "message"),
        "file": bags.write(tmp_path / "file", entries, "sqlite3", "file"),
        "shuffled": bags.write(tmp_path / "shuffled", shuffled),
        "a file": next((tmp_path / "plain").glob("*.mcap")),
    }
    for name, path in others.items():
        again = replay(path)
        assert (name, again["added"], again["refused"]) == (name, 0, 0)
        assert again["sha256"] == first["sha256"], name


def test_a_bag_in_two_files_is_one_bag(tmp_path: Path, replay):
    entries = bags.bag_of()
    whole = replay(bags.write(tmp_path / "bag", entries), folder="whole")
    parts = tmp_path / "parts"
    parts.mkdir()
    for number, part in enumerate((entries[:40], entries[40:])):
        made = bags.write(tmp_path / f"part{number}", part)
        next(made.glob("*.mcap")).rename(parts / f"bag_{number}.mcap")
    for given in ([parts], sorted(parts.iterdir())):
        assert replay(*given, folder=f"split{len(given)}")["sha256"] == whole["sha256"]


def test_few_pictures_wait_where_no_tick_takes_them():
    taken = []
    sensors = [
        SimpleNamespace(name=name, topic=name, kind="sample", read=lambda content: {}) for name in ("state", "camera")
    ]
    assembler = SimpleNamespace(arrive=lambda name, stamp_s, signals, now_s: taken.append((name, stamp_s)))
    model = bags.config().robot("left").arm.model()
    readings = Readings(sensors[0], sensors[1:], assembler, model, 2 * PERIOD_NS, 0, lambda what, stamp_ns: None)
    picture = bytes(bags.TYPES.serialize_cdr(bags.T[bags.STRING](data="a picture"), bags.STRING))
    for tick in range(200):
        raw = RawMessage("camera", bags.STRING, tick, picture)
        readings.add("camera", Stamped(tick * PERIOD_NS, 0, tick, tick, raw))
    assert readings.waiting("camera") < 10
    readings.give(199 * PERIOD_NS)
    assert taken == [("camera", pytest.approx(197 * PERIOD_NS * 1e-9))]


def of_topic(name: str, tick: int):
    return lambda entry: entry.topic.endswith(name) and entry.stamp_ns == BEGIN_NS + tick * PERIOD_NS


def not_a_number(entry: bags.Entry):
    names = entry.message.name
    return bags.joint_state(entry.stamp_ns, names, [float("nan")] * 7, [0.0] * 7)


def other_joints(entry: bags.Entry):
    return bags.joint_state(entry.stamp_ns, [f"other_{n}" for n in range(7)], [0.0] * 7, [0.0] * 7)


FIRST = BETWEEN + 2  # a tick in the first episode
EVENT = "episode"
FAULTS = {  # what is wrong: changed entries, steps that are left, words of the finding
    "a reading is missing": (
        lambda e: bags.without(e, of_topic("joint_states", FIRST)),
        2 * STEPS - 2,
        "no complete readings",
    ),
    "a reading is not a number": (
        lambda e: bags.changed(e, of_topic("joint_states", FIRST), not_a_number),
        2 * STEPS - 2,
        "joint_states position",
    ),
    "a request is missing": (
        lambda e: bags.without(e, of_topic("desired_velocity", FIRST)),
        2 * STEPS - 1,
        "no desired velocity",
    ),
    "what was executed is missing": (
        lambda e: bags.without(e, of_topic("executed_velocity", FIRST)),
        2 * STEPS - 1,
        "no executed velocity",
    ),
    "the end is missing": (
        lambda e: bags.without(e, lambda x: x.topic.endswith(EVENT) and '"end"' in x.message.data),
        2 * STEPS,
        None,
    ),
    "the begin is missing": (
        lambda e: bags.without(e, of_topic(EVENT, BETWEEN)),
        STEPS,
        "the recording begins within this episode",
    ),
    "another task": (
        lambda e: bags.changed(e, of_topic(EVENT, BETWEEN), lambda x: bags.event("begin", 0, x.stamp_ns, task="other")),
        STEPS,
        "it is of task 'other', not of 'reach'",
    ),
    "another spec": (
        lambda e: bags.changed(
            e, of_topic(EVENT, BETWEEN), lambda x: bags.event("begin", 0, x.stamp_ns, observation_spec="f00")
        ),
        STEPS,
        "it is of observation spec 'f00'",
    ),
    "another scale": (
        lambda e: bags.changed(
            e, of_topic(EVENT, BETWEEN), lambda x: bags.event("begin", 0, x.stamp_ns, max_joint_velocity=[0.5] * 7)
        ),
        STEPS,
        "collector.action_velocity",
    ),
    "another arm": (
        lambda e: bags.changed(
            e, of_topic(EVENT, BETWEEN), lambda x: bags.event("begin", 0, x.stamp_ns, joints=list("abcdefg"))
        ),
        STEPS,
        "its joints are ['a'",
    ),
    "a border that is none": (
        lambda e: bags.changed(e, of_topic(EVENT, BETWEEN), lambda x: bags.T[bags.STRING](data='{"stamp_ns": 1}')),
        STEPS,
        "episode event is malformed",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_good_part_is_kept_and_the_rest_named(tmp_path: Path, replay, fault: str):
    change, steps, words = FAULTS[fault]
    result = replay(bags.write(tmp_path / "bag", change(bags.bag_of())))
    assert result["code"] == 0
    assert result["steps"] == result["added"] == steps
    if words is not None:
        assert result["refused"] > 0
        assert words in json.dumps(result["findings"]), result["findings"]
        assert "left" in result["findings"][0]["first"]
    joined = concatenate(stored(tmp_path / "steps"))
    joined.validate(contract_of(load(tmp_path / "steps" / "config.yaml")).steps)


def test_an_episode_that_was_ended_within_a_tick_has_the_steps_that_were_carried_out(tmp_path: Path, replay):
    tick = BETWEEN + 4
    stamp_ns = BEGIN_NS + tick * PERIOD_NS
    entries = [e for e in bags.bag_of(1) if e.stamp_ns <= stamp_ns]
    log_ns, joints = entries[-1].log_ns, bags.config().robot("left").arm.joints
    end = bags.event("end", 0, stamp_ns, reason="shutdown", steps=4)
    for late, (name, kind, message) in enumerate(
        (
            ("desired_velocity", bags.JOINT_STATE, bags.joint_state(stamp_ns, joints, (), np.zeros(7))),
            ("desired_velocity", bags.JOINT_STATE, bags.joint_state(stamp_ns, ())),
            ("executed_velocity", bags.JOINT_STATE, bags.joint_state(stamp_ns, joints, (), np.zeros(7))),
            ("episode", bags.STRING, end),
        )
    ):
        entries.append(bags.Entry(f"/left/{name}", kind, log_ns + 1 + late, message))
    result = replay(bags.write(tmp_path / "bag", entries))
    assert (result["steps"], result["refused"], result["ends"]) == (4, 0, {"shutdown": 1})
    (batch,) = stored(tmp_path / "steps")
    assert batch.has_action.tolist() == [True] * 4 + [False]
    assert batch.truncated[-1]


def no_borders(entries: list[bags.Entry]) -> list[bags.Entry]:
    return bags.without(entries, lambda e: e.topic.endswith(EVENT))


GOAL = ("--goal", "target=0.5,0.0,0.4")


def test_borders_and_goal_can_be_declared_where_they_were_not_recorded(tmp_path: Path, replay):
    ticks = no_borders(bags.bag_of(1))  # BETWEEN + STEPS + 1 ticks: an episode of STEPS, and what is too short for one
    path = bags.write(tmp_path / "bag", ticks)
    whole = replay(path, "--borders", "whole", *GOAL, folder="whole")
    assert (whole["steps"], whole["ends"]) == (STEPS, {"time limit": 1})
    assert "--borders gaps begins another" in json.dumps(whole["findings"])
    gaps = replay(path, "--borders", "gaps", *GOAL)
    assert (gaps["steps"], gaps["refused"]) == (STEPS + BETWEEN - 1, 0)
    first, _ = stored(tmp_path / "steps")
    np.testing.assert_allclose(first.observation["target"], [[0.5, 0.0, 0.4]] * (STEPS + 1), rtol=1e-6)
    np.testing.assert_allclose(first.observation["joint_position"][0], bags.position_at(0), rtol=1e-6)
    again = replay(bags.write(tmp_path / "again", ticks, "sqlite3"), "--borders", "gaps", *GOAL)
    assert (again["added"], again["sha256"]) == (0, gaps["sha256"])
    other = bags.changed(ticks, lambda e: e.topic.endswith("executed_velocity"), slower)
    assert replay(bags.write(tmp_path / "other", other), "--borders", "gaps", *GOAL)["added"] == gaps["steps"]


def slower(entry: bags.Entry):
    return bags.joint_state(entry.stamp_ns, entry.message.name, (), 0.5 * entry.message.velocity)


def test_requests_beyond_the_scale_of_the_actions_are_counted(tmp_path: Path, replay):
    scale, fast = bags.config().collector.action_velocity, (BETWEEN + 1, BETWEEN + 3)

    def faster(entry: bags.Entry):
        return bags.joint_state(entry.stamp_ns, entry.message.name, (), np.full(7, -1.5 * scale))

    entries = bags.bag_of(2)
    for tick in fast:
        entries = bags.changed(entries, of_topic("desired_velocity", tick), faster)
    result = replay(bags.write(tmp_path / "bag", entries))
    assert (result["steps"], result["refused"]) == (2 * STEPS, 0)
    (finding,) = result["findings"]
    assert finding["count"] == len(fast)
    assert "beyond an action of 1" in finding["what"]
    assert "collector.action_velocity" in finding["what"]
    batch = stored(tmp_path / "steps")[0]
    np.testing.assert_array_equal(batch.requested_action[[1, 3]], -np.ones((2, 7)))
    exact = bags.changed(bags.bag_of(1), of_topic("desired_velocity", BETWEEN), lambda e: bags.joint_state(
        e.stamp_ns, e.message.name, (), np.full(7, scale)))  # fmt: skip
    assert replay(bags.write(tmp_path / "exact", exact), folder="exact_steps")["findings"] == []


def test_a_gap_in_the_requests_parts_declared_episodes(tmp_path: Path, replay):
    entries = no_borders(bags.bag_of(1))
    gap_ns = 5 * 10**9
    late = [
        bags.replace(e, log_ns=e.log_ns + gap_ns, message=moved(e, gap_ns))
        for e in entries
        if e.stamp_ns >= BEGIN_NS + 4 * PERIOD_NS
    ]
    entries = [e for e in entries if e.stamp_ns < BEGIN_NS + 4 * PERIOD_NS] + late
    result = replay(bags.write(tmp_path / "bag", entries), "--borders", "gaps", *GOAL)
    assert (result["steps"], result["refused"]) == (3 + 5, 0)
    assert result["ends"] == {"a gap in the recording": 1, "the recording ends": 1}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--borders", "gaps"), "a goal of task 'reach' is --goal target=X,X,X, got none"),
        (("--borders", "gaps", "--goal", "target=1,2"), "a goal of task 'reach' is --goal target=X,X,X"),
        (("--borders", "gaps", "--goal", "target=1,2,nan"), "a goal of task 'reach' is --goal target=X,X,X"),
        (("--borders", "gaps", "--goal", "target=a,b,c"), "must be NAME=NUMBER"),
        (GOAL, "--goal needs --borders"),
        ((), "--borders and --goal say where its episodes begin"),
    ],
)
def test_declared_borders_need_the_goal_of_the_task(tmp_path: Path, replay, given: tuple, words: str):
    result = replay(bags.write(tmp_path / "bag", no_borders(bags.bag_of(1))), *given)
    assert (result["code"], words in result["error"]) == (2, True), result["error"]
    assert not (tmp_path / "steps").exists()


def test_the_clock_is_set_back_within_an_episode(tmp_path: Path, replay):
    entries = bags.bag_of(1)
    again = [bags.replace(e, log_ns=e.log_ns + 5 * 10**9, message=moved(e, -50 * 10**9)) for e in bags.bag_of(1)]
    cut = [e for e in entries if e.stamp_ns < BEGIN_NS + (BETWEEN + 4) * PERIOD_NS]
    result = replay(bags.write(tmp_path / "bag", cut + again))
    assert result["steps"] == 3 + STEPS
    assert "the clock was set back" in json.dumps(result["findings"])


def moved(entry: bags.Entry, by_ns: int):
    if entry.type_name == bags.STRING:
        fields = json.loads(entry.message.data)
        return bags.T[bags.STRING](data=json.dumps(fields | {"stamp_ns": fields["stamp_ns"] + by_ns, "episode": 7}))
    stamp = bags.time_of(entry.stamp_ns + by_ns)
    if entry.type_name == bags.CLOCK:
        return bags.T[bags.CLOCK](clock=stamp)
    return bags.replace(entry.message, header=bags.replace(entry.message.header, stamp=stamp))


BAD = {
    "nothing there": (lambda folder: folder / "none", "there is no bag"),
    "a text": (lambda folder: text(folder / "notes.txt"), "is no bag"),
    "an empty folder": (lambda folder: made(folder / "empty"), "holds no bag"),
    "no bag in it": (lambda folder: text(folder / "bag_0.mcap"), "holds no message that can be read"),
    "no database": (lambda folder: text(folder / "bag_0.db3"), "holds no message that can be read"),
    "no robot": (
        lambda folder: bags.write(folder / "bag", [e for e in bags.bag_of() if e.topic == "/clock"]),
        "has no topic desired_velocity",
    ),
    "topics missing": (
        lambda folder: bags.write(folder / "bag", bags.without(bags.bag_of(), lambda e: "executed" in e.topic)),
        "has no messages on /left/executed_velocity",
    ),
    "no borders": (
        lambda folder: bags.write(folder / "bag", bags.without(bags.bag_of(), lambda e: e.topic.endswith(EVENT))),
        "has no messages on /left/episode",
    ),
    "of another type": (
        lambda folder: bags.write(folder / "bag", [of_string(e) for e in bags.bag_of()]),
        "/left/desired_velocity is of type std_msgs/msg/String",
    ),
    "compressed by an unknown plugin": (
        lambda folder: renamed_compression(bags.write(folder / "bag", bags.bag_of(), "sqlite3", "message")),
        "is compressed with 'lz9', which cannot be opened here",
    ),
    "of another arm": (
        lambda folder: bags.write(
            folder / "bag", bags.changed(bags.bag_of(), lambda e: e.topic.endswith("joint_states"), other_joints)
        ),
        "other_0",
    ),
}


def of_string(entry: bags.Entry) -> bags.Entry:
    if not entry.topic.endswith("desired_velocity"):
        return entry
    text = json.dumps({"stamp_ns": entry.stamp_ns})
    return bags.replace(entry, type_name=bags.STRING, message=bags.T[bags.STRING](data=text))


def renamed_compression(folder: Path) -> Path:
    metadata = folder / "metadata.yaml"
    metadata.write_text(metadata.read_text().replace("zstd", "lz9"))
    return folder


def text(path: Path) -> Path:
    path.write_text("This is no bag.")
    return path


def made(path: Path) -> Path:
    path.mkdir()
    return path


@pytest.mark.parametrize("bad", BAD)
def test_what_cannot_be_read_is_one_sentence_and_leaves_nothing(tmp_path: Path, replay, bad: str):
    make, words = BAD[bad]
    result = replay(make(tmp_path))
    assert result["code"] == 2
    (line,) = result["error"].strip().splitlines()
    assert line.startswith("error: ")
    assert words in line
    assert not (tmp_path / "steps").exists()


def test_an_existing_folder_is_added_to_if_it_is_of_the_task(tmp_path: Path, replay, capsys):
    replay(bags.write(tmp_path / "bag", bags.bag_of(1)))
    longer = replay(bags.write(tmp_path / "longer", bags.bag_of(3)))
    assert (longer["steps"], longer["added"]) == (3 * STEPS, 2 * STEPS)
    with sqlite3.connect(tmp_path / "steps" / "experience.sqlite") as database:
        assert database.execute("SELECT COUNT(*) FROM batches").fetchone() == (3,)
    words = ["replay", str(tmp_path / "bag"), "--task", "door_push", "--run-dir", str(tmp_path / "steps")]
    assert main(words) == 2
    assert "is of task 'reach', not of 'door_push'" in capsys.readouterr().err
