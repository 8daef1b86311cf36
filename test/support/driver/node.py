"""The stand-in driver as a process: `python node.py '{"joints": [...], ...}'`, see `driver.settings`.

On `<namespace>/stand_in/set` it takes changes of its settings as JSON, on `<namespace>/stand_in/state` it publishes
every 20 ms what it really does: time, position, velocity, refused commands.
"""

import json
import sys
import time
from array import array
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray, String
from trajectory_msgs.msg import JointTrajectory

from driver.arm import StandInArm
from driver.settings import Settings

QUEUE = 10


class StandInDriver:
    """Nodes of a driver: the controller, and the broadcaster of joint states."""

    def __init__(self, settings: Settings) -> None:
        self.arm = StandInArm(settings, time.monotonic())
        space = f"/{settings.namespace}"
        self.controller = Node(
            settings.controller, namespace=space, start_parameter_services=settings.answers_parameters
        )
        self.controller.declare_parameter("joints", list(settings.controller_joints or settings.joints))
        if settings.kind == "trajectory":
            self.controller.declare_parameter("interpolate_from_desired_state", settings.from_desired)
        self.broadcaster = Node("joint_state_broadcaster", namespace=space)
        message = JointTrajectory if settings.kind == "trajectory" else Float64MultiArray
        self.controller.create_subscription(message, settings.commands, self.on_command, QUEUE)
        self.controller.create_subscription(String, "stand_in/set", self.on_set, QUEUE)
        self.truth = self.controller.create_publisher(String, "stand_in/state", QUEUE)
        self.states = [
            self.broadcaster.create_publisher(JointState, settings.joint_states, qos_profile_sensor_data)
            for _ in range(settings.parts)
        ]
        self.nodes = [self.controller, self.broadcaster]
        self.intruder = None
        self.commands = 0  # that have come
        self.broadcaster.create_timer(1.0 / settings.state_hz, self.publish)
        self.controller.create_timer(0.02, self.tell)

    def on_command(self, message: Float64MultiArray | JointTrajectory) -> None:
        self.commands += 1
        self.arm.command(message, time.monotonic())

    def on_set(self, message: String) -> None:
        self.arm.advance(time.monotonic())
        self.arm.settings = self.arm.settings.changed(json.loads(message.data))
        if self.arm.settings.intruder and self.intruder is None:
            node = Node("joint_state_publisher", namespace=f"/{self.arm.settings.namespace}")
            self.intruder = node.create_publisher(JointState, self.arm.settings.joint_states, qos_profile_sensor_data)
            self.nodes.append(node)

    def tell(self) -> None:
        self.arm.advance(time.monotonic())
        told = {
            "time_s": time.monotonic(),
            "position": self.arm.position.tolist(),
            "velocity": self.arm.velocity.tolist(),
            "refused": self.arm.refused[-3:],
            "commands": self.commands,
        }
        self.truth.publish(String(data=json.dumps(told)))

    def publish(self) -> None:
        self.arm.advance(time.monotonic())
        if self.arm.settings.silent:
            return
        for publisher, part in zip(self.states, self.arm.states(), strict=True):
            publisher.publish(self.message(part))
        if self.intruder is not None and self.arm.settings.intruder:
            names = self.arm.settings.joints
            self.intruder.publish(self.message(dict.fromkeys(names, (0.0, 0.0, 0.0))))

    def message(self, part: dict[str, tuple[float, float, float]]) -> JointState:
        message = JointState(name=list(part))
        message.header.stamp = self.broadcaster.get_clock().now().to_msg()
        values = np.array(list(part.values())).reshape(len(part), 3)
        message.position, message.velocity = array("d", values[:, 0]), array("d", values[:, 1])
        if self.arm.settings.effort != "none":
            message.effort = array("d", values[:, 2])
        return message


def main() -> None:
    rclpy.init()
    values = json.loads(sys.argv[1])
    driver = StandInDriver(Settings(joints=(), home=()).changed(values))
    executor = SingleThreadedExecutor()
    known: list[Node] = []
    while rclpy.ok():
        for node in driver.nodes[len(known) :]:
            executor.add_node(node)
            known.append(node)
        executor.spin_once(timeout_sec=0.05)


if __name__ == "__main__":
    main()
