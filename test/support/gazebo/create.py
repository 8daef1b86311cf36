"""Stand-in for `ros_gz_sim create`: takes a description from a topic and asks the real Gazebo for the model.

The plugin gz_ros2_control is not on this machine: in its place stands `gz_joints`, and the description is left in the
folder `STAND_IN` for `controllers.py`.
"""

import argparse
import json
import os
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from xml.etree.ElementTree import SubElement

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import gz.math7
import rclpy
import sdformat14  # noqa: F401
from gz.msgs10.boolean_pb2 import Boolean
from gz.msgs10.entity_factory_pb2 import EntityFactory
from gz.transport13 import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import String

PLUGIN = "gz_ros2_control::GazeboSimROS2ControlPlugin"
LOADER = {"filename": "gz-sim-python-system-loader-system", "name": "gz::sim::systems::PythonSystemLoader"}


def description(topic: str) -> str:
    """What robot_state_publisher says."""
    rclpy.init(args=sys.argv)
    node, found = rclpy.create_node("ros_gz_sim"), []
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    node.create_subscription(String, topic, lambda message: found.append(message.data), latched)
    while not found:
        rclpy.spin_once(node, timeout_sec=0.1)
    return found[0]


def with_stand_in(text: str) -> str:
    """The description with our system in place of the plugin."""
    urdf = ElementTree.fromstring(text)
    (plugin,) = [each for each in urdf.iter("plugin") if each.get("name") == PLUGIN]
    space = plugin.findtext("ros/namespace")
    joints = {
        joint.get("name"): float(joint.findtext("state_interface[@name='position']/param[@name='initial_value']"))
        for joint in urdf.findall("ros2_control/joint")
        if joint.find("command_interface") is not None
    }
    for child in list(plugin):
        plugin.remove(child)
    plugin.attrib.update(LOADER)
    SubElement(plugin, "module_name").text = "gz_joints"
    told = {"joints": list(joints), "home": list(joints.values())}
    told |= {"states": f"{space}/stand_in/states", "commands": f"{space}/stand_in/commands"}
    SubElement(plugin, "stand_in").text = json.dumps(told)
    return ElementTree.tostring(urdf, encoding="unicode")


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("world", "topic", "name"):
        parser.add_argument(f"-{name}", required=True)
    for name in ("x", "y", "z", "R", "P", "Y"):
        parser.add_argument(f"-{name}", type=float, default=0.0)
    given, _ = parser.parse_known_args()
    text = description(given.topic)
    (Path(os.environ["STAND_IN"]) / f"{given.name}.urdf").write_text(text)
    request = EntityFactory(sdf=with_stand_in(text), name=given.name)
    place = request.pose.position
    place.x, place.y, place.z = given.x, given.y, given.z
    turn = gz.math7.Quaterniond(given.R, given.P, given.Y)
    request.pose.orientation.w, request.pose.orientation.x = turn.w(), turn.x()
    request.pose.orientation.y, request.pose.orientation.z = turn.y(), turn.z()
    node, service = Node(), f"/world/{given.world}/create"
    while service not in node.service_list():
        rclpy.spin_once(rclpy.create_node("waiting"), timeout_sec=0.2)
    node.request(service, request, EntityFactory, Boolean, 1000)
    rclpy.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
