"""Only one node may write to an arm; a second one is a fault with its name."""

import numpy as np
import pytest
from manual_clock import ManualClock

from naf_robot.arm.control.publishers import CONFIRMED_S, LEASE_S, SoleWriter, StatePublishers
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
    control.permission.writers("velocity commands have another publisher: /teleop")
    assert "/teleop" in control.fault
    assert control.clear_fault()[0] is False
    control.permission.writers(None)
    assert control.clear_fault()[0] is True


def test_publishers_of_contradicting_states_are_named(projection, home, clock):
    control = VelocityControl(projection, VelocityControlConfig(), clock)
    control.measured.publishers(["/driver", "/a_copy"])
    for k in range(8):
        clock.advance(0.01)
        position = np.zeros(7) if k % 2 else home
        control.joint_state(control.joint_names, position, np.zeros(7), [], clock.now_s(), clock.now_s())
    assert control.fault.endswith("; published by /a_copy, /driver")


ARM = ("a", "b", "c")


def violation_of(sets, publishers, seconds=3.0):
    clock = ManualClock()
    states = StatePublishers(ARM, clock)
    found = None
    for _ in range(round(seconds)):
        for names in sets:
            states.said(names)
        found = states.violation(publishers)
        clock.advance(1.0)
    return found


@pytest.mark.parametrize(
    ("sets", "publishers"),
    [
        ([["c", "a", "b"]], ["/driver"]),
        ([["a", "b", "c", "finger"]], ["/driver"]),
        ([["a", "b", "c"], ["finger"]], ["/driver", "/gripper"]),
        ([["a"], ["b", "c"], ["finger"]], ["/one", "/one", "/gripper"]),
        ([], []),
    ],
)
def test_states_in_parts_of_several_publishers_are_fine(sets, publishers):
    assert violation_of(sets, publishers) is None


@pytest.mark.parametrize(
    ("sets", "publishers", "text"),
    [
        ([["a", "b", "c"]], ["/driver", "/twin"], "joint states have 2 publishers: /driver, /twin; "),
        ([["a", "b", "c"], ["c"]], ["/driver", "/twin"], "joint states of c have 2 publishers"),
        ([["a", "b", "c"], ["finger"]], ["/driver", "/gripper", "/twin"], "have 3 publishers"),
    ],
)
def test_another_publisher_of_the_same_joints_is_named(sets, publishers, text):
    assert text in violation_of(sets, publishers)


def test_a_killed_driver_is_listed_beside_its_successor_for_a_while_which_is_no_fault():
    assert violation_of([["a", "b", "c"]], ["/driver", "/driver"], seconds=20.0) is None
    assert violation_of([["a", "b", "c"]], ["/driver", "/driver"], seconds=40.0) is not None
