"""The controller's own joints against the arm's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from manual_clock import ManualClock

from naf_robot.arm.control.controller_joints import ANSWER_S, ControllerJoints, controller_order
from naf_robot.core.errors import ConfigError

JOINTS = ("a", "b", "c", "d")


@given(st.permutations(JOINTS))
def test_values_in_the_controllers_order_are_those_of_its_joints(theirs):
    values = dict(zip(JOINTS, (1.0, 2.0, 3.0, 4.0), strict=True))
    sent = np.array([values[name] for name in JOINTS])[controller_order(JOINTS, "c", theirs)]
    assert sent.tolist() == [values[name] for name in theirs]


@pytest.mark.parametrize(
    ("theirs", "text"),
    [
        (("a", "b", "c"), "controller 'c1' lacks d; its parameter 'joints' must name"),
        (("a", "b", "c", "d", "finger"), "has also finger; "),
        (("a", "b", "x", "y"), "lacks c, d and has also x, y; "),
        (("a", "b", "c", "d", "d"), "repeats d; "),
    ],
)
def test_other_joints_are_refused_in_one_sentence(theirs, text):
    with pytest.raises(ConfigError, match=text):
        controller_order(JOINTS, "c1", theirs)


def test_a_controller_is_awaited_then_taken_as_one_that_does_not_say_and_heard_again_later():
    clock = ManualClock()
    known = ControllerJoints(JOINTS, "c1", clock)
    assert known.obstacle == "waiting for controller 'c1' to say its joints"
    assert known.warning == ""
    clock.advance(ANSWER_S)
    assert known.obstacle is None
    assert "'c1' does not say its joints" in known.warning
    known.said([])
    assert known.order is None
    known.said(["a", "b"])
    assert "lacks c, d" in known.obstacle
    known.said(JOINTS[::-1])
    assert (known.obstacle, known.warning, known.order.tolist()) == (None, "", [3, 2, 1, 0])


def test_where_positions_have_no_names_a_controller_that_does_not_say_them_stays_an_obstacle():
    clock = ManualClock()
    known = ControllerJoints(JOINTS, "c1", clock, needs_order=True)
    clock.advance(10.0 * ANSWER_S)
    assert "'c1' does not say its joints" in known.obstacle
    assert "would make the arm jump" in known.obstacle
    known.said(JOINTS)
    assert known.obstacle is None


def test_a_controller_that_is_gone_is_asked_anew_and_one_that_begins_at_the_measured_position_is_a_warning():
    clock = ManualClock()
    known = ControllerJoints(JOINTS, "c1", clock)
    known.said(JOINTS)
    clock.advance(100.0)
    known.gone()
    assert known.obstacle == "waiting for controller 'c1' to say its joints"
    known.said(JOINTS)
    known.begins_measured = True
    assert known.obstacle is None
    assert "interpolate_from_desired_state" in known.warning
