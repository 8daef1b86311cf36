"""A whole run on a real arm's driver: what the screen says, what an operator does, and what a dead driver leads to."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")

import driver
import numpy as np
from graph import busyness, naf_robot

from naf_robot.bringup.environment import local_environment
from naf_robot.run.config import resolve

pytestmark = pytest.mark.ros
SLACK = "velocity_control.joint_states_limit_s=0.4"  # a busy machine is no dead driver


class Screen:
    """What a process prints, read as it comes."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.process, self.text = process, ""
        self.reader = Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.text += line

    def wait_for(self, text: str, within_s: float = 30.0) -> None:
        end_s = time.monotonic() + within_s * busyness()
        while text not in self.text and time.monotonic() < end_s:
            time.sleep(0.05)
        assert text in self.text, self.text[-3000:]


def operator(*arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "naf_robot.bringup.cli", *arguments, "--robots", "arm"]
    done = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_run_waits_for_driver_and_operator_moves_home_slowly_and_says_what_is_wrong(tmp_path: Path):
    options = ["--simulated", "false", "--robots", "arm", "--run-dir", str(tmp_path / "run"), "--set", SLACK]
    train = naf_robot("train", "--task", "reach", *options, merged=True)
    screen, stand_in = Screen(train), None
    try:
        screen.wait_for("waiting for joint_states: nothing received yet (/arm/joint_states has no publishers")
        own = resolve("reach", overrides=[{"backend": "ros2_control", "robots": ["arm"]}]).robot("arm")
        known = driver.Settings(own.arm.joints, tuple(np.add(own.arm.home, 0.15)))
        stand_in = subprocess.Popen(driver.command_line(known), env=local_environment(), stderr=subprocess.DEVNULL)
        screen.wait_for("holding still: disabled: naf-robot enable")
        code, text = operator("status")
        assert code == 0
        assert "/arm/velocity_control: warning: " in text
        assert "naf-robot enable" in text
        assert operator("enable") == (0, "arm: enabled\n")
        screen.wait_for("running an episode")
        os.kill(stand_in.pid, signal.SIGKILL)
        screen.wait_for("ERROR arm: fault: joint_states")
        code, text = operator("clear-fault")
        assert (code, "not cleared" in text) == (1, True)
    finally:
        train.send_signal(signal.SIGINT)
        train.wait(timeout=60)
        screen.reader.join(10.0)
        if stand_in is not None:
            stand_in.kill()
            stand_in.wait()
    assert train.returncode == 0, screen.text[-3000:]


def test_an_operator_is_told_when_no_robot_hears():
    code, text = operator("stop")
    assert code == 1
    assert "no robot 'arm' on ROS_DOMAIN_ID=" in text
