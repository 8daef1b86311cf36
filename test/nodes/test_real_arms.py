"""velocity_control above the stand-in driver of a real arm: every kind of controller and of misbehaviour.

Each test starts two processes, so that several rows of one kind share one system.
"""

import re

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")
from graph import graph
from real_arm import RealArm
from sensor_msgs.msg import JointState

from naf_robot.nodes.qos import SENSOR
from naf_robot.run.config import resolve

pytestmark = pytest.mark.ros
KINDS = ("velocity", "position", "trajectory")


@pytest.fixture
def make(tmp_path):
    """Makes the one system of a test."""
    with graph() as g:
        yield lambda *arguments, **settings: RealArm(g, tmp_path, *arguments, **settings)


@pytest.mark.parametrize("kind", KINDS)
def test_a_real_arm_follows_once_enabled_and_stops_with_its_sender_as_its_kind_does(make, kind):
    order = [f"joint_{k}" for k in (4, 1, 2, 7, 6, 5, 3)]
    arm = make(kind, other_joints=["a_finger", "joint_2_finger"], controller_joints=order)
    arm.desired = np.array([0.2, -0.1, 0, 0, 0, 0, 0.3])
    arm.wait_for(lambda: "disabled: naf-robot enable" in arm.message, what="it waits for an operator")
    arm.wait_for(lambda: arm.truth, what="the driver says where the arm is")
    begin = arm.position()
    arm.graph.spin_for(0.3)
    assert not arm.moving()
    np.testing.assert_allclose(arm.position(), begin, atol=1e-6)
    arm.wait_for(arm.heard, what="the driver gets commands")
    arm.wait_for(lambda: arm.enable().success, what="it can be enabled")
    arm.wait_for(lambda: np.allclose(arm.truth[-1]["velocity"], arm.desired, atol=0.06), what="the arm follows")
    arm.wait_for(lambda: arm.position()[6] > begin[6] + 0.2, what="it goes on")
    moved = arm.position() - begin
    np.testing.assert_allclose(moved / moved[6], arm.desired / 0.3, atol=0.03)
    killed_s = arm.kill_control()
    if kind == "velocity":
        arm.graph.spin_for(0.7)
        assert arm.rest_after_s(killed_s) is None, "a velocity controller repeats its last command"
    else:
        assert arm.comes_to_rest(killed_s, 0.3)
    assert not arm.truth[-1]["refused"]


def test_the_controllers_own_order_of_joints_is_read_and_kept_to(make):
    """Its joints in another order, states alphabetical, in two parts, with joints of a gripper between."""
    order = [f"joint_{k}" for k in (3, 1, 2, 7, 6, 5, 4)]
    arm = make(controller_joints=order, parts=2, other_joints=["finger", "joint_1_finger"], effort="nan")
    arm.go(0.3)
    arm.wait_for(lambda: any("driver.timeout_s is not given" in text for text in arm.status.values()), what="a warning")
    begin = arm.position()
    arm.wait_for(lambda: arm.position()[0] > begin[0] + 0.2, what="the first joint moves")
    np.testing.assert_allclose(arm.position()[1:], begin[1:], atol=0.01)
    assert not arm.fault


def test_a_controller_of_other_joints_keeps_the_arm_disabled(make):
    arm = make(controller_joints=[f"joint_{k}" for k in range(1, 7)] + ["finger"], robot={"first_run": True})
    arm.desired = np.full(7, 0.2)
    text = "controller 'velocity_controller' lacks joint_7 and has also finger"
    arm.wait_for(lambda: text in arm.message, what="it says so")
    assert arm.message.startswith("first run at 10% of the speed: ")
    answer = arm.enable()
    assert not answer.success
    assert text in answer.message
    assert not arm.moving()


def test_a_controller_that_does_not_answer_is_said_and_watched_by_what_the_arm_does(make):
    order = [f"joint_{k}" for k in (2, 1, 3, 4, 5, 6, 7)]
    arm = make(controller_joints=order, answers_parameters=False, effort="none", state_hz=25.0)
    arm.wait_for(lambda: "waiting for controller" in arm.message, what="it waits")
    assert not arm.enable().success
    arm.wait_for(lambda: "disabled" in arm.message, what="the wait is over")
    arm.wait_for(lambda: any("does not say its joints" in text for text in arm.status.values()), what="the warning")
    begin = arm.position()
    arm.go(0.2)
    arm.wait_for(lambda: arm.fault, 4.0, "the fault")
    assert re.search("joint_[12].* do not move as commanded", arm.fault)
    arm.wait_for(lambda: not arm.moving(), what="it stands")
    assert np.abs(arm.position() - begin).max() < 0.25
    arm.wait_for(lambda: arm.trigger("clear_fault").success, what="cleared")
    arm.graph.spin_for(0.3)
    assert not arm.moving(), "after a fault an operator must enable it again"
    # An inactive controller, a brake, a reversed sign.
    for change, said in (
        ({"controller_joints": [], "brake": True}, "stand although"),
        ({"brake": False, "sign": [-1.0] + [1.0] * 6}, "joint_1 do not move as commanded"),
    ):
        arm.change(**change)
        arm.graph.spin_for(0.1)
        assert arm.enable().success
        arm.wait_for(lambda said=said: said in arm.fault, 4.0, said)
        arm.wait_for(lambda: not arm.moving(), what="it stands")
        arm.wait_for(lambda: arm.trigger("clear_fault").success, what="cleared")


def test_a_driver_that_starts_late_dies_in_motion_and_comes_back(make):
    arm = make(start=False)
    arm.desired = np.array([0.3, 0, 0, 0, 0, 0, 0])
    arm.wait_for(lambda: "joint_states has not arrived yet" in arm.message, what="it waits for the driver")
    arm.driver = arm.start_driver()
    arm.go(0.3)
    arm.kill_driver()
    arm.wait_for(lambda: "while moving" in arm.fault, 3.0, "the fault")
    arm.truth.clear()
    arm.driver = arm.start_driver()
    arm.wait_for(arm.heard, what="the driver is back")
    arm.graph.spin_for(0.3)
    assert not arm.moving()
    arm.wait_for(lambda: arm.trigger("clear_fault").success, what="it can be cleared")
    arm.graph.spin_for(0.2)
    assert not arm.moving()
    assert arm.enable().success
    arm.wait_for(arm.moving, what="it moves once it is enabled")


def test_a_second_publisher_of_the_same_joints_latches_even_if_it_agrees(make):
    arm = make(state_hz=500.0)
    arm.go(0.2)
    arm.change(silent=True)
    arm.wait_for(lambda: "while moving" in arm.fault, 3.0, "silence latches")
    arm.change(silent=False)
    arm.wait_for(lambda: arm.trigger("clear_fault").success, what="cleared")
    twin = arm.graph.node.create_publisher(JointState, "/arm/joint_states", SENSOR)
    arm.wait_for(lambda: "have 2 publishers" in arm.fault, 6.0, "the fault names them")
    assert arm.graph.node.get_name() in arm.fault
    assert not arm.trigger("clear_fault").success
    arm.graph.node.destroy_publisher(twin)
    arm.wait_for(lambda: arm.trigger("clear_fault").success, 6.0, "gone")
    assert arm.enable().success
    arm.wait_for(arm.moving, what="it moves again")
    arm.change(intruder=True)
    arm.wait_for(lambda: "contradict each other" in arm.fault, 3.0, "zeros between the states")
    arm.wait_for(lambda: not arm.moving(), what="it stands")


def test_a_drive_time_out_stops_an_arm_on_the_velocity_interface(make):
    arm = make(timeout_s=0.2, robot={"driver": {"timeout_s": 0.2}})
    arm.go(0.2, 0.1)
    killed_s = arm.kill_control()
    assert arm.comes_to_rest(killed_s, 0.2 + 0.25)


def test_continuous_joints_that_the_driver_wraps_go_on_turning(make):
    """Gen3's first joint from 2.9 over half a turn, with trajectories."""
    profile = resolve("reach", overrides=[{"profile": "gen3"}]).robot("robot_1")
    home = list(profile.arm.home)
    home[0] = 2.9
    arm = make(
        "trajectory",
        robot={"profile": "gen3", "safety": {"sphere": {"radius": 2.0}}},
        home=home,
        wrapped=profile.arm.joints,
        from_desired=False,
    )
    arm.go(0.3)
    arm.wait_for(lambda: arm.position()[0] > 3.4, what="it passes half a turn")
    assert not arm.fault
    assert not arm.truth[-1]["refused"]
    advice = "set its parameter interpolate_from_desired_state"
    arm.wait_for(lambda: any(advice in text for text in arm.status.values()), what="the warning")
    arm.desired = np.zeros(7)
    arm.wait_for(lambda: not arm.moving(), what="it stops")
    assert not arm.fault
