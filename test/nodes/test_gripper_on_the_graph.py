"""A simulated gripper on the graph: commanded beside the arm, waited for in lockstep, and seen in poses."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")
from graph import graph
from sensor_msgs.msg import JointState, MultiDOFJointState
from std_msgs.msg import Float64MultiArray

from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.nodes import convert
from naf_robot.nodes.gripper_output import GripperOutput
from naf_robot.nodes.qos import COMMAND, SENSOR
from naf_robot.run.config import resolve, save
from naf_robot.run.robot_parts import task_sensors
from naf_robot.sensing.sensor import stamp_of

pytestmark = pytest.mark.ros
SIMULATION = {"answer_timeout_s": 0.5, "start_timeout_s": 0.0}


class Hand:
    """Answers every tick of the simulator for the arm, and for the gripper as long as it is to close."""

    def __init__(self, g, folder: Path) -> None:
        config = resolve("pick_place", overrides=[{"robots": ["a"], "simulation": SIMULATION}])
        save(config, folder / "config.yaml")
        (self.sensor,) = task_sensors(config, "a")
        self.closing, self.poses = False, {}
        self.arm = g.node.create_publisher(Float64MultiArray, "/a/velocity_controller/commands", COMMAND)
        own = config.robot("a").gripper
        self.gripper = GripperOutput(_InNamespace(g.node, "a"), own)
        g.node.create_subscription(MultiDOFJointState, "/a/geometry_poses", self.on_poses, SENSOR)
        g.node.create_subscription(JointState, "/a/joint_states", self.on_state, SENSOR)
        parameters = {"config": str(folder / "config.yaml")}
        g.start(NodeSpec("simulator", "naf_robot.nodes.simulator", parameters=parameters), folder / "log")
        g.wait_for(lambda: len(self.poses) > 5, 60.0, "ticks")

    def on_poses(self, message: MultiDOFJointState) -> None:
        self.poses[stamp_of(message)] = self.sensor.read(message)

    def on_state(self, message: JointState) -> None:
        assert list(message.name) == [f"joint_{number}" for number in range(1, 7)]
        if self.closing:
            self.gripper.send(np.array([1.0, 1.0, 1.0]), message.header.stamp)
        self.arm.publish(convert.command(np.zeros(6), message.header.stamp))

    def opening(self) -> list[float]:
        """Distance [m] of thumb and finger at each tick."""
        tips = [
            (signals["finger_1_tip_position"], signals["finger_2_tip_position"]) for _, signals in self.poses.items()
        ]
        return [float(np.linalg.norm(thumb - finger)) for thumb, finger in tips]


class _InNamespace:
    """Makes publishers as a node in a namespace does."""

    def __init__(self, node, namespace: str) -> None:
        self._node, self._namespace = node, namespace

    def create_publisher(self, kind, topic, qos):
        return self._node.create_publisher(kind, f"/{self._namespace}/{topic}", qos)


def test_the_gripper_closes_when_it_is_told_to_and_holds_when_nobody_commands_it(tmp_path: Path):
    with graph() as g:
        hand = Hand(g, tmp_path)
        still = hand.opening()
        assert still[-1] == pytest.approx(still[0], abs=2e-3)
        hand.closing = True
        g.wait_for(lambda: hand.opening()[-1] < still[0] - 0.02, 60.0, "closed fingers")
        hand.closing = False  # nobody commands it any more
        begin = len(hand.poses)
        g.wait_for(lambda: len(hand.poses) > begin + 20, 60.0, "further ticks")
        assert hand.opening()[-1] < still[0] - 0.02, "it holds what it was asked for last"
