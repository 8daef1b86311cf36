"""Asks the controller below for its joints, again and again: a controller may be loaded late, or anew."""

import time
from collections.abc import Callable

from rcl_interfaces.msg import ParameterType
from rcl_interfaces.srv import GetParameters
from rclpy.node import Node
from rclpy.task import Future

from naf_robot.arm.control.controller_joints import ControllerJoints
from naf_robot.nodes.executable import STEADY

PERIOD_S = 0.5
ANSWER_S = 2.0  # a request to a controller that was killed has no response
JOINTS = "joints"
FROM_DESIRED = "interpolate_from_desired_state"  # of a joint_trajectory_controller alone


class ControllerLink:
    """Hands the parameters of `controller` to `joints`, and says `changed` after each look.

    One of `trajectories` is asked once how it begins them; another one would warn that it has no such parameter.
    """

    def __init__(
        self, node: Node, controller: str, trajectories: bool, joints: ControllerJoints, changed: Callable[[], None]
    ) -> None:
        self._joints, self._changed = joints, changed
        self._client = node.create_client(GetParameters, f"{controller}/get_parameters")
        self._asks_beginning = trajectories
        self._parameter = JOINTS  # that was asked for
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
        if not self._client.service_is_ready():
            self._joints.gone()
        elif self._asked is None:
            ask_beginning = self._asks_beginning and self._joints.order is not None
            self._parameter = FROM_DESIRED if ask_beginning else JOINTS
            self._asks_beginning = self._asks_beginning and not ask_beginning
            self._asked = self._client.call_async(GetParameters.Request(names=[self._parameter]))
            self._asked_s = time.monotonic()
        self._changed()

    def _take(self, response: GetParameters.Response | None) -> None:
        if response is None or not response.values:  # it has no such parameter
            return
        (value,) = response.values
        if self._parameter == JOINTS:
            self._joints.said(list(value.string_array_value))
        else:
            self._joints.begins_measured = value.type == ParameterType.PARAMETER_BOOL and not value.bool_value
