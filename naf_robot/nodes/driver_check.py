"""Executable `driver_check`: observes the driver of one real arm, and moves it a little where that is allowed.

It writes what it finds as JSON beside the configuration that it is given. Motion goes through `velocity_control`, which
must be running then.
"""

import json
import sys
import time

import numpy as np
from rcl_interfaces.srv import GetParameters
from sensor_msgs.msg import JointState

from naf_robot.core import run_files
from naf_robot.core.files import replace_file
from naf_robot.core.records import FloatArray
from naf_robot.nodes import convert
from naf_robot.nodes.command_output import publishers
from naf_robot.nodes.executable import ExecutableNode, run
from naf_robot.nodes.qos import SENSOR
from naf_robot.nodes.trial_motion import TrialMotion
from naf_robot.run.driver_findings import Observed, State, driver_findings, motion_findings
from naf_robot.run.findings import count, problem

FIRST_MESSAGE_S = 8.0  # for it: nodes must find each other first
OBSERVED_S = 2.0
ANSWER_S = 2.0


class DriverCheckNode(ExecutableNode):
    """The observer on the graph; parameter `move` allows motion."""

    def __init__(self) -> None:
        super().__init__("driver_check")
        self.robot = self.robot_parameter()
        self.own = self.config.robot(self.robot)
        self.move = bool(self.node_parameters.get("move"))
        self.states: list[State] = []
        self.duration_s = 0.0  # in which they came
        self.newest: dict[str, tuple[float, float]] = {}  # position and velocity by joint
        self.create_subscription(JointState, self.own.joint_states_topic, self.on_state, SENSOR)
        self.parameters = self.create_client(GetParameters, f"{self.own.controller}/get_parameters")

    def on_state(self, message: JointState) -> None:
        """Keep a message."""
        if len(message.position) == len(message.velocity) == len(message.name):
            values = zip(message.position, message.velocity, strict=True)
            self.newest |= dict(zip(message.name, values, strict=True))
        self.states.append(
            State(
                tuple(message.name),
                tuple(message.position),
                tuple(message.velocity),
                convert.seconds(message.header.stamp),
                self.now_s(),
            )
        )

    def loop(self) -> int:
        """Observe, move if allowed, write what was found."""
        begin_s = time.monotonic()
        while not self.states and time.monotonic() < begin_s + FIRST_MESSAGE_S and not self.stop_requested:
            self.spin_for(0.1)
        self.duration_s = OBSERVED_S if self.states else time.monotonic() - begin_s
        self.states.clear()
        self.spin_for(OBSERVED_S)
        found = driver_findings(self.own, self.config.make_task().control_period_s, self.observed())
        if self.move and not count(found, "problem") and not self.stop_requested:
            trial = TrialMotion(self, self.own.arm.joints, self.spin_for, self.measured)
            motion = trial.run(self.config.safety_of(self.robot), self.own.arm.model())
            found += (
                [problem("motion", motion)] if isinstance(motion, str) else motion_findings(self.own.arm.joints, motion)
            )
        document = json.dumps([each.document() for each in found])
        replace_file(self.run_dir / run_files.FINDINGS, document.encode())
        return 0

    def observed(self) -> Observed:
        """What was seen so far, and what the graph says now."""
        topic = self.resolve_topic_name(self.own.command_topic)
        return Observed(
            duration_s=self.duration_s,
            states=self.states,
            state_topics=sorted(
                name
                for name, types in self.get_topic_names_and_types()
                if "sensor_msgs/msg/JointState" in types and self.count_publishers(name) > 0
            ),
            state_publishers=publishers(self, self.own.joint_states_topic),
            command_listeners=[
                f"{info.node_namespace.rstrip('/')}/{info.node_name}"
                for info in self.get_subscriptions_info_by_topic(topic)
            ],
            command_writers=[name for name in publishers(self, topic) if not name.endswith("/velocity_control")],
            controller_joints=self.controller_joints(),
        )

    def measured(self) -> tuple[FloatArray, FloatArray]:
        """Newest position [rad] and velocity [rad/s] of the arm's joints, each (n,)."""
        values = np.array([self.newest[joint] for joint in self.own.arm.joints])
        return values[:, 0], values[:, 1]

    def controller_joints(self) -> list[str] | None:
        """The controller's parameter `joints`, None if it does not answer."""
        if not self.parameters.service_is_ready():
            return None
        future = self.parameters.call_async(GetParameters.Request(names=["joints"]))
        until_s = time.monotonic() + ANSWER_S
        while not future.done() and time.monotonic() < until_s and not self.stop_requested:
            self.spin_once(0.05)
        answer = future.result() if future.done() else None
        return list(answer.values[0].string_array_value) if answer is not None and answer.values else None

    def spin_for(self, duration_s: float) -> None:
        """Handle what comes within `duration_s`, or until a stop is requested."""
        until_s = time.monotonic() + duration_s
        while (left_s := until_s - time.monotonic()) > 0.0 and not self.stop_requested:
            self.spin_once(min(left_s, 0.1))


def main() -> int:
    """Entry point."""
    return run(DriverCheckNode)


if __name__ == "__main__":
    sys.exit(main())
