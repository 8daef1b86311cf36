"""The half of the stand-in for gz_ros2_control that is in ROS: a controller manager for each robot in Gazebo.

`python controllers.py FOLDER`: each description that `create.py` leaves in FOLDER gets its nodes, as the plugin makes
them in Gazebo's process. The controllers are those of `driver.controllers`, on Gazebo's time; states come and
velocities go over Gazebo's own topics (`gz_joints.py`).
"""

import queue
import sys
import xml.etree.ElementTree as ElementTree
from array import array
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import gz.math7  # noqa: F401
import numpy as np
import rclpy
import sdformat14  # noqa: F401
import yaml
from driver.controllers import make
from gz.msgs10.double_v_pb2 import Double_V
from gz.msgs10.model_pb2 import Model
from gz.transport13 import Node as GazeboNode
from rclpy._rclpy_pybind11 import RCLError
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

BROADCASTER = "joint_state_broadcaster"
KINDS = {
    "velocity_controllers/JointGroupVelocityController": "velocity",
    "position_controllers/JointGroupPositionController": "position",
    "joint_trajectory_controller/JointTrajectoryController": "trajectory",
}


class Manager:
    """One robot's hardware and controllers; `arrived` is called from Gazebo's thread and only keeps the message."""

    def __init__(self, executor: SingleThreadedExecutor, path: Path) -> None:
        urdf = ElementTree.parse(path).getroot()
        plugin = next(each for each in urdf.iter("plugin") if each.find("parameters") is not None)
        self.space = plugin.findtext("ros/namespace")
        self.gain = float(plugin.findtext("position_proportional_gain", "0.1"))
        parameters = yaml.safe_load(Path(plugin.findtext("parameters")).read_text())
        self.parameters = {name: values["ros__parameters"] for name, values in parameters.items()}
        own = self.parameters[f"{self.space}/controller_manager"]
        self.rate, self.executor = own["update_rate"], executor
        self.node = Node("controller_manager", namespace=self.space)
        executor.add_node(self.node)
        self.kinds = {name: KINDS.get(values["type"], "") for name, values in own.items() if isinstance(values, dict)}
        for name in self.kinds:
            self.node.create_service(Trigger, f"controller_manager/activate_{name}", self.activation(name))
        self.publisher = self.controller = None
        self.updated_s = -np.inf
        self.queue: queue.SimpleQueue = queue.SimpleQueue()
        self.gazebo = GazeboNode()
        self.commands = self.gazebo.advertise(f"{self.space}/stand_in/commands", Double_V)
        self.gazebo.subscribe(Model, f"{self.space}/stand_in/states", self.queue.put)

    def activation(self, name: str):
        def activate(request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
            node = Node(name, namespace=self.space)
            self.executor.add_node(node)
            if name == BROADCASTER:
                self.publisher = node.create_publisher(JointState, "joint_states", QoSProfile(depth=10))
            else:
                values, kind = self.parameters[f"{self.space}/{name}"], self.kinds[name]
                self.order, self.kind = values["joints"], kind
                self.controller = make(kind, tuple(self.order), True)
                node.declare_parameter("joints", self.order)
                kind_of = JointTrajectory if kind == "trajectory" else Float64MultiArray
                topic = "joint_trajectory" if kind == "trajectory" else "commands"
                node.create_subscription(kind_of, f"{name}/{topic}", self.command, QoSProfile(depth=10))
                self.state: tuple = ()
            response.success = True
            return response

        return activate

    def command(self, message) -> None:
        if self.state:
            now_s, position, velocity = self.state
            if (reason := self.controller.command(message, now_s, position, velocity)) is not None:
                self.node.get_logger().error(reason)

    def update(self) -> None:
        """Read, update and write, as often as the controllers are updated."""
        while not self.queue.empty():
            message = self.queue.get()
            stamp = message.header.stamp
            now_s = stamp.sec + 1e-9 * stamp.nsec
            if now_s - self.updated_s < 1.0 / self.rate - 1e-6 and now_s >= self.updated_s:
                continue
            self.updated_s = now_s
            joints = {joint.name: joint.axis1 for joint in message.joint}
            if self.publisher is not None:
                self.publish(stamp, joints)
            if self.controller is not None:
                self.write(now_s, joints)

    def publish(self, stamp, joints) -> None:
        state = JointState(name=list(joints))
        state.header.stamp.sec, state.header.stamp.nanosec = stamp.sec, stamp.nsec
        state.position = array("d", [axis.position for axis in joints.values()])
        state.velocity = array("d", [axis.velocity for axis in joints.values()])
        state.effort = array("d", [float("nan")] * len(joints))  # no interface of effort
        self.publisher.publish(state)

    def write(self, now_s: float, joints) -> None:
        position = np.array([joints[name].position for name in self.order])
        velocity = np.array([joints[name].velocity for name in self.order])
        self.state = now_s, position, velocity
        positions, velocities = self.controller.setpoint(now_s)
        if positions is not None:
            velocities = self.gain * self.rate * (positions - position)
        wanted = dict(zip(self.order, np.zeros(len(self.order)) if velocities is None else velocities, strict=True))
        self.commands.publish(Double_V(data=[wanted[name] for name in joints]))


def main(folder: Path) -> None:
    rclpy.init()
    executor, managers = SingleThreadedExecutor(), {}
    try:
        while rclpy.ok():
            for path in folder.glob("*.urdf"):
                if path not in managers and path.stat().st_size:
                    managers[path] = Manager(executor, path)
            executor.spin_once(timeout_sec=0.002)
            for manager in managers.values():
                manager.update()
    except (KeyboardInterrupt, ExternalShutdownException, RCLError):
        if rclpy.ok():
            raise


if __name__ == "__main__":
    main(Path(sys.argv[1]))
