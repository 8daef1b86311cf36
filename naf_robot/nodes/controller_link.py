"""Asks the controller below for its joints, again and again: a controller may be loaded late, or anew."""

import time
from collections.abc import Callable

from rcl_interfaces.srv import GetParameters
from rclpy.node import Node
from rclpy.task import Future

from naf_robot.arm.control.controller_joints import ControllerJoints
from naf_robot.nodes.executable import STEADY

PERIOD_S = 0.5
ANSWER_S = 2.0  # a request to a controller that was killed has no response
PARAMETER = "joints"


class ControllerLink:
    """Hands the parameter `joints` of `controller` to `joints`, and says `changed` after each look."""

    def __init__(self, node: Node, controller: str, joints: ControllerJoints, changed: Callable[[], None]) -> None:
        self._joints, self._changed = joints, changed
        self._client = node.create_client(GetParameters, f"{controller}/get_parameters")
        self._asked: Future | None = None
        self._asked_s = 0.0
        node.create_timer(PERIOD_S, self.look, clock=STEADY)
        self.look()

    def look(self) -> None:
        """Take the response to the last request, or send the next one."""
        if self._asked is not None and self._asked.done():
            self._take(self._asked.result())
            self._asked = None
        elif self._asked is not None and time.monotonic() - self._asked_s > ANSWER_S:
            self._asked.cancel()
            self._asked = None
        if self._asked is None and self._client.service_is_ready():
            self._asked = self._client.call_async(GetParameters.Request(names=[PARAMETER]))
            self._asked_s = time.monotonic()
        self._changed()

    def _take(self, response: GetParameters.Response | None) -> None:
        if response is not None and response.values:
            self._joints.said(list(response.values[0].string_array_value))
