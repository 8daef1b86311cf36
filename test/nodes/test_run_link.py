"""What a collector makes of what the trainer on another machine says, once it has joined."""

from array import array
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")

from std_msgs.msg import UInt8MultiArray

from naf_robot.core.clock_offset import ClockOffset
from naf_robot.core.run_identity import write_run_id
from naf_robot.nodes.diagnostics import OK, WARN
from naf_robot.nodes.run_link import RunLink
from naf_robot.run.agreement import TrainerFacts, agreement_of
from naf_robot.run.config import resolve
from naf_robot.run.folder_system import ROBOT, save_system
from naf_robot.run.introduction import (
    Announcement,
    ContactAnswer,
    decode_contact,
    encode_announcement,
    encode_answer,
    now_us,
)

RUN, OTHER = "a" * 16, "b" * 16


class Joined:
    """A collector's link to run `RUN`, without a graph."""

    def __init__(self, folder: Path) -> None:
        self.run_dir, self.config = folder, resolve("reach", overrides=[{"robots": ["left"]}])
        self.sent, self.holds, self.refused, self.waiting_batches = [], {}, [], [3]
        self.heeded = None
        save_system(folder, ROBOT)
        write_run_id(folder, RUN)
        self.receive = {}
        self.link = RunLink(self, "left")
        collector = SimpleNamespace(hold=self.hold, heed=lambda ratio, window: setattr(self, "heeded", (ratio, window)))
        outbox = SimpleNamespace(waiting=lambda: self.waiting_batches)
        self.link.attach(
            collector, outbox, SimpleNamespace(refuse=lambda what, reason: self.refused.append(str(reason)))
        )
        self.said = agreement_of(self.config)
        assert "waiting for the trainer to say that it takes this robot" in self.holds["run"]
        self.answer()
        assert self.holds == {}

    def hold(self, source: str, reason: str | None) -> None:
        assert source == "run"
        self.holds = {} if reason is None else {source: reason}

    def create_publisher(self, kind, topic, qos) -> SimpleNamespace:
        return SimpleNamespace(publish=lambda message: self.sent.append(bytes(message.data)))

    def create_subscription(self, kind, topic, callback, qos) -> None:
        self.receive[topic] = callback

    def announce(self, run_id: str = RUN, instance: str = "i", **more) -> None:
        said = Announcement(run_id, instance, "desk", **{"agreement": self.said, **more})
        self.receive["/trainer/announcement"](UInt8MultiArray(data=array("B", encode_announcement(said))))
        self.link.housekeeping()

    def answer(self, ahead_s: float = 0.0, refusal: str = "") -> None:
        self.link._contacted_s = float("-inf")
        self.link.housekeeping()
        contact = decode_contact(self.sent[-1])
        there_us = now_us() + round(1e6 * ahead_s)
        answer = ContactAnswer(RUN, "left", contact.instance, contact.sent_us, there_us, there_us, refusal)
        self.receive["/trainer/contact_answer"](UInt8MultiArray(data=array("B", encode_answer(answer))))
        self.link.housekeeping()

    def outcome(self) -> str | None:
        path = self.run_dir / "outcome"
        return path.read_text() if path.exists() else None


def test_the_trainers_settings_are_heeded_and_other_runs_are_not(tmp_path: Path):
    joined = Joined(tmp_path)
    joined.announce(OTHER, "o", facts=TrainerFacts(evaluation_rule="window", evaluation_window=7), decided=0)
    assert (joined.heeded, joined.holds) == (None, {})
    joined.announce(facts=TrainerFacts(updates_per_transition=2.0, evaluation_rule="window", evaluation_window=1))
    ratio, new_test = joined.heeded
    test = new_test()
    test.add(True)
    assert (ratio.updates_per_transition, test.passed, joined.holds) == (2.0, True, {})
    joined.announce(agreement=joined.said | {"task.target_size": "0.9"})  # resumed with another configuration
    assert "task.target_size is 0.9 there and 0.2 here" in joined.holds["run"]
    joined.receive["/trainer/announcement"](UInt8MultiArray(data=array("B", b"x" * 40)))
    assert len(joined.refused) == 1


def test_a_decided_run_is_held_at_once_and_ended_when_all_is_uploaded(tmp_path: Path):
    joined = Joined(tmp_path)
    joined.announce(decided=3)
    assert joined.holds["run"] == "the run is decided: all its episodes were made"
    assert joined.outcome() is None
    joined.waiting_batches.clear()
    joined.link.housekeeping()
    assert joined.outcome() == "3\n"


def test_a_second_trainer_in_the_run_and_a_robot_that_is_not_taken_hold_still(tmp_path: Path):
    joined = Joined(tmp_path)
    for instance in ("i", "j", "i"):
        joined.announce(instance=instance)
    assert joined.holds["run"].startswith(f"2 trainers work in run {RUN}")
    other = Joined(tmp_path)
    other.answer(refusal="robot 'left' is not of this run")
    assert other.holds["run"] == "robot 'left' is not of this run"
    other.answer()
    assert other.holds == {}


def test_clocks_that_are_far_apart_are_a_warning_and_no_more(tmp_path: Path):
    joined = Joined(tmp_path)
    status = (OK, "running an episode", {})
    assert joined.link.with_warning(status) == status
    joined.answer(ahead_s=0.01)
    assert joined.link.with_warning(status) == status
    joined = Joined(tmp_path)
    joined.link._offset = ClockOffset()
    joined.answer(ahead_s=3.0)
    level, message, _ = joined.link.with_warning(status)
    assert level == WARN
    assert message.startswith("running an episode; the trainer's clock is 3.0")
    assert "ahead of this machine's" in message
    assert joined.link.report()["trainer clock offset [s]"] == pytest.approx(3.0, abs=0.05)
    assert joined.holds == {}
