"""A robot on another machine is pinned to a version that its trainer gives it."""

from array import array
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")

from std_msgs.msg import UInt8MultiArray
from step_batches import CONTRACT

from naf_robot.core import run_files
from naf_robot.core.records import PolicyParameters
from naf_robot.experience.codec import encode_parameters
from naf_robot.nodes.pin_request import PinRequest, RequestedPolicies
from naf_robot.run.config import resolve, save
from naf_robot.run.folder_system import ROBOT, save_system
from naf_robot.run.pin import PinFile, read_request, write_request
from naf_robot.run.rollback import pin_robots


class Ends:
    """The robot's and the trainer's end, and a wire between them."""

    def __init__(self, folder: Path) -> None:
        self.run_dir, self.asked, self.refused = folder, [], []
        save(resolve("reach", overrides=[{"robots": ["left"]}]), folder / run_files.CONFIG)
        save_system(folder, ROBOT)
        publisher = SimpleNamespace(publish=lambda message: self.asked.append(message.data))
        diagnostics = SimpleNamespace(refuse=lambda what, reason: self.refused.append(str(reason)))
        self.robot = PinRequest(self, "left", CONTRACT, diagnostics, publisher)
        self.trainer = RequestedPolicies(self, CONTRACT.run_id)

    def create_subscription(self, kind, topic, callback, qos) -> None:
        self.receive = callback

    def create_publisher(self, kind, topic, qos) -> SimpleNamespace:
        return SimpleNamespace(publish=lambda message: self.receive(message))


def version(number: int, addressee: str = "") -> PolicyParameters:
    arrays = {"w0": np.zeros((CONTRACT.observation_size, CONTRACT.action_size), np.float32)}
    return PolicyParameters(
        arrays, number, CONTRACT.task, CONTRACT.observation_spec, 1, 2, CONTRACT.run_id, addressee=addressee
    )


def test_a_pin_on_a_robots_machine_is_asked_of_the_trainer_until_it_answers(tmp_path: Path):
    ends = Ends(tmp_path)
    ends.robot.housekeeping()
    assert ends.asked == []
    assert pin_robots(tmp_path, None, 4, release=False)["asked of the trainer"] is True
    ends.robot.housekeeping()
    ends.robot.housekeeping()  # not again at once
    assert ends.asked == ["left 4"]
    ends.receive(UInt8MultiArray(data=array("B", encode_parameters(version(5)))))  # for another robot
    assert read_request(tmp_path, "left") == "4"
    ends.trainer.answer(ends.asked[0], {4: version(4)}.get)
    pin = PinFile(tmp_path, "left")
    assert pin.changed()
    assert pin.read(CONTRACT).version == 4
    assert (read_request(tmp_path, "left"), ends.refused) == ("", [])
    pin_robots(tmp_path, "left", None, release=True)
    assert pin.changed()
    assert pin.read(CONTRACT) is None


def test_a_version_that_there_is_not_is_refused_with_the_reason_and_not_asked_for_again(tmp_path: Path):
    ends = Ends(tmp_path)
    for number, recent, text in (
        (9, {}, "no complete checkpoint"),
        (3, {3: version(3, "right")}, "is addressed to 'right'"),
    ):
        write_request(tmp_path, "left", str(number))
        ends.robot.housekeeping()
        ends.trainer.answer(ends.asked[-1], recent.get)
        assert text in ends.refused[-1]
        assert read_request(tmp_path, "left") == ""
    write_request(tmp_path, "left", "best")
    ends.robot.housekeeping()
    ends.trainer.answer("left best", {}.get)
    assert len(ends.refused) == 3
    for nonsense in ("left", "left x", "left " + "9" * 500, ""):
        ends.trainer.answer(nonsense, {}.get)
    assert len(ends.refused) == 3
    assert not PinFile(tmp_path, "left").changed()
