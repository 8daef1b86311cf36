"""An operator moves an arm from a terminal, and whatever ends that brings the arm to rest."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")

import numpy as np
from graph import graph
from keyboard import Keyboard
from real_arm import ROBOT, RealArm
from sensor_msgs.msg import JointState, Joy

from naf_robot.nodes import convert
from naf_robot.nodes.qos import COMMAND, SENSOR

pytestmark = pytest.mark.ros
READY = "speed 20%"


@pytest.fixture
def arm(tmp_path: Path) -> Iterator[RealArm]:
    with graph() as g:
        yield RealArm(g, tmp_path)


@pytest.fixture
def keyboard(arm: RealArm) -> Iterator[Keyboard]:
    made = Keyboard(arm.folder, ROBOT, "--joy", "joy")
    yield made
    made.close()


def hold(arm: RealArm, keyboard: Keyboard, key: bytes) -> None:
    """Hold `key` down until the arm moves."""

    def moves() -> bool:
        keyboard.press(key)
        keyboard.shows("")
        return arm.moving()

    arm.wait_for(moves, what=f"the arm moves by {key!r}")


def rests(arm: RealArm) -> None:
    arm.wait_for(lambda: arm.speed() < 0.005, what="it comes to rest")


def test_keys_and_a_stick_move_it_while_they_are_held_and_a_killed_teleop_leaves_it_at_rest(
    arm: RealArm, keyboard: Keyboard
):
    arm.wait_for(lambda: keyboard.shows(READY), 30.0, "teleop is ready")
    arm.wait_for(arm.heard, what="the driver gets commands")
    arm.wait_for(lambda: (keyboard.press(b"E"), keyboard.shows("enabled"))[1], what="it is enabled by a key")
    begin = arm.position()
    hold(arm, keyboard, b"q")
    rests(arm)
    assert arm.position()[0] > begin[0]
    assert np.abs(arm.position()[1:] - begin[1:]).max() < 0.01
    joy = arm.graph.node.create_publisher(Joy, f"/{ROBOT}/joy", SENSOR)
    sticks = Joy(axes=[0.0, 0.0, 0.0, 0.0, 1.0], buttons=[0, 0, 0, 0, 1])
    arm.wait_for(lambda: (joy.publish(sticks), arm.moving())[1], what="the stick moves it")
    rests(arm)
    hold(arm, keyboard, b"\x1b[A")
    os.kill(keyboard.node(), signal.SIGKILL)
    rests(arm)
    assert arm.fault == ""
    assert keyboard.process.wait(20.0) == 128 + signal.SIGKILL


def test_it_does_not_take_an_arm_that_another_commands_and_ends_with_its_terminal(arm: RealArm, keyboard: Keyboard):
    arm.desired = np.zeros(len(arm.names))
    arm.wait_for(lambda: keyboard.process.poll() is not None or keyboard.shows("end it first"), 30.0, "it refuses")
    arm.wait_for(lambda: keyboard.process.poll() is not None, what="it ends")
    assert keyboard.process.returncode == 2
    assert "commands the arm of 'arm'; end it first" in keyboard.text
    arm.desired = None
    second = Keyboard(arm.folder, ROBOT)
    try:
        arm.wait_for(lambda: second.shows(READY), 30.0, "teleop is ready")
        arm.wait_for(arm.heard, what="the driver gets commands")
        arm.wait_for(lambda: arm.enable().success, what="it can be enabled")
        hold(arm, second, b"w")
        foreign = arm.graph.node.create_publisher(JointState, f"/{ROBOT}/desired_velocity", COMMAND)

        def both() -> bool:
            second.press(b"w")
            stamp = arm.graph.node.get_clock().now().to_msg()
            foreign.publish(convert.joint_state(arm.names, stamp, velocity=np.full(len(arm.names), 0.1)))
            return "two senders" in arm.fault

        arm.wait_for(both, what="two senders are a fault")
        rests(arm)
        assert f"/{ROBOT}/teleop (" in arm.fault
        second.close_terminal()
        arm.wait_for(lambda: second.process.poll() is not None, 20.0, "it ends with its terminal")
    finally:
        second.close()
