"""Stand-ins for the C++ programs that inspect.launch.py starts, in a folder like an installation of ROS.

`robot_state_publisher` is a real node that reads the same parameters and joint states, and says which frames it would
publish: on `/test/frames` as text, since tf2_msgs is in no package registry. The other two record their command lines.
"""

import sys
from pathlib import Path

PUBLISHER = '''#!{python}
"""Reads robot_description and frame_prefix as robot_state_publisher does, publishes the former, names its frames."""
import json, os, sys
import xml.etree.ElementTree as ElementTree
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import JointState
from std_msgs.msg import String

rclpy.init(args=sys.argv)
node = rclpy.create_node("robot_state_publisher")
text = node.declare_parameter("robot_description", "").value
prefix = node.declare_parameter("frame_prefix", "").value
robot = ElementTree.fromstring(text)
latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
node.create_publisher(String, "robot_description", latched).publish(String(data=text))
several = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
frames = node.create_publisher(String, "/test/frames", several)
seen = set()
def on_state(message):
    moved = set(message.name)
    if moved - seen:
        seen.update(moved)
        edges = [
            [prefix + joint.find("parent").get("link"), prefix + joint.find("child").get("link")]
            for joint in robot.findall("joint") if joint.get("type") == "fixed" or joint.get("name") in seen
        ]
        frames.publish(String(data=json.dumps(edges)))
node.create_subscription(JointState, "joint_states", on_state, qos_profile_sensor_data)
try:
    rclpy.spin(node)
except (KeyboardInterrupt, ExternalShutdownException):
    pass
'''
RECORDER = '''#!{python}
"""Writes its arguments to a file, and stays until it is asked to end."""
import json, signal, sys
with open({record!r}, "a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
signal.signal(signal.SIGINT, lambda *a: sys.exit(0))
signal.signal(signal.SIGTERM, lambda *a: sys.exit(0))
while True:
    signal.pause()
'''
PROGRAMS = {
    "robot_state_publisher/robot_state_publisher": PUBLISHER,
    "tf2_ros/static_transform_publisher": RECORDER,
    "rviz2/rviz2": RECORDER,
}


def viewer_prefix(folder: Path, *without: str) -> Path:
    """A prefix for AMENT_PREFIX_PATH with the programs, but not of packages in `without`; records are beside it."""
    for name, source in PROGRAMS.items():
        package, _, _ = name.partition("/")
        if package in without:
            continue
        path = folder / "prefix" / "lib" / name
        path.parent.mkdir(parents=True)
        path.write_text(source.replace("{python}", sys.executable).replace("{record!r}", repr(str(folder / package))))
        path.chmod(0o755)
    return folder / "prefix"
