"""Executable `experience_publisher`: sends the stored experience of a folder to a trainer that runs, until it has all.

Started by `naf-robot replay --publish`; the folder is that of its parameter `config`.
"""

import json
import socket
import sys
import time

from std_msgs.msg import UInt8MultiArray

from naf_robot.collecting.republishing import Republication
from naf_robot.core import run_files
from naf_robot.core.clock import SteadyClock
from naf_robot.core.errors import CodecError, ConfigError
from naf_robot.core.run_identity import known_run_id
from naf_robot.experience.codec import decode_acknowledgement
from naf_robot.experience.contract import Contract
from naf_robot.experience.reader import StoreReader
from naf_robot.nodes import convert, topics
from naf_robot.nodes.executable import ExecutableNode, run
from naf_robot.nodes.qos import EXPERIENCE, latched, reliable
from naf_robot.run.agreement import agreement_of
from naf_robot.run.contract import contract_of
from naf_robot.run.introduction import (
    Announcement,
    Contact,
    decode_announcement,
    decode_answer,
    encode_contact,
    new_instance,
    now_us,
)
from naf_robot.run.joining import Joining

CONTACT_S, TOLD_S = 2.0, 5.0  # between two contacts; between two sentences about the progress
PREFIX_DIGITS = 8  # of the folder's run id, in the names of its collectors
UNFINISHED = 1  # exit code


class ExperiencePublisherNode(ExecutableNode):
    """Waits for the one trainer that learns the same, then sends until everything is acknowledged."""

    def __init__(self) -> None:
        super().__init__("experience_publisher")
        self.own_run = known_run_id(self.run_dir)
        self.reader = StoreReader(self.run_dir / run_files.EXPERIENCE, contract_of(self.config, self.run_dir))
        self.joining = Joining(agreement_of(self.config))
        self.republication: Republication | None = None
        self.contract: Contract | None = None
        self.instance, self.host = new_instance(), socket.gethostname()
        self.refusal = ""
        self.experience = self.create_publisher(UInt8MultiArray, topics.EXPERIENCE, EXPERIENCE)
        self.contact = self.create_publisher(UInt8MultiArray, topics.TRAINER_CONTACT, reliable(10))
        self.create_subscription(UInt8MultiArray, topics.TRAINER_ANNOUNCEMENT, self.on_announcement, latched())
        self.create_subscription(UInt8MultiArray, topics.TRAINER_CONTACT_ANSWER, self.on_answer, reliable(100))
        self.create_subscription(UInt8MultiArray, topics.EXPERIENCE_ACK, self.on_acknowledgement, EXPERIENCE)

    def loop(self) -> int:
        """Publish; the exit code."""
        trainer = self.join()
        if trainer is None:
            return UNFINISHED
        contract = contract_of(self.config, self.run_dir)
        self.contract = Contract(**{**vars(contract), "run_id": trainer.run_id})
        folder = self.run_dir / run_files.OUTBOX
        folder.mkdir(exist_ok=True)
        prefix = f"replayed_{self.own_run[:PREFIX_DIGITS]}"
        published = self.republication = Republication(self.reader, folder, self.contract, prefix, SteadyClock())
        told_s = contacted_s = float("-inf")
        while not self.stop_requested:
            for payload in published.due():
                self.experience.publish(convert.bytes_message(payload))
            if published.done:
                break
            if (now_s := time.monotonic()) - contacted_s > CONTACT_S:
                contacted_s = now_s
                self.introduce(trainer.run_id)
            if self.refusal:
                raise ConfigError(f"the trainer of run {trainer.run_id} refuses it: {self.refusal}")
            if now_s - told_s > TOLD_S:
                told_s = now_s
                said = f"{published.batches} batches read, {published.waiting} not acknowledged"
                self.get_logger().info(f"run {trainer.run_id} on {trainer.host}: {said}")
            self.spin_once(0.05)
        print(json.dumps(self.result(trainer)), flush=True)
        return 0 if published.done else UNFINISHED

    def join(self) -> Announcement | None:
        """The trainer to publish to, None if a signal came first.

        Raises:
            ConfigError: it is that of the folder's own run, which has the experience.
        """
        told = ""
        while not self.stop_requested:
            decision = self.joining.decide(time.monotonic())
            if decision.trainer is not None:
                if decision.trainer.run_id == self.own_run:
                    raise ConfigError(f"the trainer that is heard works in this folder's own run {self.own_run}")
                return decision.trainer
            if decision.waits_for != told:
                told = decision.waits_for
                self.get_logger().warning(told)
            self.spin_once(0.1)
        return None

    def introduce(self, run_id: str) -> None:
        """Ask whether the trainer takes these collectors: experience of others it drops without an answer."""
        if self.republication is not None:
            for lane in self.republication.lanes.values():
                said = Contact(run_id, lane.name, self.instance, now_us(), self.host)
                self.contact.publish(convert.bytes_message(encode_contact(said)))

    def result(self, trainer: Announcement) -> dict[str, object]:
        """What came of it."""
        published = self.republication
        if published is None:
            return {}
        return {
            "run_id": trainer.run_id,
            "host": trainer.host,
            "collectors": sorted(lane.name for lane in published.lanes.values()),
            "batches": published.batches,
            "transitions": published.transitions,
            "unacknowledged": published.waiting,
            "resent": published.resent,
            "compacted": published.compacted,
        }

    def on_announcement(self, message: UInt8MultiArray) -> None:
        """A trainer says which run it works in."""
        try:
            self.joining.hear(decode_announcement(bytes(message.data)), time.monotonic())
        except CodecError as error:
            self.get_logger().warning(f"refused announcement: {error}", throttle_duration_sec=5.0)

    def on_answer(self, message: UInt8MultiArray) -> None:
        """The trainer takes a collector, or says why not."""
        try:
            answer = decode_answer(bytes(message.data))
        except CodecError as error:
            self.get_logger().warning(f"refused answer: {error}", throttle_duration_sec=5.0)
            return
        if answer.instance == self.instance and answer.refusal:
            self.refusal = answer.refusal

    def on_acknowledgement(self, message: UInt8MultiArray) -> None:
        """The trainer holds batches, ours or those of others."""
        if self.republication is None:
            return
        try:
            acknowledgement = decode_acknowledgement(bytes(message.data), self.contract)
        except CodecError as error:
            self.get_logger().warning(f"refused acknowledgement: {error}", throttle_duration_sec=5.0)
            return
        for lane in self.republication.lanes.values():
            if sequences := acknowledgement.of(lane.name):
                if acknowledgement.refusal:
                    self.refusal = acknowledgement.refusal
                else:
                    self.republication.acknowledge(lane.name, sequences)

    def close(self) -> None:
        """What is not acknowledged stays in the outboxes."""
        if self.republication is not None:
            self.republication.close()
        self.reader.close()


def main() -> int:
    """Entry point."""
    return run(ExperiencePublisherNode)


if __name__ == "__main__":
    sys.exit(main())
