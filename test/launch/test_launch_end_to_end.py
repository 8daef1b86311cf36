"""The real system under launch: what is killed comes back, the run goes on to its end and ends in order."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")
pytest.importorskip("launch", reason="launch is in no package registry; it comes with a ROS installation")
if not hasattr(__import__("launch"), "LaunchDescription"):
    pytest.skip("launch is in no package registry; it comes with a ROS installation", allow_module_level=True)

from graph import find_child, graph

from naf_robot.bringup.environment import local_environment

pytestmark = [pytest.mark.ros, pytest.mark.timeout(600)]

LAUNCH = """
import sys
from launch import LaunchService
from naf_robot.bringup.launch_adapter import system_launch_description
service = LaunchService(noninteractive=True)
service.context.launch_configurations.update(word.split(":=") for word in sys.argv[1:])
service.include_launch_description(system_launch_description("train"))
sys.exit(service.run())
"""
SETTINGS = (
    "task.episode_steps=40 trainer.learning_starts=60 trainer.checkpoint_period_s=1 collector.evaluation_period=2"
)


def test_killed_nodes_come_back_and_the_run_ends_in_order(tmp_path: Path):
    run_dir, log = tmp_path / "run", tmp_path / "launch.log"
    words = [f"run_dir:={run_dir}", "robots:=2", "restarts:=3", "max_episodes:=40", f"settings:={SETTINGS}"]
    with graph() as g, log.open("wb") as file:
        child = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, *words],
            stdout=file,
            stderr=file,
            env=local_environment() | {"ROS_LOG_DIR": str(tmp_path / "ros")},
        )
        g.children.append(child)

        def episodes() -> int:
            path = run_dir / "episodes.jsonl"
            return len(path.read_text().splitlines()) if path.is_file() else 0

        for module, robot in (("collector", "robot_2"), ("trainer", "")):
            before = episodes()
            g.wait_for(lambda before=before: episodes() > before, 60.0, "episodes are finished")
            os.kill(find_child(child.pid, f"naf_robot.nodes.{module}", robot), signal.SIGKILL)
        g.wait_for(lambda: child.poll() is not None, 150.0, "the run ends")
    said = log.read_text()
    exits = [json.loads(line) for line in (run_dir / "process_exits.jsonl").read_text().splitlines()]
    assert [(d["process"], d["exit_reason"], d["restarted"]) for d in exits] == [
        ("robot_2/collector", "was killed by SIGKILL", True),
        ("trainer", "was killed by SIGKILL", True),
    ]
    summary = json.loads((run_dir / "summary.json").read_text())
    assert summary["episodes"] >= 40, said
    assert summary["steps_lost"] == 0
    ended = re.findall(r"\[([a-z_0-9.]+)-\d+\]: process has (?:finished cleanly|died)", said)[2:]
    assert ended[0] == "trainer"
    assert {name.rpartition(".")[2] for name in ended[1:3]} == {"collector"}
    assert {name.rpartition(".")[2] for name in ended[3:5]} == {"velocity_control"}
    assert ended[5:] == ["simulator"], "the arm is last"
    assert "escalating" not in said
