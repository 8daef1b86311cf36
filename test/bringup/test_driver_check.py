"""`naf-robot check --driver` and `--move` against the stand-in driver, over the real graph."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")

import driver

from naf_robot.bringup.environment import local_environment
from naf_robot.run.config import resolve

pytestmark = pytest.mark.ros
TWO_JOINTS = {  # of our arm, the others locked: motion takes less time
    "arm": {"joints": ["joint_2", "joint_4"], "home": [0.3, -1.6], "locked": {"joint_6": 1.2}},
    "robots": ["arm"],
    "backend": "ros2_control",
    "velocity_control": {"joint_states_limit_s": 1.0},  # a busy machine is no faulty driver
    "task": {"target_centre": [0.477, 0.0, 0.342], "target_size": 0.01},  # where two joints reach: at home
}


@contextmanager
def stand_in(folder: Path, **settings: Any) -> Iterator[Path]:
    """The configuration of a robot whose driver runs meanwhile."""
    own = resolve("reach", overrides=[TWO_JOINTS]).robot("arm")
    known = driver.Settings(own.arm.joints, own.arm.home).changed(
        {"controller": own.controller, "commands": own.command_topic} | settings
    )
    file = folder / "robot.yaml"
    file.write_text(json.dumps(TWO_JOINTS), encoding="utf-8")
    with (folder / "driver.log").open("wb") as log:
        process = subprocess.Popen(driver.command_line(known), env=local_environment(), stdout=log, stderr=log)
    try:
        yield file
    finally:
        process.terminate()
        process.wait()


def check(file: Path, *arguments: str, answer: str = "") -> tuple[int, dict[str, list[dict]]]:
    """Exit code and findings by the name of their check."""
    command = [sys.executable, "-m", "naf_robot.bringup.cli", "check", "--config", str(file), "--json", *arguments]
    done = subprocess.run(
        command, input=answer, env=dict(os.environ), capture_output=True, text=True, timeout=100, check=False
    )
    assert done.stdout, done.stderr
    found: dict[str, list[dict]] = {}
    for each in json.loads(done.stdout)["findings"]:
        found.setdefault(each["check"], []).append(each)
    return done.returncode, found


def test_a_driver_is_observed_and_nothing_moves_without_consent(tmp_path: Path):
    with stand_in(tmp_path, other_joints=("finger",)) as file:
        code, found = check(file, "--move", answer="no\n")
    assert code == 0, [each for every in found.values() for each in every if each["level"] == "problem"]
    assert {"joint names", "rate", "clock", "publishers", "commands", "joint order", "without commands"} <= set(found)
    assert "and 1 others" in found["joint names"][0]["found"]
    assert found["motion"] == [
        {
            "check": "motion",
            "found": "not tried: it was not agreed to",
            "level": "warning",
            "advice": "",
            "robot": "arm",
        }
    ]


def test_each_joint_moves_alone_and_the_arm_stops(tmp_path: Path):
    with stand_in(tmp_path) as file:
        code, found = check(file, "--move", answer="yes\n")
    assert "each joint moved alone" in found["motion"][0]["found"]
    assert ["at rest after" in each["found"] for each in found["stop"]] == [True, True]
    assert code == int(any(each["level"] == "problem" for each in found["stop"]))


def test_joints_that_are_mixed_up_are_found_by_motion(tmp_path: Path):
    with stand_in(tmp_path, controller_joints=("joint_4", "joint_2"), answers_parameters=False) as file:
        code, found = check(file, "--move", answer="yes\n")
    assert code == 1
    assert "does not say its joints" in found["joint order"][0]["found"]
    assert "problem" in {each["level"] for each in found["motion"]}
