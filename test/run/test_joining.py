"""Which run a robot's machine joins, and what trainer and robot must agree on."""

import msgspec
import pytest

from naf_robot.core.clock_offset import ClockOffset
from naf_robot.core.errors import CodecError
from naf_robot.core.presence import Presence
from naf_robot.experience.envelope import encode
from naf_robot.run.agreement import TrainerFacts, agreement_of, disagreement, facts_of
from naf_robot.run.config import resolve
from naf_robot.run.introduction import (
    Announcement,
    Contact,
    ContactAnswer,
    decode_announcement,
    decode_answer,
    decode_contact,
    encode_announcement,
    encode_answer,
    encode_contact,
)
from naf_robot.run.joining import LISTEN_S, Joining
from naf_robot.training.known_robots import KnownRobots

OWN = agreement_of(resolve("reach"))
A, B = "a" * 16, "b" * 16


def said(run_id: str, instance: str = "", agreement: dict[str, str] | None = None) -> Announcement:
    return Announcement(
        run_id, instance or f"of {run_id}", f"host {run_id[0]}", OWN if agreement is None else agreement
    )


def test_the_one_trainer_that_learns_the_same_is_joined_once_no_second_one_was_heard():
    joining = Joining(OWN)
    assert "no trainer is heard: waiting for one that learns 'reach'" in joining.decide(0.0).waits_for
    joining.hear(said(A), 1.0)
    assert joining.decide(1.1).trainer is None
    joining.hear(said(A), 2.0)
    joining.hear(said(A), 3.0)
    found = joining.decide(1.0 + LISTEN_S)
    assert (found.trainer, found.waits_for) == (said(A), "")
    assert "no trainer is heard" in joining.decide(20.0).waits_for


def test_two_trainers_of_one_task_are_joined_by_nobody_unless_the_run_is_named():
    for run_id, expected in (("", None), (B, said(B))):
        joining = Joining(OWN, run_id)
        for now_s in (0.0, 1.0, 2.0, 3.0):
            joining.hear(said(A), now_s)
            joining.hear(said(B), now_s + 0.5)
        found = joining.decide(3.6)
        assert found.trainer == expected
        if expected is None:
            assert found.waits_for.startswith(f"2 trainers learn 'reach', {A} on host a and {B} on host b: ")


def test_a_folder_of_a_run_waits_for_a_trainer_of_that_run():
    joining = Joining(OWN, B)
    joining.hear(said(A), 0.0)
    assert f"belongs to run {B}, which no trainer works in; heard: {A} (reach, host a)" in joining.decide(3.0).waits_for


def test_a_second_trainer_in_the_same_run_is_noticed_and_one_started_again_is_not():
    joining = Joining(OWN, A)
    for now_s in (0.0, 1.0):
        joining.hear(said(A, "first"), now_s)
    for now_s in (3.0, 4.0):
        joining.hear(said(A, "second"), now_s)
    assert joining.rivals(4.0) == ""
    joining.hear(said(A, "first"), 4.5)
    assert joining.rivals(4.6).startswith(f"2 trainers work in run {A}")
    assert joining.rivals(30.0) == ""


@pytest.mark.parametrize(
    ("overrides", "text"),
    [
        ({"task": {"target_size": 0.4}}, "task.target_size is 0.4 there and 0.2 here"),
        ({"collector": {"action_velocity": 0.5}}, "collector.action_velocity is 0.5 there and 1.0 here"),
    ],
)
def test_a_trainer_that_learns_something_else_is_not_joined_and_the_difference_is_named(overrides: dict, text: str):
    joining = Joining(OWN)
    joining.hear(said(A, agreement=agreement_of(resolve("reach", overrides=[overrides]))), 0.0)
    waits_for = joining.decide(LISTEN_S).waits_for
    assert waits_for == f"the trainer of run {A} on host a learns something else: {text}"


def test_another_task_or_another_number_of_joints_is_named_first():
    door = disagreement(OWN, agreement_of(resolve("door_pull")))
    assert door.startswith("task_name is door_pull there and reach here")
    assert " more)" in door
    fewer = resolve("reach", overrides=[{"profile": "ur5e", "task": msgspec.to_builtins(resolve("reach").task)}])
    assert disagreement(OWN, agreement_of(fewer)).startswith(
        "joints is 6 there and 7 here; action size is 6 there and 7"
    )


def test_what_only_one_side_needs_may_differ():
    other = resolve(
        "reach",
        "sac",
        overrides=[{"seed": 3, "trainer": {"updates_per_transition": 0}, "safety": {"velocity_scale": 0.5}}],
    )
    assert disagreement(OWN, agreement_of(other)) == ""
    assert facts_of(other).ratio().collectors_must_wait(10_000, 0) is False


def test_introductions_survive_the_way_and_nonsense_is_refused():
    announcement = Announcement(A, "i", "host", OWN, TrainerFacts(updates_per_transition=2.0), 3)
    assert decode_announcement(encode_announcement(announcement)) == announcement
    contact = Contact(A, "left", "i", 123, "host", "offset")
    assert decode_contact(encode_contact(contact)) == contact
    answer = ContactAnswer(A, "left", "i", 1, 2, 3, "why not")
    assert decode_answer(encode_answer(answer)) == answer
    good = {"run": A, "instance": "i", "host": "h", "agreement": "{}", "facts": "{}", "decided": ""}
    assert decode_announcement(encode("announcement", {}, good)).decided is None
    for wrong in (
        {"run": "x"},
        {"agreement": "["},
        {"agreement": '{"a": 1}'},
        {"facts": '{"ratio_tolerance": -1}'},
        {"decided": "-1"},
    ):
        with pytest.raises(CodecError):
            decode_announcement(encode("announcement", {}, good | wrong))
    with pytest.raises(CodecError, match="robot name"):
        decode_contact(encode_contact(Contact(A, "../left", "i", 1)))


def test_the_offset_of_clocks_is_that_of_the_quickest_exchange():
    clock = ClockOffset()
    assert not clock.is_known
    ahead_s = 7.25
    for there_s, back_s in ((0.4, 0.1), (0.012, 0.01), (0.05, 0.6)):
        received_s = 100.0 + there_s + ahead_s
        clock.take(100.0, received_s, received_s + 0.02, 100.0 + there_s + 0.02 + back_s)
        assert abs(clock.offset_s - ahead_s) <= clock.error_s + 1e-9
    assert clock.error_s == pytest.approx(0.011)
    before = clock.offset_s
    clock.take(100.0, 107.0, 108.0, 100.5)  # a clock was set meanwhile
    assert clock.offset_s == before


def test_presence_forgets_those_that_are_silent():
    presence = Presence(fresh_s=2.0)
    presence.hear("a", 0.0)
    presence.hear("b", 1.0)
    assert presence.there(1.5) == ["a", "b"]
    assert presence.rivals(1.5) == []
    presence.hear("a", 1.6)
    assert presence.rivals(1.7) == ["a", "b"]
    assert presence.there(3.5) == ["a"]


def test_robots_that_the_configuration_does_not_name_are_taken_where_that_is_set():
    closed = KnownRobots(("left", "right"), accepts_others=False, addressed=False)
    assert closed.refusal("left") == ""
    assert closed.refusal("third") == "robot 'third' is not of this run, which takes 'left', 'right' alone"
    assert closed.names == ("left", "right")
    addressed = KnownRobots(("left",), accepts_others=True, addressed=True)
    assert "makes a policy for each robot of its configuration: 'left'" in addressed.refusal("third")
    open_to_all = KnownRobots(("left",), accepts_others=True, addressed=False)
    assert open_to_all.names == ()
    assert open_to_all.hear("third", "i", 0.0) == ""
    assert open_to_all.names == ("third",)
    assert open_to_all.hear("third", "j", 1.0) == ""  # started again
    assert open_to_all.hear("third", "i", 2.0).startswith("two collectors are called 'third'")
