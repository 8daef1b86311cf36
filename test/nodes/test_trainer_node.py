"""The trainer as a process: acknowledgements, latched parameters, refusals, services, a clean end."""

import json
import signal
from array import array
from dataclasses import replace
from pathlib import Path

import pytest
from step_batches import make_batch

pytest.importorskip("rclpy", reason="needs rclpy and its messages")
from diagnostic_msgs.msg import DiagnosticArray
from graph import Graph, graph
from std_msgs.msg import String, UInt8MultiArray
from std_srvs.srv import SetBool, Trigger

from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.experience.chunks import split
from naf_robot.experience.codec import (
    ExperienceMessage,
    decode_acknowledgement,
    decode_parameters,
    encode_experience,
)
from naf_robot.experience.contract import Contract
from naf_robot.nodes.qos import EXPERIENCE, PARAMETERS, reliable
from naf_robot.run.config import resolve, save
from naf_robot.run.contract import contract_of

pytestmark = pytest.mark.ros


class Bench:
    """Plays a collector."""

    def __init__(self, g: Graph, folder: Path) -> None:
        self.graph, self.folder = g, folder
        config = resolve("reach", overrides=[{"trainer": {"learning_starts": 20, "publish_period_updates": 10}}])
        save(config, folder / "config.yaml")
        self.contract = contract_of(config, folder)
        self.acknowledged, self.parameters, self.problems = [], [], []
        node = g.node
        self.experience = node.create_publisher(UInt8MultiArray, "/experience", EXPERIENCE)
        self.request = node.create_publisher(String, "/policy/request", reliable(10))
        node.create_subscription(
            UInt8MultiArray,
            "/experience/ack",
            lambda m: self.acknowledged.append(decode_acknowledgement(bytes(m.data))),
            EXPERIENCE,
        )
        node.create_subscription(DiagnosticArray, "/diagnostics", self.on_diagnostics, reliable(10))
        spec = NodeSpec("trainer", "naf_robot.nodes.trainer", parameters={"config": str(folder / "config.yaml")})
        self.child = g.start(spec, folder / "log")
        g.wait_for(lambda: self.experience.get_subscription_count() == 1, 40.0, "the trainer subscribes")

    def on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self.problems += [pair.value for pair in status.values if pair.key == "last refusal"]

    def held(self) -> list[int]:
        """Numbers of batches in the order of their acknowledgements."""
        return [n for message in self.acknowledged for n in message.of("robot_1")]

    def subscribe(self) -> None:
        self.graph.node.create_subscription(
            UInt8MultiArray,
            "/policy/parameters",
            lambda m: self.parameters.append(decode_parameters(bytes(m.data), self.contract)),
            PARAMETERS,
        )

    def send(self, sequence: int, count: int = 25, contract: Contract | None = None, first: int | None = None) -> None:
        batch = make_batch(count, episode=sequence, last=True, terms=len(self.contract.reward_names))
        message = ExperienceMessage("robot_1", sequence, (count + 1) * sequence if first is None else first, batch)
        payload = encode_experience(message, contract or self.contract)
        for piece in split(payload, sequence, "robot_1", self.contract.run_id):
            self.experience.publish(UInt8MultiArray(data=array("B", piece)))


@pytest.fixture
def bench(tmp_path: Path):
    with graph() as g:
        yield Bench(g, tmp_path)


def test_experience_is_acknowledged_learned_from_and_accounted_for(bench: Bench):
    for sequence in (0, 1, 1, 2):
        bench.send(sequence)
    bench.graph.wait_for(lambda: len(bench.held()) == 4, what="every message is acknowledged")
    assert bench.held() == [0, 1, 1, 2]
    bench.graph.wait_for(
        lambda: bench.experience.publish(UInt8MultiArray(data=array("B", b"x" * 50))) or bench.problems
    )
    assert "experience: " in bench.problems[0]
    bench.send(3, contract=replace(bench.contract, run_id="f" * 16))  # of another run in this domain
    bench.graph.wait_for(lambda: any("two runs share this ROS domain" in text for text in bench.problems))
    bench.send(3, count=3000, first=78)  # in chunks
    bench.graph.wait_for(lambda: bench.held() == [0, 1, 1, 2, 3], what="the large batch is acknowledged")
    assert {message.run_id for message in bench.acknowledged} == {bench.contract.run_id}
    bench.subscribe()  # a late joiner gets the newest parameters by latch
    bench.graph.wait_for(lambda: bench.parameters and bench.parameters[-1].updates >= 50, what="parameters come")
    versions = [p.version for p in bench.parameters]
    assert versions == sorted(versions)
    saved = bench.graph.call(Trigger, "/trainer/save", Trigger.Request())
    assert saved.success
    assert (Path(saved.message) / "checkpoint.json").is_file()
    assert bench.graph.end(bench.child, signal.SIGINT) == 0
    summary = json.loads((bench.folder / "summary.json").read_text())
    assert (summary["transitions_received"], summary["steps_lost"], summary["batches_resent"]) == (3075, 0, 1)
    assert (bench.folder / "learning_curve.png").is_file()
    assert any((bench.folder / "events").iterdir())


def test_a_request_brings_the_parameters_again_and_pause_stops_learning(bench: Bench):
    bench.subscribe()
    bench.graph.wait_for(lambda: bench.parameters, what="the first parameters")
    assert bench.graph.call(SetBool, "/trainer/pause", SetBool.Request(data=True)).success
    count = len(bench.parameters)
    bench.graph.wait_for(
        lambda: bench.request.publish(String(data="robot_1")) or len(bench.parameters) > count, what="parameters again"
    )
    bench.send(0)
    bench.send(1)
    bench.graph.wait_for(lambda: len(bench.held()) == 2)
    bench.graph.spin_for(0.3)
    assert bench.parameters[-1].updates == 0
