import json

import msgspec
import pytest

from naf_robot.core.errors import CodecError
from naf_robot.experience.episode_event import OF_END, EpisodeEvent

BEGIN = EpisodeEvent(
    event="begin",
    stamp_ns=1_795_000_000_123_456_789,
    episode=3,
    run_id="00ff00ff00ff00ff",
    task="reach",
    observation_spec="abc",
    greedy=True,
    policy_version=7,
    goal={"target": [0.1 + 0.2, -1e-17, 0.5]},
    joints=["a", "b"],
    max_joint_velocity=[1.0, 2.0],
    control_period_s=0.05,
)
END = msgspec.structs.replace(
    BEGIN, event="end", reason="time limit", terminated=False, success=True, steps=150, discarded=2
)


@pytest.mark.parametrize("event", [BEGIN, END], ids=["begin", "end"])
def test_an_event_is_read_back_to_the_last_bit(event: EpisodeEvent):
    assert EpisodeEvent.decode(event.encode()) == event


def test_a_begin_says_nothing_of_the_end():
    assert not set(OF_END) & set(json.loads(BEGIN.encode()))
    assert set(OF_END) <= set(json.loads(END.encode()))


def test_a_field_of_a_later_version_is_ignored():
    assert EpisodeEvent.decode(json.dumps(json.loads(END.encode()) | {"later": 1})) == END


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"event": "middle"}, "malformed"),
        ({"stamp_ns": None}, "malformed"),
        ({"goal": {"target": ["x"]}}, "malformed"),
        ({"joints": ["a"]}, "1 joints and 2 velocities"),
        ({"control_period_s": 0.0}, "above zero"),
        ({"max_joint_velocity": [1.0, -1.0]}, "above zero"),
        ({"episode": -1}, "below zero"),
    ],
)
def test_what_is_no_event_is_refused(change: dict, says: str):
    with pytest.raises(CodecError, match=says):
        EpisodeEvent.decode(json.dumps(json.loads(END.encode()) | change))


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "{}", '{"event": "begin"}', "\udc80"])
def test_other_texts_are_refused(text: str):
    with pytest.raises(CodecError, match="malformed"):
        EpisodeEvent.decode(text)
