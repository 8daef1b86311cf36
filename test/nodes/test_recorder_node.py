"""The recorder as a process: what came is in the bag as it came, also when it is killed."""

import signal
from pathlib import Path

import numpy as np
import pytest
import yaml

pytest.importorskip("rclpy", reason="needs rclpy and its messages")
from bags import recorded
from diagnostic_msgs.msg import DiagnosticArray
from graph import Graph, graph
from rclpy.serialization import deserialize_message
from rosbags import rosbag2
from sensor_msgs.msg import JointState
from std_msgs.msg import String, UInt8MultiArray

from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.core.run_identity import run_identity
from naf_robot.experience.chunks import split
from naf_robot.experience.envelope import encode
from naf_robot.experience.recording.completion import Content
from naf_robot.nodes import convert, topics
from naf_robot.nodes.qos import EXPERIENCE, SENSOR, latched, reliable
from naf_robot.run.config import resolve, save

pytestmark = pytest.mark.ros
COUNT = 60


class Bench:
    """Publishes what a robot would, and starts its recorder."""

    def __init__(self, g: Graph, folder: Path) -> None:
        self.graph, self.folder = g, folder
        self.values: dict[str, str] = {}
        recording = {"flush_s": 0.05, "min_free_bytes": 1}
        save(resolve("reach", overrides=[{"robots": ["a", "b"], "recording": recording}]), folder / "config.yaml")
        run_identity(folder)
        node = g.node
        node.create_subscription(DiagnosticArray, "/diagnostics", self.on_diagnostics, reliable(10))
        self.states = node.create_publisher(JointState, f"/a/{topics.JOINT_STATES}", SENSOR)
        self.episode = node.create_publisher(String, f"/a/{topics.EPISODE}", latched(2))
        self.experience = node.create_publisher(UInt8MultiArray, topics.EXPERIENCE, EXPERIENCE)

    def on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self.values = {pair.key: pair.value for pair in status.values} | {"message": status.message}

    def start(self, name: str):
        """The recorder, once it receives joint states; how many of them are in its bag."""
        parameters = {"config": str(self.folder / "config.yaml"), "robot": "a"}
        spec = NodeSpec("recorder", "naf_robot.nodes.recorder", namespace="a", parameters=parameters)
        child = self.graph.start(spec, self.folder / "log")
        path = self.folder / "bags" / name / f"{name}_0.mcap"
        self.graph.wait_for(path.is_file, what="the bag is begun")
        for n in range(1000):
            if self.count(path) and self.experience.get_subscription_count():
                break
            self.send_states(n, n + 1)
        known, same = self.count(path), 0
        while same < 8:  # what was sent is on its way, longer on a busy machine
            self.graph.spin_for(0.2)
            same = same + 1 if known == self.count(path) else 0
            known = self.count(path)
        return child, path, known

    def count(self, path: Path, topic: str = "/a/joint_states") -> int:
        """Messages in the chunks of a file that is being written."""
        content = Content()
        with path.open("rb") as file:
            content.scan(file, str(path))
        return content.facts("").counts.get(topic, 0)

    def send_states(self, begin: int, end: int) -> list[JointState]:
        sent = []
        for n in range(begin, end):
            message = convert.joint_state(["j"], convert.stamp(0.05 * n), np.array([0.1 * n]))
            self.states.publish(message)
            sent.append(message)
            self.graph.spin_for(0.001)
        return sent

    def wait_for_states(self, path: Path, count: int) -> None:
        self.graph.wait_for(lambda: self.count(path) >= count, what=f"{count} joint states are in the bag")


def said(bag: dict[str, list[tuple[int, bytes]]], topic: str, kind: type) -> list:
    return [deserialize_message(data, kind) for _, data in bag[topic]]


def about(folder: Path) -> dict[str, str]:
    metadata = yaml.safe_load((folder / "metadata.yaml").read_text())
    return metadata["rosbag2_bagfile_information"]["custom_data"]


def batch(robot: str) -> bytes:
    return encode("experience", {"x": np.arange(9)}, {"collector": robot})


def test_messages_are_recorded_as_they_came_and_those_of_a_killed_recorder_are_kept(tmp_path: Path):
    with graph() as g:
        bench = Bench(g, tmp_path)
        bench.episode.publish(String(data="said before it listened"))
        first, path, before = bench.start("a")
        begin_ns = g.node.get_clock().now().nanoseconds
        own = [batch("a"), *split(bytes(600_000), 1, "a")]
        for payload in (batch("b"), *own, b"no batch", *split(bytes(600_000), 1, "b")):
            bench.experience.publish(convert.bytes_message(payload))
        g.wait_for(lambda: bench.count(path, "/experience") == len(own), what="the robot's batches are in the bag")
        states = bench.send_states(0, COUNT)  # best effort: large messages at the same time may push some out
        bench.wait_for_states(path, before + COUNT)
        g.wait_for(lambda: int(bench.values.get("recorded messages", 0)) > 0, what="it says so")
        assert bench.values["dropped messages"] == "0"
        g.end(first, signal.SIGKILL)
        assert not (path.parent / "metadata.yaml").exists()

        second, path, before = bench.start("a-2")
        more = bench.send_states(COUNT, COUNT + 10)
        bench.wait_for_states(path, before + 10)
        assert g.end(second) == 0, (tmp_path / "log").read_text()
        end_ns = g.node.get_clock().now().nanoseconds
    folder = tmp_path / "bags" / "a"
    bag = recorded(folder)
    assert said(bag, "/a/joint_states", JointState)[-COUNT:] == states
    assert said(bag, "/a/episode", String) == [String(data="said before it listened")]
    assert said(bag, "/experience", UInt8MultiArray) == [convert.bytes_message(payload) for payload in own]
    stamps = [stamp for stamp, _ in bag["/a/joint_states"]][-COUNT:]
    assert begin_ns < stamps[0] <= stamps[-1] < end_ns
    assert said(recorded(tmp_path / "bags" / "a-2"), "/a/joint_states", JointState)[-10:] == more
    with rosbag2.Reader(folder) as reader:
        offered = {c.topic: c.ext.offered_qos_profiles[0] for c in reader.connections}
        hashes = {c.topic: c.digest for c in reader.connections}
    assert offered["/a/episode"].durability.name == "TRANSIENT_LOCAL"
    assert offered["/a/joint_states"].reliability.name == "BEST_EFFORT"
    assert "completed" in about(folder)
    assert about(folder.with_name("a-2")) == {"task": "reach", "robot": "a", "run_id": run_identity(tmp_path)}
    assert all(value.startswith("RIHS01_") for value in hashes.values())
