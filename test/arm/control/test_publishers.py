"""Only one node may write to an arm; a second one is a fault with its name."""

import numpy as np
import pytest
from manual_clock import ManualClock

from naf_robot.arm.control.publishers import CONFIRMED_S, LEASE_S, SoleWriter
from naf_robot.arm.control.velocity_control import VelocityControl, VelocityControlConfig

OWN = "/robot_1/velocity_control"


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def watch(clock):
    return SoleWriter(OWN, clock)


def test_we_alone_or_nobody_yet_is_as_it_should_be(watch, clock):
    for writers in ([], [OWN]):
        for _ in range(60):
            clock.advance(1.0)
            assert watch.violation(writers) is None


def test_another_node_is_named_once_it_has_been_seen_for_a_while(watch, clock):
    assert watch.violation([OWN, "/teleop", "/other/run"]) is None
    clock.advance(CONFIRMED_S)
    assert watch.violation([OWN, "/other/run", "/teleop"]) == (
        f"velocity commands have another publisher: /other/run, /teleop; only {OWN} may write to the arm"
    )
    assert watch.violation([OWN]) is None


def test_one_that_comes_and_goes_is_none(watch, clock):
    for k in range(20):
        clock.advance(1.0)
        assert watch.violation([OWN, "/teleop"] if k % 2 else [OWN]) is None


def test_a_second_node_of_our_own_name_may_be_a_killed_predecessor_until_its_lease_has_run_out(watch, clock):
    assert watch.violation([OWN, OWN]) is None
    clock.advance(LEASE_S - 1.0)
    assert watch.violation([OWN, OWN]) is None
    clock.advance(1.0)
    assert OWN in watch.violation([OWN, OWN])


def test_a_second_writer_latches_until_it_is_gone(projection, clock):
    control = VelocityControl(projection, VelocityControlConfig(), clock)
    control.writers("velocity commands have another publisher: /teleop")
    assert "/teleop" in control.fault
    assert control.clear_fault()[0] is False
    control.writers(None)
    assert control.clear_fault()[0] is True


def test_publishers_of_contradicting_states_are_named(projection, home, clock):
    control = VelocityControl(projection, VelocityControlConfig(), clock)
    control.measured.publishers(["/driver", "/a_copy"])
    for k in range(8):
        clock.advance(0.01)
        position = np.zeros(7) if k % 2 else home
        control.joint_state(control.joint_names, position, np.zeros(7), [], clock.now_s(), clock.now_s())
    assert control.fault.endswith("; published by /a_copy, /driver")
