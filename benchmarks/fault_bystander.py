"""The monitor of `faults.py`: a lossy network for experience, a recorder of the arms' motion, and an operator.

Started by `benchmarks/faults.py`, never killed by it. Writes its records to `bystander.json` in the run folder.
"""

import json
import random
import sys
import time
from collections import Counter
from functools import partial

import numpy as np
from rclpy.publisher import Publisher
from sensor_msgs.msg import JointState
from std_msgs.msg import String, UInt8MultiArray
from std_srvs.srv import Trigger

from naf_robot.core.files import replace_file
from naf_robot.nodes import convert, topics
from naf_robot.nodes.executable import STEADY, ExecutableNode, run
from naf_robot.nodes.qos import EXPERIENCE, SENSOR, latched

SENT, RECEIVED = "/experience/as_sent", "/experience/ack_as_received"  # the collectors' ends of the lossy network
OUTSIDE_M = 0.002  # tool beyond the sphere by more is unsafe


class Bystander(ExecutableNode):
    """Proxy, observer and operator in one."""

    def __init__(self) -> None:
        super().__init__("bystander")
        self.random = random.Random(self.declare_parameter("seed", 0).value)
        self.loss = float(self.declare_parameter("loss", 0.1).value)
        own = next(iter(self.config.robots.values()))  # all alike
        self.joints = own.arm.joints
        self.model, self.sphere = own.arm.model(), own.safety.sphere
        self.counts: Counter[str] = Counter()
        self.unsafe: list[str] = []
        self.worst_outside_m = -1.0
        self.motion = (self.run_dir / "motion.txt").open("w", encoding="ascii")  # wall s, robot, stamp s, rad/s, joint
        self.kept: list[tuple[Publisher, UInt8MultiArray]] = []  # to come late
        for source, sink in ((SENT, topics.EXPERIENCE), (topics.EXPERIENCE_ACK, RECEIVED)):
            publisher = self.create_publisher(UInt8MultiArray, sink, EXPERIENCE)
            self.create_subscription(UInt8MultiArray, source, partial(self.on_message, publisher), EXPERIENCE)
        self.clients_by_robot = {}
        for robot in self.config.robots:
            self.create_subscription(JointState, f"{robot}/joint_states", partial(self.on_state, robot), SENSOR)
            self.create_subscription(String, f"{robot}/{topics.SAFETY_FAULT}", partial(self.on_fault, robot), latched())
            self.clients_by_robot[robot] = self.create_client(Trigger, f"{robot}/velocity_control/clear_fault")
        self.faults: dict[str, str] = {}
        self.create_timer(0.5, self.on_time, clock=STEADY)

    def on_message(self, publisher: Publisher, message: UInt8MultiArray) -> None:
        """Drop, duplicate, keep for later, or pass on."""
        choice = self.random.random()
        if choice < self.loss:
            self.counts["dropped"] += 1
            return
        if choice < 2 * self.loss:
            self.counts["duplicated"] += 1
            publisher.publish(message)
        elif choice < 3 * self.loss and len(self.kept) < 20:
            self.counts["reordered"] += 1
            self.kept.append((publisher, message))
            return
        self.counts["passed"] += 1
        publisher.publish(message)

    def on_state(self, robot: str, message: JointState) -> None:
        """Is the tool inside the sphere? Speeds are judged afterwards, when the deaths are known."""
        position = convert.by_name(message, self.joints, message.position)
        velocity = convert.by_name(message, self.joints, message.velocity)
        if position is None or velocity is None:
            return
        stamp_s = convert.seconds(message.header.stamp)
        self.counts["states"] += 1
        fastest = int(np.abs(velocity).argmax())
        self.motion.write(
            f"{time.monotonic():.4f} {robot} {stamp_s:.3f} {abs(velocity[fastest]):.4f} "
            f"{fastest + 1} {position[fastest]:.3f} {message.effort[fastest] if message.effort else 0.0:.2f}\n"
        )
        point = self.model.tool_position(position)
        outside_m = float(np.linalg.norm(point - np.asarray(self.sphere.centre))) - self.sphere.radius
        self.worst_outside_m = max(self.worst_outside_m, outside_m)
        if outside_m > OUTSIDE_M:
            self.report(f"{robot}: tool {1e3 * outside_m:.1f} mm outside the sphere at {stamp_s:.2f} s")

    def on_fault(self, robot: str, message: String) -> None:
        """A fault was latched, or is gone."""
        self.counts["faults latched"] += bool(message.data) and not self.faults.get(robot)
        self.faults[robot] = message.data

    def report(self, text: str) -> None:
        """Note an unsafe state; every one counts, the first ones are kept in words."""
        self.counts["unsafe"] += 1
        if len(self.unsafe) < 50:
            self.unsafe.append(text)

    def on_time(self) -> None:
        """Let late messages go, in another order; clear faults as an operator would; say what was seen."""
        self.random.shuffle(self.kept)
        for publisher, message in self.kept:
            publisher.publish(message)
        self.kept = []
        for robot, fault in self.faults.items():
            if fault and self.clients_by_robot[robot].service_is_ready():
                self.clients_by_robot[robot].call_async(Trigger.Request())
        seen = dict(self.counts) | {
            "worst_outside_m": self.worst_outside_m,
            "unsafe_in_words": self.unsafe,
            "time": time.time(),
        }
        replace_file(self.run_dir / "bystander.json", json.dumps(seen, indent=1).encode())

    def close(self) -> None:
        """The last look."""
        self.on_time()
        self.motion.close()


if __name__ == "__main__":
    sys.exit(run(Bystander))
