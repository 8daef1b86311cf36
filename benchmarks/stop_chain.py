"""From an event to standstill, measured over ROS against a simulator that holds the last command: JSON.

    python benchmarks/stop_chain.py --json
    python benchmarks/stop_chain.py --drivers --json    # every kind of output, against a stand-in driver

For each event a whole system is started (simulator at real time, velocity_control, collector, trainer),
the arm moves, the event is triggered, and the measured joint states are recorded until the arm
stands, or for two seconds. Joint states pass through this process, which can cut them.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "test" / "support"))

import stop_chain_driver
from geometry_msgs.msg import WrenchStamped
from graph import Graph, graph
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray, String
from std_srvs.srv import Trigger

from naf_robot.arm.control.config import VelocityControlConfig
from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.bringup.system import RobotNodes, training_system
from naf_robot.nodes import convert, topics
from naf_robot.nodes.qos import COMMAND, SENSOR, latched, reliable
from naf_robot.run.config import resolve, save
from naf_robot.run.robot import DEFAULT_BACKEND
from naf_robot.sim.registry import SIMULATORS

ROBOT = "robot_1"
STANDSTILL = 0.005  # [rad/s]
FAST_ENOUGH = 0.15  # [rad/s], some joint at the event
WATCH_S = 2.0
CONTROL_PERIOD_S = 0.02  # finer than the tasks' own: simulated time, and with it every age, moves in such steps
RAW = "joint_states_of_the_arm"
EVENTS = (
    "collector killed",
    "collector frozen",
    "joint states cease",
    "required sensor ceases",
    "NaN desired velocity",
    "trainer killed",
    "stop service",
    "contact force",
    "velocity_control interrupted",
    "velocity_control killed",
)
SIGNALS = {"killed": signal.SIGKILL, "frozen": signal.SIGSTOP, "interrupted": signal.SIGINT}


class Chain:
    """One running system whose arm is watched."""

    def __init__(self, g: Graph, folder: Path, joint_states_limit_s: float, backend: str) -> None:
        self.graph = g
        overrides = {
            "robots": [ROBOT],
            "backend": backend,
            "simulation": {"real_time_factor": 1.0},
            "task": {"control_period_s": CONTROL_PERIOD_S, "episode_steps": 400},
            "velocity_control": {
                "sensor_limits_s": {topics.EXTERNAL_WRENCH: 0.1},
                "joint_states_limit_s": joint_states_limit_s,
            },
        }
        save(resolve("reach", overrides=[overrides]), folder / "config.yaml")
        self.children: dict[str, subprocess.Popen] = {}
        self.samples: list[tuple[float, np.ndarray, np.ndarray]] = []
        self.commands: list[tuple[float, bool]] = []
        self.relaying, self.sensing = True, True
        self.fault = ""
        self.names: list[str] = []
        node = g.node
        self.relay = node.create_publisher(JointState, f"/{ROBOT}/{topics.JOINT_STATES}", SENSOR)
        self.desired = node.create_publisher(JointState, f"/{ROBOT}/{topics.DESIRED_VELOCITY}", COMMAND)
        self.wrench = node.create_publisher(WrenchStamped, f"/{ROBOT}/{topics.EXTERNAL_WRENCH}", SENSOR)
        node.create_subscription(
            Float64MultiArray,
            f"/{ROBOT}/{topics.COMMANDS}",
            lambda m: self.commands.append((time.monotonic(), bool(np.any(m.data)))),
            reliable(100),
        )
        node.create_subscription(JointState, f"/{ROBOT}/{RAW}", self.on_state, SENSOR)
        node.create_subscription(String, f"/{ROBOT}/{topics.SAFETY_FAULT}", self.on_fault, latched())
        for spec in training_system(folder / "config.yaml", RobotNodes([ROBOT])):
            self.children[spec.name] = g.start(_tapped(spec), folder / f"{spec.name}.log")

    def on_state(self, message: JointState) -> None:
        self.names = list(message.name)
        self.samples.append((time.monotonic(), np.array(message.position), np.array(message.velocity)))
        if self.sensing:
            wrench = WrenchStamped()
            wrench.header.stamp = message.header.stamp
            self.wrench.publish(wrench)
        if self.relaying:
            self.relay.publish(message)

    def on_fault(self, message: String) -> None:
        self.fault = message.data

    def speed(self) -> float:
        return float(np.abs(self.samples[-1][2]).max()) if self.samples else 0.0

    def happen(self, event: str) -> None:
        """Make `event` happen now."""
        victim, _, what = event.partition(" ")
        if what in SIGNALS:
            os.kill(self.children[victim].pid, SIGNALS[what])
        elif event == "joint states cease":
            self.relaying = False
        elif event == "required sensor ceases":
            self.sensing = False
        elif event == "NaN desired velocity":
            stamp = self.graph.node.get_clock().now().to_msg()
            self.desired.publish(convert.joint_state(self.names, stamp, velocity=np.full(len(self.names), np.nan)))
        elif event == "contact force":
            wrench = WrenchStamped()
            wrench.wrench.force.x = 500.0
            self.wrench.publish(wrench)
        else:
            client = self.graph.node.create_client(Trigger, f"/{ROBOT}/velocity_control/stop")
            self.graph.wait_for(client.service_is_ready)
            client.call_async(Trigger.Request())

    def measure(self, event: str) -> dict[str, Any]:
        self.graph.wait_for(lambda: self.speed() > FAST_ENOUGH, 60.0, "the arm moves")
        self.graph.spin_for(1.0)
        self.graph.wait_for(lambda: self.speed() > FAST_ENOUGH, 60.0, "the arm moves")
        self.graph.spin_for(CONTROL_PERIOD_S / 2.0)  # what we send must not be overtaken by the collector's answer
        begin = time.monotonic()
        self.happen(event)
        self.graph.spin_for(WATCH_S)
        after = [sample for sample in self.samples if sample[0] >= begin]
        last_moving = max((i for i, s in enumerate(after) if np.abs(s[2]).max() > STANDSTILL), default=-1)
        stopped = last_moving + 1 < len(after) - 5
        end = min(last_moving + 1, len(after) - 1)
        moving = [when for when, nonzero in self.commands if nonzero and when >= begin]
        zeros = [when for when, nonzero in self.commands if not nonzero and when >= max([begin, *moving])]
        path = np.array([s[1] for s in after[: end + 1]])
        return {
            "event": event,
            "command_zero_s": round(zeros[0] - begin, 3) if zeros else None,
            "moving_commands": len(moving),
            "stop_time_s": round(after[end][0] - begin, 3) if stopped else None,
            "travel_rad": round(float(np.abs(np.diff(path, axis=0)).sum(axis=0).max(initial=0.0)), 4),
            "peak_velocity_after_rad_s": round(max(float(np.abs(s[2]).max()) for s in after), 4),
            "fault": self.fault or None,
        }


def _tapped(spec: NodeSpec) -> NodeSpec:
    if spec.name != "simulator":
        return spec
    tap = {f"{ROBOT}/{topics.JOINT_STATES}": f"{ROBOT}/{RAW}"}
    return NodeSpec(spec.name, spec.module, parameters=spec.parameters, remappings=tap)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", nargs="+", choices=EVENTS, default=list(EVENTS))
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--backend", choices=sorted(SIMULATORS), default=DEFAULT_BACKEND, help="the simulator")
    limit_s = VelocityControlConfig().joint_states_limit_s
    parser.add_argument(
        "--joint-states-limit", type=float, default=limit_s, help="age in s beyond which they are stale"
    )
    parser.add_argument("--json", action="store_true", help="print JSON lines (the only format)")
    parser.add_argument("--drivers", action="store_true", help="kinds of output against a stand-in driver instead")
    options = parser.parse_args()
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    os.environ.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))
    if options.drivers:
        for row in tqdm(stop_chain_driver.rows(), total=len(stop_chain_driver.CASES), disable=None):
            print(json.dumps(row), flush=True)
        return
    for event in tqdm([e for e in options.events for _ in range(options.repeats)], disable=None):
        with tempfile.TemporaryDirectory() as folder, graph() as g:
            print(
                json.dumps(Chain(g, Path(folder), options.joint_states_limit, options.backend).measure(event)),
                flush=True,
            )


if __name__ == "__main__":
    main()
