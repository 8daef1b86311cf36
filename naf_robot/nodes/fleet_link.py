"""The trainer's link to robots on other machines: says which run it works in, and answers their contacts."""

import socket
import time

from std_msgs.msg import UInt8MultiArray

from naf_robot.core.errors import CodecError
from naf_robot.core.presence import Presence
from naf_robot.nodes import convert, topics
from naf_robot.nodes.diagnostics import Diagnostics
from naf_robot.nodes.executable import STEADY, ExecutableNode
from naf_robot.nodes.qos import latched, reliable
from naf_robot.run.agreement import agreement_of, facts_of
from naf_robot.run.introduction import (
    Announcement,
    ContactAnswer,
    decode_announcement,
    decode_contact,
    encode_announcement,
    encode_answer,
    new_instance,
    now_us,
)
from naf_robot.training.known_robots import KnownRobots

ANNOUNCE_S = 1.0


class FleetLink:
    """Announces the trainer of `run_id` once a second, and keeps account of the robots that are there."""

    def __init__(self, node: ExecutableNode, run_id: str, robots: KnownRobots) -> None:
        self._run_id, self._robots = run_id, robots
        self._agreement, self._facts = agreement_of(node.config), facts_of(node.config)
        self._instance, self._host = new_instance(), socket.gethostname()
        self._decided: int | None = None
        self._trainers = Presence()
        self._hosts: dict[str, str] = {}
        self._offsets: dict[str, str] = {}  # what robots know of this machine's clock, by their names
        self._diagnostics: Diagnostics | None = None
        self._announcement = node.create_publisher(UInt8MultiArray, topics.TRAINER_ANNOUNCEMENT, latched())
        self._answers = node.create_publisher(UInt8MultiArray, topics.TRAINER_CONTACT_ANSWER, reliable(100))
        node.create_subscription(UInt8MultiArray, topics.TRAINER_CONTACT, self._on_contact, reliable(100))
        node.create_subscription(UInt8MultiArray, topics.TRAINER_ANNOUNCEMENT, self._on_announcement, latched())
        node.create_timer(ANNOUNCE_S, self.announce, clock=STEADY)
        self.announce()

    def attach(self, diagnostics: Diagnostics) -> None:
        """Where refused messages are reported."""
        self._diagnostics = diagnostics

    def announce(self) -> None:
        """Say it now."""
        said = Announcement(self._run_id, self._instance, self._host, self._agreement, self._facts, self._decided)
        self._announcement.publish(convert.bytes_message(encode_announcement(said)))

    def decided(self, outcome: int) -> None:
        """The run is decided: robots are told."""
        self._decided = outcome
        self.announce()

    def trouble(self) -> str:
        """A sentence while another trainer works in the same run."""
        if not self._hosts:
            return ""
        others = [self._hosts.get(key, "?") for key in self._trainers.there(time.monotonic())]
        if not others:
            self._hosts.clear()
            return ""
        return f"another trainer works in run {self._run_id}, on {', '.join(others)}: end one; robots hold still"

    def report(self) -> dict[str, object]:
        """Values for `/diagnostics`."""
        return {f"clocks seen from {robot}": text for robot, text in self._offsets.items()}

    def _on_announcement(self, message: UInt8MultiArray) -> None:
        try:
            said = decode_announcement(bytes(message.data))
        except CodecError as error:
            self._refuse("announcement", error)
            return
        if said.run_id == self._run_id and said.instance != self._instance:
            self._trainers.hear(said.instance, time.monotonic())
            self._hosts[said.instance] = said.host

    def _on_contact(self, message: UInt8MultiArray) -> None:
        received_us = now_us()
        try:
            contact = decode_contact(bytes(message.data))
        except CodecError as error:
            self._refuse("contact of a robot", error)
            return
        if contact.run_id != self._run_id:
            return
        refusal = self._robots.hear(contact.robot, contact.instance, time.monotonic())
        if refusal:
            self._refuse("contact of a robot", refusal)
        elif contact.offset:
            self._offsets[contact.robot] = contact.offset
        answer = ContactAnswer(
            self._run_id, contact.robot, contact.instance, contact.sent_us, received_us, now_us(), refusal
        )
        self._answers.publish(convert.bytes_message(encode_answer(answer)))

    def _refuse(self, what: str, reason: object) -> None:
        if self._diagnostics is not None:
            self._diagnostics.refuse(what, reason)
