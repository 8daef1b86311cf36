"""gazebo.launch.py with a real Gazebo and stand-ins around it: arms learn there, and nothing moves without a sender."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")
pytest.importorskip("launch_ros", reason="launch is in no package registry; it comes with a ROS installation")

import gazebo
import numpy as np
from graph import children, find_child, graph
from sensor_msgs.msg import JointState

from naf_robot.bringup.environment import local_environment
from naf_robot.nodes.qos import SENSOR

pytestmark = [pytest.mark.ros, pytest.mark.timeout(300)]
if (missing := gazebo.missing()) is not None:
    pytest.skip(missing, allow_module_level=True)

LAUNCH = """
import sys
from launch import LaunchService
from naf_robot.bringup.launch_adapter import gazebo_launch_description
service = LaunchService(noninteractive=True)
service.context.launch_configurations.update(word.split(":=", 1) for word in sys.argv[1:])
service.include_launch_description(gazebo_launch_description())
sys.exit(service.run())
"""
SETTINGS = "task.episode_steps=30 trainer.learning_starts=60"


def test_arms_act_in_gazebo_and_stop_when_their_sender_is_killed(tmp_path: Path):
    prefix, log, run_dir = gazebo.gazebo_prefix(tmp_path), tmp_path / "launch.log", tmp_path / "run"
    words = [f"run_dir:={run_dir}", "robots:=left", f"settings:={SETTINGS}"]
    states: list[JointState] = []
    environment = local_environment() | {"ROS_LOG_DIR": str(tmp_path / "ros"), "AMENT_PREFIX_PATH": str(prefix)}
    environment["PYTHONPATH"] = os.pathsep.join([gazebo.PYTHON, environment.get("PYTHONPATH", "")])
    with graph() as g, log.open("wb") as file:
        g.node.create_subscription(JointState, "/left/joint_states", states.append, SENSOR)
        child = subprocess.Popen([sys.executable, "-c", LAUNCH, *words], stdout=file, stderr=file, env=environment)
        g.children.append(child)
        path = run_dir / "episodes.jsonl"
        g.wait_for(lambda: path.is_file() and len(path.read_text().splitlines()) > 1, 60.0, log.read_text())
        servers = [pid for pid in descendants(child.pid) if "gz sim" in command_line(pid)]
        assert servers, "a real Gazebo runs"
        sender, seen = find_child(child.pid, "naf_robot.nodes.collector", "left"), len(states)
        g.wait_for(lambda: len(states) > seen + 20 and speed(states[-1]) > 0.2, 20.0, "the arm moves")
        os.kill(sender, signal.SIGKILL)
        killed_s = stamp(states[-1])
        g.wait_for(lambda: child.poll() is not None, 60.0, "launch ends")
        g.wait_for(lambda: not any(map(command_line, servers)), 20.0, "Gazebo ends")
    stamps = np.array([stamp(state) for state in states])
    assert np.median(np.diff(stamps)) == pytest.approx(0.01, abs=1e-6)
    rest_s = next(stamp(s) for s in states if stamp(s) > killed_s and speed(s) < 0.02)
    assert rest_s - killed_s < 0.6
    assert all(speed(state) < 0.05 for state in states if stamp(state) > rest_s + 0.1)
    summary = json.loads((run_dir / "summary.json").read_text())
    assert summary["episodes"] >= 2
    assert summary["steps_lost"] == 0
    said = log.read_text()
    ended = re.findall(r"^\[[A-Z]+\] \[([a-z_0-9.]+)-\d+\]: process has (?:finished cleanly|died)", said, re.MULTILINE)
    order = ["left.collector", "trainer", "left.velocity_control", "gazebo"]
    assert [name for name in ended if name in order] == order, said


def speed(state: JointState) -> float:
    return float(np.abs(state.velocity).max())


def stamp(state: JointState) -> float:
    return state.header.stamp.sec + 1e-9 * state.header.stamp.nanosec


def descendants(parent: int) -> list[int]:
    own = list(children(parent))
    return own + [each for pid in own for each in descendants(pid)]


def command_line(pid: int) -> str:
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""
