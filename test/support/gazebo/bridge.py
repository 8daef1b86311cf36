"""Stand-in for `ros_gz_bridge parameter_bridge`: the topics of its file `config_file` between Gazebo and ROS."""

import queue
import sys
from pathlib import Path

import gz.math7  # noqa: F401
import rclpy
import sdformat14  # noqa: F401
import yaml
from geometry_msgs.msg import PoseStamped
from gz.msgs10.clock_pb2 import Clock as GazeboClock
from gz.msgs10.imu_pb2 import IMU
from gz.msgs10.model_pb2 import Model
from gz.msgs10.pose_pb2 import Pose
from gz.transport13 import Node as GazeboNode
from rclpy._rclpy_pybind11 import RCLError
from rclpy.executors import ExternalShutdownException
from rclpy.qos import QoSProfile
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Imu, JointState


def stamped(message, gazebo):
    message.header.stamp.sec, message.header.stamp.nanosec = gazebo.header.stamp.sec, gazebo.header.stamp.nsec
    for each in gazebo.header.data:
        if each.key == "frame_id" and each.value:
            message.header.frame_id = each.value[0]
    return message


def clock(gazebo) -> Clock:
    message = Clock()
    message.clock.sec, message.clock.nanosec = gazebo.sim.sec, gazebo.sim.nsec
    return message


def copied(target, source, names: str) -> None:
    for name in names:
        setattr(target, name, getattr(source, name))


def imu(gazebo) -> Imu:
    message = stamped(Imu(), gazebo)
    copied(message.orientation, gazebo.orientation, "xyzw")
    copied(message.angular_velocity, gazebo.angular_velocity, "xyz")
    copied(message.linear_acceleration, gazebo.linear_acceleration, "xyz")
    return message


def joints(gazebo) -> JointState:
    message = stamped(JointState(), gazebo)
    for joint in gazebo.joint:
        message.name.append(joint.name)
        message.position.append(joint.axis1.position)
        message.velocity.append(joint.axis1.velocity)
        message.effort.append(joint.axis1.force)
    return message


def pose(message: PoseStamped) -> Pose:
    gazebo = Pose()
    gazebo.header.stamp.sec, gazebo.header.stamp.nsec = message.header.stamp.sec, message.header.stamp.nanosec
    copied(gazebo.position, message.pose.position, "xyz")
    copied(gazebo.orientation, message.pose.orientation, "xyzw")
    return gazebo


TO_ROS = {
    ("rosgraph_msgs/msg/Clock", "gz.msgs.Clock"): (Clock, GazeboClock, clock),
    ("sensor_msgs/msg/Imu", "gz.msgs.IMU"): (Imu, IMU, imu),
    ("sensor_msgs/msg/JointState", "gz.msgs.Model"): (JointState, Model, joints),
}
TO_GAZEBO = {("geometry_msgs/msg/PoseStamped", "gz.msgs.Pose"): (PoseStamped, Pose, pose)}


def main() -> None:
    rclpy.init(args=sys.argv)
    node, gazebo = rclpy.create_node("ros_gz_bridge"), GazeboNode()
    entries = yaml.safe_load(Path(node.declare_parameter("config_file", "").value).read_text())
    waiting: queue.SimpleQueue = queue.SimpleQueue()
    for entry in entries:
        kinds, ros, other = (entry["ros_type_name"], entry["gz_type_name"]), entry["ros_topic_name"], None
        if entry["direction"] == "GZ_TO_ROS":
            ours, other, convert = TO_ROS[kinds]
            publisher = node.create_publisher(ours, ros, QoSProfile(depth=10))
            gazebo.subscribe(other, entry["gz_topic_name"], lambda m, p=publisher, c=convert: waiting.put((p, c(m))))
        else:
            ours, other, convert = TO_GAZEBO[kinds]
            output = gazebo.advertise(entry["gz_topic_name"], other)
            node.create_subscription(ours, ros, lambda m, o=output, c=convert: o.publish(c(m)), QoSProfile(depth=10))
    try:
        while rclpy.ok():
            rclpy.spin_once(node, timeout_sec=0.001)
            while not waiting.empty():
                publisher, message = waiting.get()
                publisher.publish(message)
    except (KeyboardInterrupt, ExternalShutdownException, RCLError):
        if rclpy.ok():
            raise


if __name__ == "__main__":
    main()
