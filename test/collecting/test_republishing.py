from pathlib import Path

import numpy as np
import pytest
from manual_clock import ManualClock
from stored_run import STEPS, make_stored_run

from naf_robot.collecting import republishing
from naf_robot.collecting.republishing import Republication, name_of
from naf_robot.core import run_files
from naf_robot.experience.codec import Acknowledgement, decode_acknowledgement, decode_experience
from naf_robot.experience.reader import StoreReader
from naf_robot.experience.store import ExperienceStore
from naf_robot.run.contract import contract_of
from naf_robot.training.known_robots import KnownRobots
from naf_robot.training.receiver import Progress, Receiver


class Other:
    """The receiving end of another run's trainer."""

    def __init__(self, folder: Path, config) -> None:
        folder.mkdir()
        self.contract = contract_of(config, folder)
        self.store = ExperienceStore(folder / run_files.EXPERIENCE, self.contract)
        robots = KnownRobots((), accepts_others=True, addressed=False)
        self.receiver = Receiver(self.store, self.contract, robots, lambda m: [], lambda: Progress(0, 0), 1 << 24)

    def take(self, payloads: list[bytes]) -> list[Acknowledgement]:
        for payload in payloads:
            self.receiver.submit(payload)
        return [decode_acknowledgement(answer, self.contract) for answer in self.receiver.settle(wait=True).answers]

    def close(self) -> None:
        self.receiver.close()
        self.store.close()


@pytest.fixture
def config(tmp_path: Path):
    return make_stored_run(tmp_path / "run")


def begin(tmp_path: Path, config, other: Other, clock: ManualClock) -> tuple[StoreReader, Republication]:
    reader = StoreReader(tmp_path / "run" / run_files.EXPERIENCE, contract_of(config, tmp_path / "run"))
    boxes = tmp_path / "boxes"
    boxes.mkdir(exist_ok=True)
    return reader, Republication(reader, boxes, other.contract, "replayed_ab", clock)


def publish(republication: Republication, other: Other, clock: ManualClock, lossy: bool = False) -> None:
    for turn in range(50):
        payloads = republication.due()
        if republication.done:
            return
        for answer in other.take(payloads[::2] if lossy and turn < 3 else payloads):
            for name in set(answer.collectors):
                republication.acknowledge(name, answer.of(name))
        clock.advance(20.0)
    raise AssertionError("not everything is acknowledged")


def test_everything_arrives_once_as_experience_of_no_policy_of_the_other_run(tmp_path, config, monkeypatch):
    monkeypatch.setattr(republishing, "WAITING", 1)
    clock, other = ManualClock(), Other(tmp_path / "other", config)
    reader, republication = begin(tmp_path, config, other, clock)
    publish(republication, other, clock, lossy=True)
    assert republication.resent > 0
    assert (republication.batches, republication.transitions) == (4, 4 * STEPS)
    republication.close()
    held = list(other.store.held())
    assert {(each.collector, each.sequence) for each in held} == {
        (f"replayed_ab_{robot}", sequence) for robot in ("left", "right") for sequence in range(2)
    }
    own = {(each.collector, each.sequence): each.message.batch for each in reader.after()}
    for each in held:
        batch, before = each.message.batch, own[each.collector.removeprefix("replayed_ab_"), each.sequence]
        np.testing.assert_array_equal(batch.observation["joint_position"], before.observation["joint_position"])
        np.testing.assert_array_equal(batch.stamp_s, before.stamp_s)
        assert not batch.greedy.any()
        assert not batch.policy_version.any()

    reader, again = begin(tmp_path, config, other, clock)
    assert again.due() == []
    assert again.done
    again.close()
    reader.close()
    other.close()


def test_what_was_not_acknowledged_is_sent_by_the_next_one(tmp_path, config):
    clock, other = ManualClock(), Other(tmp_path / "other", config)
    reader, first = begin(tmp_path, config, other, clock)
    sent = first.due()
    assert {decode_experience(payload, other.contract, 1 << 24).sequence for payload in sent} == {0, 1}
    first.close()
    reader.close()
    reader, second = begin(tmp_path, config, other, clock)
    publish(second, other, clock)
    assert len(list(other.store.held())) == 4
    second.close()
    reader.close()
    other.close()


def test_names_are_those_that_a_robot_may_have():
    assert name_of("replayed_ab", "left") == "replayed_ab_left"
    assert name_of("replayed_ab", "Bag__1-2 of/left_") == "replayed_ab_bag_1_2_of_left"
