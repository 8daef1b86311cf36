"""Executable `recorder`, one per robot: writes the robot's topics to a bag in the run folder, messages unopened.

It listens and publishes nothing but its diagnostics, and no other process waits for it.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from inspect import Parameter, Signature
from typing import Any

from naf_robot.core import run_files
from naf_robot.core.errors import CodecError, ConfigError
from naf_robot.core.run_identity import known_run_id
from naf_robot.experience.envelope import sender_of
from naf_robot.experience.recording.background import BackgroundBag, Message
from naf_robot.experience.recording.bag import Bag
from naf_robot.experience.recording.completion import complete_bags
from naf_robot.experience.recording.folders import bag_folders, new_bag_folder
from naf_robot.experience.recording.gaps import Gaps
from naf_robot.experience.recording.mcap_file import Topic
from naf_robot.nodes.diagnostics import ERROR, OK, WARN, Diagnostics, Status
from naf_robot.nodes.executable import STEADY, ExecutableNode, run
from naf_robot.nodes.recorded_qos import yaml_of
from naf_robot.nodes.recorded_topics import RecordedTopic, recorded_topics
from naf_robot.nodes.sensor_messages import message_type
from naf_robot.run.stop_times import RECORDER_DRAIN_S

QUIET_S = 0.1  # without a message, after which nothing more is expected at the end
MAX_SEQUENCE = 2**32 - 1  # in MCAP
NO_DIMENSIONS, BYTES_AT = bytes(4), 16  # of a serialized UInt8MultiArray: its layout has none; its bytes then begin


class WithInfo:
    """A subscription's callback that gets the message and what the middleware says of it, under either executor.

    The events executor calls it with both as one tuple, the other with two arguments (rclpy 7.1).
    """

    __signature__ = Signature([Parameter(name, Parameter.POSITIONAL_ONLY) for name in ("message", "info")])

    def __init__(self, take: Callable[[bytes, Mapping[str, Any]], None]) -> None:
        self._take = take

    def __call__(self, *given: Any) -> None:
        """The message came."""
        message, info = given if len(given) == 2 else given[0]
        self._take(message, info)


class RecorderNode(ExecutableNode):
    """Takes serialized messages and hands them to a thread that writes them."""

    def __init__(self) -> None:
        super().__init__("recorder")
        self.robot = self.robot_parameter()
        bags = self.run_dir / run_files.BAGS
        older = bag_folders(bags, self.robot)
        settings = self.config.recording
        self.about = {"task": self.config.task_name, "robot": self.robot}
        folder = new_bag_folder(bags, self.robot)
        try:
            bag = Bag(folder, settings.chunk_bytes, settings.compression, settings.split_bytes, self.about)
        except OSError as error:
            raise ConfigError(f"cannot begin the bag {str(folder)!r}: {error.strerror}") from None
        self.bag = BackgroundBag(
            bag,
            settings.flush_s,
            settings.chunk_bytes,
            settings.queue_bytes,
            settings.min_free_bytes,
            lambda: self.log_each(complete_bags(iter(older))),
        )
        self.received = 0
        self.gaps: dict[str, Gaps] = {}
        self.last_s = time.monotonic()
        self.trouble = ""  # as logged
        self.known: dict[str, Topic] = {}
        for each in recorded_topics(self.config, self.robot):
            kind = message_type(each.type_name)
            self.gaps[each.name] = Gaps()
            self.create_subscription(kind, each.name, WithInfo(partial(self.take, each)), each.qos, raw=True)
        self.node_parameters.show(bag=str(folder))
        self.diagnostics = Diagnostics(self, STEADY, self.report)

    def log_each(self, sentences: Iterator[str]) -> None:
        """Say what was found of earlier bags."""
        for sentence in sentences:
            self.get_logger().warning(sentence)

    def take(self, topic: RecordedTopic, data: bytes, info: Mapping[str, Any]) -> None:
        """A message as it came."""
        self.last_s = time.monotonic()
        number = info.get("publication_sequence_number")
        self.gaps[topic.name].take(number)
        if topic.of_one and not self.is_own(data):
            return
        known = self.known.get(topic.name)
        if known is None:
            known = self.known[topic.name] = self.facts_of(topic)
        self.received += 1
        came_ns, sent_ns = info["received_timestamp"], info["source_timestamp"]
        self.bag.put(Message(known, came_ns, sent_ns, data, (number or 0) & MAX_SEQUENCE))

    def is_own(self, data: bytes) -> bool:
        """Whether a serialized UInt8MultiArray is experience of this robot."""
        try:
            return data[4:8] == NO_DIMENSIONS and sender_of(data[BYTES_AT:]) == self.robot
        except CodecError:
            return False

    def facts_of(self, topic: RecordedTopic) -> Topic:
        """What is written down of a topic: its publishers, one of which has just sent, say what they offer."""
        name = self.resolve_topic_name(topic.name)
        offers = self.get_publishers_info_by_topic(name)
        kept = yaml_of([offer.qos_profile for offer in offers] or [topic.qos])
        type_hash = str(offers[0].topic_type_hash) if offers else ""
        return Topic(name, topic.type_name, kept, type_hash)

    def report(self) -> Status:
        """What is recorded, or why not."""
        lost = {name: gaps.lost for name, gaps in self.gaps.items() if gaps.lost}
        values = {"received messages": self.received, "lost messages": sum(lost.values()), **self.bag.report()}
        values |= {f"lost of {name}": count for name, count in lost.items()}
        trouble = self.bag.trouble
        if trouble != self.trouble:
            self.get_logger().error(trouble) if trouble else self.get_logger().info("recording again")
            self.trouble = trouble
        if trouble:
            return ERROR, trouble, values
        if self.bag.dropped or lost:
            sentence = f"recording; {sum(lost.values())} messages were lost on the way, {self.bag.dropped} dropped here"
            return WARN, sentence, values
        return OK, "recording", values

    def close(self) -> None:
        """Take what still comes, and finish the bag."""
        end_s = time.monotonic() + RECORDER_DRAIN_S
        while time.monotonic() < min(end_s, self.last_s + QUIET_S):
            self.spin_once(0.02)
        self.about["run_id"] = known_run_id(self.run_dir)  # a robot's machine gets it from its trainer
        self.bag.close()
        self.diagnostics.publish()


def main() -> int:
    """Entry point."""
    return run(RecorderNode)


if __name__ == "__main__":
    sys.exit(main())
