"""The commands of a robot's gripper: efforts for its controller, published by the collector."""

from builtin_interfaces.msg import Time
from rclpy.node import Node
from std_msgs.msg import Float64MultiArray

from naf_robot.arm.control.gripper import GripperConfig
from naf_robot.core.records import FloatArray
from naf_robot.nodes import convert
from naf_robot.nodes.qos import COMMAND


class GripperOutput:
    """Publishes on the topic of one `gripper`. Its controller holds the last efforts: what is held is not dropped."""

    def __init__(self, node: Node, gripper: GripperConfig) -> None:
        self._gripper = gripper
        self._publisher = node.create_publisher(Float64MultiArray, gripper.topic, COMMAND)

    def send(self, numbers: FloatArray, stamp: Time) -> None:
        """Ask for what the `numbers` (k,) of the action of tick `stamp` mean."""
        self._publisher.publish(convert.command(self._gripper.effort(numbers), stamp))
