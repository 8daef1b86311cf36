"""Publishing of commands: the output's values as a message of its type."""

import importlib
import time
from array import array
from collections.abc import Mapping
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from rclpy.duration import Duration
from rclpy.node import Node

from naf_robot.arm.control.output import Message, OutputArm
from naf_robot.arm.control.outputs import OutputKind
from naf_robot.core.records import FloatArray
from naf_robot.nodes import convert
from naf_robot.nodes.qos import COMMAND


class CommandOutput:
    """The publisher of one robot's commands; `topic` defaults to the kind's own."""

    def __init__(self, node: Node, kind: OutputKind, arm: OutputArm, topic: str = "") -> None:
        self._node = node
        self._output = kind(arm)
        self._type = message_type(kind.message_type)
        self._publisher = node.create_publisher(self._type, topic or kind.default_topic, COMMAND)
        self._sent_s: float | None = None  # steady time of the last command
        self.silent = False  # nothing is sent: the arm is not ours
        self.withheld = False  # nothing is sent: the controller's order of joints is needed, and not known

    def send(
        self,
        velocity: FloatArray,
        position: FloatArray | None,
        period_s: float,
        answers: Time | None = None,
        basis_s: float | None = None,
    ) -> None:
        """Publish `velocity` (n,) [rad/s]; see `Output.command`.

        Where the message has a layout, its label names the request that is answered, else the stamp of the state
        that the command was computed from.
        """
        if self.withheld or self.silent:
            return
        self._sent_s = time.monotonic()
        values = self._output.command(velocity, position, period_s)
        if values is not None:
            self._publish(values, len(velocity), answers, basis_s)

    def send_between(self) -> None:
        """Publish what the output sends between two commands, if anything."""
        if self._sent_s is None or self.withheld or self.silent:
            return
        values = self._output.between(time.monotonic() - self._sent_s)
        if values is not None:
            self._publisher.publish(filled(self._type(), values))

    def send_zero(self, size: int, acknowledged_s: float) -> bool:
        """Publish zero for `size` joints and wait up to `acknowledged_s` until it has arrived; whether it has."""
        self.send(np.zeros(size), None, 0.0)
        return bool(self._publisher.wait_for_all_acked(Duration(seconds=acknowledged_s)))

    def writers(self) -> list[str]:
        """Full names of the nodes that publish on the command topic, this one among them."""
        return publishers(self._node, self._publisher.topic_name)

    @property
    def topic(self) -> str:
        """Full name of the topic."""
        name: str = self._publisher.topic_name
        return name

    def unheard(self) -> str | None:
        """Why commands reach nobody, or None."""
        if self._publisher.get_subscription_count() > 0:
            return None
        return f"no controller listens on {self._publisher.topic_name}: is it loaded, and is output.kind its kind?"

    def _publish(self, values: Message, size: int, answers: Time | None, basis_s: float | None) -> None:
        message = filled(self._type(), values)
        if hasattr(message, "layout"):
            message.layout = convert.command_layout(size, answers, basis_s)
        self._publisher.publish(message)


def publishers(node: Node, topic: str) -> list[str]:
    """Full names of the nodes that publish on `topic`, one for each publisher."""
    found = node.get_publishers_info_by_topic(node.resolve_topic_name(topic))
    return [f"{info.node_namespace.rstrip('/')}/{info.node_name}" for info in found]


def message_type(name: str) -> Any:
    """The class of a ROS message type such as "std_msgs/msg/Float64MultiArray"."""
    package, _, kind = name.split("/")
    return getattr(importlib.import_module(f"{package}.msg"), kind)


def filled(message: Any, values: Message) -> Any:
    """`message` with the fields that `values` has: arrays, plain values, messages as mappings, sequences of these."""
    types = message.get_fields_and_field_types()
    for name, value in values.items():
        if isinstance(value, np.ndarray):
            value = array("d", value)
        elif isinstance(value, Mapping):
            value = filled(getattr(message, name), value)
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            element = message_type(types[name].removeprefix("sequence<").removesuffix(">").replace("/", "/msg/"))
            value = [filled(element(), each) for each in value]
        setattr(message, name, value)
    return message
