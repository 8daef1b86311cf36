"""The velocity controller as a process: real DDS, real signals."""

import signal
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")
from graph import Graph, graph
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray, String
from std_srvs.srv import Trigger

from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.nodes import convert
from naf_robot.nodes.qos import COMMAND, FEEDBACK, SENSOR, latched, reliable
from naf_robot.run.config import resolve, save

pytestmark = pytest.mark.ros
NAMES = [f"joint_{i}" for i in range(1, 8)]


class Bench:
    """Plays arm and collector for one velocity controller on wall time."""

    def __init__(self, g: Graph, folder: Path) -> None:
        self.graph = g
        config = resolve("reach", overrides=[{"robots": ["arm"]}])
        save(config, folder / "config.yaml")
        spec = NodeSpec(
            "velocity_control",
            "naf_robot.nodes.velocity_control",
            namespace="arm",
            parameters={"config": str(folder / "config.yaml"), "robot": "arm"},
        )
        self.position = np.array(config.robot("arm").arm.home)
        self.velocity = np.zeros(7)
        self.commands: list[np.ndarray] = []
        self.executed: list[JointState] = []
        self.command: np.ndarray | None = None
        self.names = list(NAMES)
        self.states = True
        self.last_s = time.monotonic()
        node = g.node
        self.state_publisher = node.create_publisher(JointState, "/arm/joint_states", SENSOR)
        self.desired_publisher = node.create_publisher(JointState, "/arm/desired_velocity", COMMAND)
        node.create_subscription(Float64MultiArray, "/arm/velocity_controller/commands", self.on_command, reliable(100))
        node.create_subscription(JointState, "/arm/executed_velocity", self.executed.append, FEEDBACK)
        node.create_timer(0.02, self.tick)
        self.child = g.start(spec, folder / "log")
        g.wait_for(lambda: self.commands, what="the first command")

    def on_command(self, message: Float64MultiArray) -> None:
        self.velocity = np.array(message.data)
        self.commands.append(self.velocity)

    def tick(self) -> None:
        now = time.monotonic()
        self.position = self.position + (now - self.last_s) * self.velocity
        self.last_s = now
        stamp = self.graph.node.get_clock().now().to_msg()
        if self.states:
            self.state_publisher.publish(convert.joint_state(NAMES, stamp, self.position, self.velocity))
        if self.command is not None:
            command = [self.command[NAMES.index(name)] for name in self.names]
            self.desired_publisher.publish(convert.joint_state(self.names, stamp, velocity=np.array(command)))

    def moving(self) -> bool:
        return bool(self.velocity.any())


@pytest.fixture
def bench(tmp_path: Path):
    with graph() as g:
        yield Bench(g, tmp_path)


def test_silence_is_zero_and_a_safe_request_is_followed_by_name(bench: Bench):
    assert not bench.moving()
    bench.command = np.array([0.1, 0.0, 0.0, 0.0, 0.0, 0.0, -0.2])
    bench.names = NAMES[::-1]
    bench.graph.wait_for(lambda: np.allclose(bench.velocity, bench.command, atol=1e-9), what="the request is followed")
    bench.graph.wait_for(
        lambda: bench.executed and np.allclose(bench.executed[-1].velocity, bench.command),
        what="feedback says the same",
    )
    assert list(bench.executed[-1].name) == NAMES


def test_a_collector_that_falls_silent_is_stopped_and_zeros_keep_coming(bench: Bench):
    bench.command = np.full(7, 0.1)
    bench.graph.wait_for(bench.moving)
    bench.command = None
    begin = time.monotonic()
    bench.graph.wait_for(lambda: not bench.moving(), 3.0)
    assert time.monotonic() - begin < 1.5
    count = len(bench.commands)
    bench.graph.wait_for(lambda: len(bench.commands) > count + 20, 3.0, "zeros keep coming")
    assert not any(command.any() for command in bench.commands[count:])
    bench.command = np.full(7, 0.1)
    bench.graph.wait_for(bench.moving, what="motion goes on without an operator")


def test_joint_states_that_cease_while_moving_latch_a_fault(bench: Bench):
    bench.command = np.full(7, 0.1)
    bench.graph.wait_for(bench.moving)
    bench.states = False
    bench.graph.wait_for(lambda: not bench.moving(), 3.0)
    refused = bench.graph.call(Trigger, "/arm/velocity_control/clear_fault", Trigger.Request())
    assert not refused.success
    bench.states = True
    bench.graph.spin_for(0.3)
    assert not bench.moving()
    assert bench.graph.call(Trigger, "/arm/velocity_control/clear_fault", Trigger.Request()).success
    bench.graph.wait_for(bench.moving, what="motion after the fault was cleared")


def test_stop_service_and_nan_latch(bench: Bench):
    bench.command = np.full(7, 0.1)
    bench.graph.wait_for(bench.moving)
    assert bench.graph.call(Trigger, "/arm/velocity_control/stop", Trigger.Request()).success
    bench.graph.wait_for(lambda: not bench.moving(), 3.0)
    assert bench.graph.call(Trigger, "/arm/velocity_control/clear_fault", Trigger.Request()).success
    bench.graph.wait_for(bench.moving)
    bench.command = np.full(7, np.nan)
    bench.graph.wait_for(lambda: not bench.moving(), 3.0)
    bench.command = np.full(7, 0.1)
    bench.graph.spin_for(0.3)
    assert not bench.moving()
    assert all(np.isfinite(command).all() for command in bench.commands)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly_with_zero_as_the_last_command(bench: Bench, number: int):
    bench.command = np.full(7, 0.1)
    bench.graph.wait_for(bench.moving)
    assert bench.graph.end(bench.child, number) == 0
    bench.graph.spin_for(0.2)
    assert not bench.commands[-1].any()


def test_the_position_limit_holds_over_ros(bench: Bench):
    bench.position[6] = 3.0
    bench.command = np.array([0, 0, 0, 0, 0, 0, 2.0])
    bench.graph.spin_for(1.5)
    assert bench.position[6] < 3.05


def test_another_writer_of_commands_latches_a_fault_that_names_it(bench: Bench):
    node, faults = bench.graph.node, []
    node.create_subscription(String, "/arm/safety/fault", lambda message: faults.append(message.data), latched())
    bench.command = np.full(7, 0.1)
    bench.graph.wait_for(bench.moving)
    intruder = node.create_publisher(Float64MultiArray, "/arm/velocity_controller/commands", COMMAND)
    bench.graph.wait_for(lambda: any(node.get_name() in fault for fault in faults), 10.0, "the fault names the writer")
    bench.graph.wait_for(lambda: not bench.moving(), 3.0)
    assert not bench.graph.call(Trigger, "/arm/velocity_control/clear_fault", Trigger.Request()).success
    node.destroy_publisher(intruder)
    bench.graph.wait_for(
        lambda: bench.graph.call(Trigger, "/arm/velocity_control/clear_fault", Trigger.Request()).success,
        10.0,
        "the fault can be cleared once the writer is gone",
    )


def test_a_second_publisher_of_zeros_latches_and_the_arm_stands(bench: Bench):
    node, faults = bench.graph.node, []
    node.create_subscription(String, "/arm/safety/fault", lambda message: faults.append(message.data), latched())
    bench.command = np.full(7, 0.1)
    bench.graph.wait_for(bench.moving)
    second = node.create_publisher(JointState, "/arm/joint_states", SENSOR)

    def publish_zeros() -> None:
        stamp = node.get_clock().now().to_msg()
        second.publish(convert.joint_state(NAMES, stamp, np.zeros(7), np.zeros(7)))

    node.create_timer(0.03, publish_zeros)
    bench.graph.wait_for(lambda: any("contradict each other" in fault for fault in faults), 5.0, "the fault")
    bench.graph.wait_for(lambda: not bench.moving(), 3.0)
    count = len(bench.commands)
    bench.graph.wait_for(lambda: len(bench.commands) > count + 30, 3.0, "zeros keep coming")
    assert not any(command.any() for command in bench.commands[count:])


def test_a_fault_outlives_its_process(bench: Bench, tmp_path: Path):
    bench.command = np.full(7, 0.1)
    bench.graph.wait_for(bench.moving)
    assert bench.graph.call(Trigger, "/arm/velocity_control/stop", Trigger.Request()).success
    file = tmp_path / "faults" / "arm.txt"
    bench.graph.wait_for(file.is_file, 5.0, "the fault's file")
    assert file.read_text(encoding="utf-8") == "stopped: by service call"
    assert bench.graph.call(Trigger, "/arm/velocity_control/clear_fault", Trigger.Request()).success
    bench.graph.wait_for(lambda: not file.exists(), 5.0, "the file is removed")
