"""velocity_control above the stand-in driver of a real arm: every kind of controller and of misbehaviour.

Each test starts two processes, so that several rows of one kind share one system.
"""

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")
from graph import graph
from real_arm import RealArm

pytestmark = pytest.mark.ros
KINDS = ("velocity", "position", "trajectory")


@pytest.fixture
def make(tmp_path):
    """Makes the one system of a test."""
    with graph() as g:
        yield lambda *arguments, **settings: RealArm(g, tmp_path, *arguments, **settings)


@pytest.mark.parametrize("kind", KINDS)
def test_a_real_arm_follows_once_enabled_and_stops_with_its_sender_as_its_kind_does(make, kind):
    arm = make(kind, other_joints=["a_finger", "joint_2_finger"])
    arm.desired = np.array([0.2, -0.1, 0, 0, 0, 0, 0.3])
    arm.wait_for(lambda: "disabled: call velocity_control/enable" in arm.message, what="it waits for an operator")
    begin = arm.position()
    arm.graph.spin_for(0.3)
    assert not arm.moving()
    np.testing.assert_allclose(arm.position(), begin, atol=1e-6)
    assert arm.enable().success
    arm.wait_for(lambda: np.allclose(arm.truth[-1]["velocity"], arm.desired, atol=0.06), what="the arm follows")
    arm.wait_for(lambda: arm.position()[6] > begin[6] + 0.2, what="it goes on")
    moved = arm.position() - begin
    np.testing.assert_allclose(moved / moved[6], arm.desired / 0.3, atol=0.03)
    killed_s = arm.kill_control()
    arm.graph.spin_for(0.7)
    rest_s = arm.rest_after_s(killed_s)
    if kind == "velocity":
        assert rest_s is None, "a velocity controller repeats its last command"
    else:
        assert rest_s is not None
        assert rest_s < 0.3
    assert not arm.truth[-1]["refused"]
