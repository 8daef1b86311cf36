"""Publishing of commands: the output's arrays as a message of its type."""

import importlib
from array import array
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from rclpy.duration import Duration
from rclpy.node import Node

from naf_robot.arm.control.outputs import Output
from naf_robot.core.records import FloatArray
from naf_robot.nodes import convert
from naf_robot.nodes.qos import COMMAND


class CommandOutput:
    """The publisher of one robot's commands; `topic` defaults to the output's own."""

    def __init__(self, node: Node, output: Output, topic: str = "") -> None:
        self._node = node
        self._output = output
        self._type = message_type(output.message_type)
        self._publisher = node.create_publisher(self._type, topic or output.default_topic, COMMAND)

    def send(
        self,
        velocity: FloatArray,
        position: FloatArray | None,
        period_s: float,
        answers: Time | None = None,
        basis_s: float | None = None,
    ) -> None:
        """Publish `velocity` (n,) [rad/s]; see `Output.arrays`.

        Where the message has a layout, its label names the request that is answered, else the stamp of the state
        that the command was computed from.
        """
        message = self._type()
        for name, values in self._output.arrays(velocity, position, period_s).items():
            setattr(message, name, array("d", values))
        if hasattr(message, "layout"):
            message.layout = convert.command_layout(len(velocity), answers, basis_s)
        self._publisher.publish(message)

    def send_zero(self, size: int, acknowledged_s: float) -> None:
        """Publish zero for `size` joints and wait up to `acknowledged_s` until it has arrived."""
        self.send(np.zeros(size), None, 0.0)
        self._publisher.wait_for_all_acked(Duration(seconds=acknowledged_s))

    def writers(self) -> list[str]:
        """Full names of the nodes that publish on the command topic, this one among them."""
        return publishers(self._node, self._publisher.topic_name)


def publishers(node: Node, topic: str) -> list[str]:
    """Full names of the nodes that publish on `topic`, one for each publisher."""
    found = node.get_publishers_info_by_topic(node.resolve_topic_name(topic))
    return [f"{info.node_namespace.rstrip('/')}/{info.node_name}" for info in found]


def message_type(name: str) -> Any:
    """The class of a ROS message type such as "std_msgs/msg/Float64MultiArray"."""
    package, _, kind = name.split("/")
    return getattr(importlib.import_module(f"{package}.msg"), kind)
