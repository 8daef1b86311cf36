"""Executable `view`: serves a page that shows a running graph; started by `naf-robot view`. It publishes nothing.

Messages are taken at the page's own rate, whatever the rate at which they come: of what has come in between only the
newest are looked at.
"""

import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from rclpy.executors import Executor, SingleThreadedExecutor
from rclpy.subscription import Subscription
from sensor_msgs.msg import JointState
from std_msgs.msg import String

from naf_robot.arm.control.joint_states import JointStates
from naf_robot.arm.model.joint_values import RefusedMessage
from naf_robot.nodes import topics
from naf_robot.nodes.convert import seconds
from naf_robot.nodes.executable import ExecutableNode, run
from naf_robot.nodes.qos import OF_ROLE, SENSOR, latched, reliable
from naf_robot.nodes.sensor_messages import message_type
from naf_robot.run.robot_parts import task_sensors
from naf_robot.sensing.registry import make_sensor
from naf_robot.sensing.sensor import Sensor
from naf_robot.view import addresses, rounds, server
from naf_robot.view.curves import CurveFile
from naf_robot.view.page import Page
from naf_robot.view.scene import RobotState, Scene

MOST_AT_ONCE = 200  # messages of one topic in one round
CAMERA = "camera"


class ViewNode(ExecutableNode):
    """The page's eyes on the graph; parameters `host` and `port` say where it is served."""

    def __init__(self) -> None:
        super().__init__("view")
        host: str = self.node_parameters.get("host")
        port: int = self.node_parameters.get("port")
        self.topics: list[tuple[Subscription, Callable[[Any], None]]] = []
        listening = addresses.bind(host, port or None)
        self.scene = Scene(self.config, f"run {self.run_dir.name}")
        self.server, self.address = server.start(listening, host)
        self.page = Page(self.server, self.scene, stored=False)
        self.curves = CurveFile(self.run_dir, tuple(self.config.robots))
        self.listen(DiagnosticArray, topics.DIAGNOSTICS, reliable(50), self.on_diagnostics)
        for robot, state in self.scene.robots.items():
            self.listen_to_robot(robot, state)

    def make_executor(self) -> Executor:
        """One that is never spun: messages are taken, not delivered."""
        return SingleThreadedExecutor()

    def listen(self, kind: type, topic: str, qos: Any, take: Callable[[Any], None]) -> None:
        """Let `take` have the messages of `topic`."""
        self.topics.append((self.create_subscription(kind, topic, take, qos), take))

    def listen_to_robot(self, robot: str, state: RobotState) -> None:
        """Subscribe to everything that is shown of one robot."""
        own = self.config.robot(robot)
        model = self.scene.bodies[robot].model
        states = JointStates(model.joint_names, model.continuous)
        name = own.joint_states_topic
        topic = name if name.startswith("/") else f"/{robot}/{name}"
        self.listen(JointState, topic, SENSOR, partial(self.on_joint_states, robot, states))
        self.listen(PoseStamped, f"/{robot}/{topics.TARGET}", latched(), partial(on_target, state))
        self.listen(String, f"/{robot}/{topics.SAFETY_FAULT}", latched(), partial(on_fault, state))
        self.listen(String, f"/{robot}/{topics.SAFETY_HOLD}", latched(), partial(on_hold, state))
        for sensor in self.shown_sensors(robot):
            kind = message_type(sensor.message)
            self.listen(kind, f"/{robot}/{sensor.topic}", OF_ROLE[sensor.qos], partial(on_sensor, state, sensor))

    def shown_sensors(self, robot: str) -> Iterable[Sensor]:
        """The sensors of the task whose readings are samples, and the camera where one is configured."""
        found = {sensor.name: sensor for sensor in task_sensors(self.config, robot) if sensor.kind != "stream"}
        if CAMERA in self.config.sensors and CAMERA not in found:
            found[CAMERA] = make_sensor(CAMERA, self.config.robot(robot).arm.joints, self.config.sensors)
        return found.values()

    def on_joint_states(self, robot: str, states: JointStates, message: JointState) -> None:
        """A posture, whole or in parts."""
        try:
            found = states.take(
                message.name, message.position, message.velocity, message.effort, seconds(message.header.stamp)
            )
        except RefusedMessage:
            return  # velocity_control says what is wrong with it
        if found is not None:
            order = {joint: index for index, joint in enumerate(found.names)}
            joints = self.config.robot(robot).arm.joints
            position = np.array([found.position[order[joint]] for joint in joints], dtype=np.float64)
            self.scene.take_position(robot, position, time.monotonic())

    def on_diagnostics(self, message: DiagnosticArray) -> None:
        """What nodes say of themselves."""
        for status in message.status:
            values = {pair.key: pair.value for pair in status.values}
            level = int.from_bytes(status.level, "little")
            self.scene.take_status(status.name, level, status.message, values, time.monotonic())

    def take_messages(self) -> None:
        """Take what has come."""
        for subscription, take in self.topics:
            for _ in range(MOST_AT_ONCE):
                with subscription.handle:
                    taken = subscription.handle.take_message(subscription.msg_type, False)
                if taken is None:
                    break
                take(taken[0])

    def step(self, now_s: float, passed_s: float) -> bool:
        """One round of the page."""
        self.take_messages()
        if (curves := self.curves.read()) is not None:
            self.page.show_curves(curves, len(self.curves.episodes))
        self.page.update(now_s)
        return self.page.watched()

    def loop(self) -> int:
        """Serve the page until a stop is requested."""
        print(f"run {self.run_dir}: {self.address}", flush=True)
        rounds.run(self.step, lambda: self.stop_requested)
        return 0

    def close(self) -> None:
        """End the server."""
        server.stop(self.server)


def on_target(state: RobotState, message: PoseStamped) -> None:
    """Where the target or the door's frame is, in the robot's base frame."""
    point = message.pose.position
    if np.isfinite((point.x, point.y, point.z)).all():
        state.goal = np.array((point.x, point.y, point.z))


def on_fault(state: RobotState, message: String) -> None:
    """A latched fault, "" when it is cleared."""
    state.fault = message.data


def on_hold(state: RobotState, message: String) -> None:
    """Why the robot holds, "" when it does not."""
    state.hold = message.data


def on_sensor(state: RobotState, sensor: Sensor, message: Any) -> None:
    """A reading of the scene, or a picture."""
    try:
        signals = sensor.read(message)
    except RefusedMessage:
        return  # the collector says what is wrong with it
    for name, value in signals.items():
        if value.ndim == 3:
            state.picture = value
        else:
            state.signals[name] = value


def main() -> int:
    """Entry point."""
    rounds.give_way()
    return run(ViewNode)


if __name__ == "__main__":
    sys.exit(main())
