"""The stored experience of a folder reaches a trainer elsewhere, every batch once."""

import json
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")
from graph import Graph, graph
from std_msgs.msg import UInt8MultiArray
from stored_run import STEPS, make_stored_run

from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.core import run_files
from naf_robot.experience.store import ExperienceStore
from naf_robot.nodes import convert, topics
from naf_robot.nodes.qos import EXPERIENCE, EXPERIENCE_INTAKE, latched, reliable
from naf_robot.run.agreement import agreement_of
from naf_robot.run.contract import contract_of
from naf_robot.run.introduction import (
    Announcement,
    ContactAnswer,
    decode_contact,
    encode_announcement,
    encode_answer,
    now_us,
)
from naf_robot.training.known_robots import KnownRobots
from naf_robot.training.receiver import Progress, Receiver

pytestmark = pytest.mark.ros


class Trainer:
    """The part of a trainer that robots of other machines meet."""

    def __init__(self, g: Graph, folder: Path, config, accepts_others: bool) -> None:
        folder.mkdir()
        self.contract, self.robots = contract_of(config, folder), KnownRobots(("a",), accepts_others, False)
        self.store = ExperienceStore(folder / run_files.EXPERIENCE, self.contract)
        take, progress = lambda message: [], lambda: Progress(0, 0)
        self.receiver = Receiver(self.store, self.contract, self.robots, take, progress, 1 << 24)
        node = g.node
        said = Announcement(self.contract.run_id, "1" * 16, "elsewhere", agreement_of(config))
        self.announcement = node.create_publisher(UInt8MultiArray, topics.TRAINER_ANNOUNCEMENT, latched())
        self.announcement.publish(convert.bytes_message(encode_announcement(said)))
        self.answers = node.create_publisher(UInt8MultiArray, topics.TRAINER_CONTACT_ANSWER, reliable(10))
        self.acknowledgements = node.create_publisher(UInt8MultiArray, topics.EXPERIENCE_ACK, EXPERIENCE)
        node.create_subscription(UInt8MultiArray, topics.TRAINER_CONTACT, self.on_contact, reliable(10))
        node.create_subscription(UInt8MultiArray, topics.EXPERIENCE, self.on_experience, EXPERIENCE_INTAKE)
        node.create_timer(0.02, self.answer)

    def on_contact(self, message: UInt8MultiArray) -> None:
        said = decode_contact(bytes(message.data))
        refusal = self.robots.hear(said.robot, said.instance, 0.0)
        now = now_us()
        answer = ContactAnswer(said.run_id, said.robot, said.instance, said.sent_us, now, now, refusal)
        self.answers.publish(convert.bytes_message(encode_answer(answer)))

    def on_experience(self, message: UInt8MultiArray) -> None:
        self.receiver.submit(bytes(message.data))

    def answer(self) -> None:
        for answer in self.receiver.settle().answers:
            self.acknowledgements.publish(convert.bytes_message(answer))

    def close(self) -> None:
        self.receiver.settle(wait=True)
        self.receiver.close()
        self.store.close()


def publisher(g: Graph, folder: Path):
    parameters = {"config": str(folder / run_files.CONFIG)}
    return g.start(NodeSpec("publisher", "naf_robot.nodes.experience_publisher", parameters=parameters), folder / "log")


def test_all_batches_reach_a_trainer_that_learns_the_same(tmp_path: Path):
    config = make_stored_run(tmp_path / "run")
    with graph() as g:
        trainer = Trainer(g, tmp_path / "trainer", config, accepts_others=True)
        child = publisher(g, tmp_path / "run")
        g.wait_for(lambda: child.poll() is not None, 30.0, "everything is acknowledged")
        log = (tmp_path / "run" / "log").read_text()
        assert child.returncode == 0, log
        result = json.loads(log.splitlines()[-1])
        assert result["run_id"] == trainer.contract.run_id
        assert (result["batches"], result["transitions"], result["unacknowledged"]) == (4, 4 * STEPS, 0)
        assert len(list(trainer.store.held())) == 4
        assert {each.collector for each in trainer.store.held()} == set(result["collectors"])
        trainer.close()
