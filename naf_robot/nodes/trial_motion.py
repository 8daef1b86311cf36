"""A small motion of each joint of a real arm, one after the other, and what stops it; all through velocity control."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from rclpy.client import Client
from std_srvs.srv import SetBool, Trigger

from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.arm.projection.config import SafetyConfig
from naf_robot.arm.projection.projection import SafetyProjection
from naf_robot.core.records import FloatArray
from naf_robot.nodes.desired_output import DesiredOutput
from naf_robot.nodes.executable import ExecutableNode
from naf_robot.run.driver_findings import Motion

SPEED = 0.05  # [rad/s] of a joint, or its limit
ONE_WAY_S = 0.4  # of motion before it returns
REQUEST_S = 0.02  # between two requests
SETTLE_S = 0.2  # after each way
SERVICE_S = 5.0
ENABLE_S = 10.0  # until velocity_control knows its controller, or knows that it will not
STANDSTILL = 0.01  # [rad/s] below which a joint stands
WATCHED_S = 2.0  # for an arm that is to stop


class TrialMotion:
    """Moves each joint by some hundredths of a radian and back.

    `spin` handles what comes within a time [s]; `measured` is the newest position and velocity, each (n,).
    """

    def __init__(
        self,
        node: ExecutableNode,
        joints: Sequence[str],
        spin: Callable[[float], None],
        measured: Callable[[], tuple[FloatArray, FloatArray]],
    ) -> None:
        self._node, self._joints, self._spin, self._measured = node, tuple(joints), spin, measured
        self._request = DesiredOutput(node, self._joints)
        self._enable = node.create_client(SetBool, "velocity_control/enable")
        self._stop = node.create_client(Trigger, "velocity_control/stop")

    def run(self, safety: SafetyConfig, model: ArmModel) -> Motion | str:
        """The motion that was made, or why there was none."""
        if not self._enable.wait_for_service(SERVICE_S):
            return "velocity_control does not start: see its messages"
        speeds = np.minimum(SPEED, SafetyProjection(model, safety).limits.max_velocity)
        self._move(np.zeros_like(speeds), SETTLE_S)
        answer = self._enabled()
        if answer is None or not answer.success:
            return f"velocity_control was not enabled: {answer.message if answer else 'no answer'}"
        made = np.array([self._trial(joint, speeds[joint]) for joint in range(len(speeds))])
        first = np.where(np.arange(len(speeds)) == 0, speeds, 0.0)
        self._move(first, ONE_WAY_S)
        rest: dict[str, float | None] = {"requests end": self._rest_s()}
        self._move(-first, ONE_WAY_S)
        self._call(self._stop, Trigger.Request(), wait=False)
        rest["velocity_control/stop is called"] = self._rest_s()
        return Motion(speeds * ONE_WAY_S, made, rest)

    def _enabled(self) -> Any:
        """The answer to `enable`; asked again and again, as velocity_control first waits for the controller."""
        until_s = time.monotonic() + ENABLE_S
        while True:
            answer = self._call(self._enable, SetBool.Request(data=True))
            if (answer is not None and answer.success) or time.monotonic() > until_s:
                return answer
            self._move(np.zeros(len(self._joints)), SETTLE_S)

    def _trial(self, joint: int, speed: float) -> FloatArray:
        """Motion (n,) [rad] of all joints while one is asked to move; it returns then."""
        asked = np.zeros(len(self._joints))
        asked[joint] = speed
        begin = self._measured()[0]
        self._move(asked, ONE_WAY_S)
        self._move(np.zeros_like(asked), SETTLE_S)
        made = self._measured()[0] - begin
        self._move(-asked, ONE_WAY_S)
        self._move(np.zeros_like(asked), SETTLE_S)
        return made

    def _move(self, velocity: FloatArray, duration_s: float) -> None:
        until_s = time.monotonic() + duration_s
        while time.monotonic() < until_s and not self._node.stop_requested:
            now = self._node.get_clock().now().to_msg()
            self._request.send(velocity, now)
            self._spin(REQUEST_S)

    def _rest_s(self) -> float | None:
        """Time until no joint moves, None if it does not come [s]."""
        begin_s = time.monotonic()
        while time.monotonic() < begin_s + WATCHED_S:
            self._spin(REQUEST_S)
            if np.abs(self._measured()[1]).max() < STANDSTILL:
                return time.monotonic() - begin_s
        return None

    def _call(self, client: Client, request: Any, wait: bool = True) -> Any:
        """The answer of a service, None without one."""
        future = client.call_async(request)
        until_s = time.monotonic() + SERVICE_S
        while wait and not future.done() and time.monotonic() < until_s:
            self._spin(REQUEST_S)
        return future.result() if future.done() else None
