"""velocity_control as for a real arm, with the stand-in driver below it and the test as its collector."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import driver
import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from graph import Graph, busyness, killed_with_parent
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger

from naf_robot.bringup.environment import local_environment
from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.nodes import convert
from naf_robot.nodes.qos import COMMAND, latched, reliable
from naf_robot.run.config import RunConfig, resolve, save

ROBOT = "arm"
PATIENCE_S = 0.4  # of ages: other processes of a busy machine hold up driver and test
CONTROL = f"/{ROBOT}/velocity_control"


class RealArm:
    """One robot; `stand_in` and `robot` differ from the usual driver and configuration."""

    def __init__(self, g: Graph, folder: Path, kind: str = "velocity", start: bool = True, **stand_in: Any) -> None:
        robot, parameters = stand_in.pop("robot", {}), stand_in.pop("parameters", {})
        self.graph, self.folder = g, folder
        values = {
            "robots": [ROBOT],
            "backend": "ros2_control",
            "simulated_time": False,
            "output": {"kind": kind},
            "velocity_control": {"joint_states_limit_s": PATIENCE_S, "desired_velocity_limit_s": PATIENCE_S},
        }
        self.config: RunConfig = resolve("reach", overrides=[values, robot])
        save(self.config, folder / "config.yaml")
        own = self.config.robot(ROBOT)
        self.names = own.arm.joints
        self.settings = driver.Settings(self.names, own.arm.home).changed(
            {"kind": kind, "controller": own.controller, "commands": own.command_topic} | stand_in
        )
        self.truth: list[dict[str, Any]] = []
        self.fault = ""
        self.status: dict[str, str] = {}
        self.message = ""
        self.desired: np.ndarray | None = None
        node = g.node
        self.request = node.create_publisher(JointState, f"/{ROBOT}/desired_velocity", COMMAND)
        self.setter = node.create_publisher(String, f"/{ROBOT}/stand_in/set", reliable(10))
        node.create_subscription(
            String, f"/{ROBOT}/stand_in/state", lambda m: self.truth.append(json.loads(m.data)), reliable(10)
        )
        node.create_subscription(String, f"/{ROBOT}/safety/fault", self.on_fault, latched())
        node.create_subscription(DiagnosticArray, "/diagnostics", self.on_diagnostics, reliable(50))
        node.create_timer(0.02, self.tick)
        self.driver = self.start_driver() if start else None
        self.control = g.start(
            NodeSpec(
                "velocity_control",
                "naf_robot.nodes.velocity_control",
                namespace=ROBOT,
                parameters={"config": str(folder / "config.yaml"), "robot": ROBOT} | parameters,
            ),
            folder / "control.log",
        )

    def start_driver(self) -> subprocess.Popen:
        with (self.folder / "driver.log").open("ab") as log:
            child = subprocess.Popen(
                driver.command_line(self.settings),
                env=local_environment() | {"OMP_NUM_THREADS": "1"},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=killed_with_parent,
            )
        self.graph.children.append(child)
        return child

    def kill_driver(self) -> None:
        assert self.driver is not None
        self.driver.kill()
        self.driver.wait()

    def on_fault(self, message: String) -> None:
        self.fault = message.data

    def on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name == CONTROL:
                self.message = status.message
                self.status = {entry.key: entry.value for entry in status.values}

    def tick(self) -> None:
        if self.desired is not None:
            stamp = self.graph.node.get_clock().now().to_msg()
            self.request.publish(convert.joint_state(self.names, stamp, velocity=self.desired))

    def change(self, **settings: Any) -> None:
        """Change the driver's settings while it runs."""
        self.setter.publish(String(data=json.dumps(settings)))

    def speed(self) -> float:
        """Of the joint that really moves fastest [rad/s]."""
        return float(np.abs(self.truth[-1]["velocity"]).max()) if self.truth else 0.0

    def moving(self) -> bool:
        return self.speed() > 0.02

    def position(self) -> np.ndarray:
        return np.array(self.truth[-1]["position"])

    def trigger(self, name: str) -> Any:
        return self.graph.call(Trigger, f"{CONTROL}/{name}", Trigger.Request())

    def heard(self) -> bool:
        """Whether the driver has had commands."""
        return bool(self.truth) and self.truth[-1]["commands"] > 0

    def enable(self, on: bool = True) -> Any:
        return self.graph.call(SetBool, f"{CONTROL}/enable", SetBool.Request(data=on))

    def go(self, *velocity: float) -> None:
        """Enable, and move with `velocity` of the first joints."""
        self.desired = np.array([*velocity, *np.zeros(len(self.names) - len(velocity))])
        self.wait_for(self.heard, what="the driver gets commands")
        self.wait_for(lambda: self.enable().success, what="it can be enabled")
        self.wait_for(self.moving, what="the arm moves")

    def rest_after_s(self, begin_s: float) -> float | None:
        """When the arm came to rest after `begin_s` (monotonic clock) and stayed so; None where it moves."""
        after = [sample for sample in self.truth if sample["time_s"] >= begin_s]
        still = None
        for sample in after:
            fast = np.abs(sample["velocity"]).max() > 0.005
            still = None if fast else still if still is not None else sample["time_s"] - begin_s
        return still

    def comes_to_rest(self, begin_s: float, within_s: float) -> bool:
        """Whether it rests `within_s` after `begin_s`, longer on a busy machine, which holds up the driver too."""
        self.wait_for(lambda: self.rest_after_s(begin_s) is not None, what="it comes to rest")
        rest_s = self.rest_after_s(begin_s)
        return rest_s is not None and rest_s < within_s * busyness()

    def wait_for(self, condition: Any, within_s: float = 10.0, what: str = "") -> None:
        try:
            self.graph.wait_for(condition, within_s, what)
        except AssertionError as error:
            log = (self.folder / "control.log").read_text(errors="replace")[-2000:]
            raise AssertionError(f"{error}\nstatus: {self.message}\nfault: {self.fault}\nlog: {log}") from None

    def kill_control(self) -> float:
        """Kill velocity_control; returns when."""
        os.kill(self.control.pid, 9)
        return time.monotonic()
