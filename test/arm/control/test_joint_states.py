"""Whole joint states out of parts, in any order, with joints that are not the arm's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from naf_robot.arm.control.joint_states import JointStates
from naf_robot.arm.model.joint_values import RefusedMessage, by_name

JOINTS = ("shoulder", "elbow", "wrist")


def take(states, names, stamp_s, values=None, effort=()):
    values = list(range(len(names))) if values is None else values
    return states.take(names, values, [0.1 * v for v in values], effort, stamp_s)


def test_a_message_with_all_joints_passes_as_it_is():
    names = ["finger", "wrist", "elbow", "shoulder"]
    state = take(JointStates(JOINTS), names, 1.0)
    assert state.names is names
    assert by_name(JOINTS, state.names, state.position, "x").tolist() == [3.0, 2.0, 1.0]


def test_joints_that_are_not_ours_are_no_state_and_no_error():
    states = JointStates(JOINTS)
    assert take(states, ["finger", "thumb"], 1.0) is None
    assert states.missing == "no joint state of shoulder, elbow, wrist; there are those of finger, thumb"


def test_parts_make_a_state_as_old_as_the_oldest_of_them():
    states = JointStates(JOINTS)
    assert take(states, ["wrist", "finger"], 1.00, [0.3, 9.0], [5.0, 6.0]) is None
    assert states.missing.startswith("no joint state of shoulder, elbow; ")
    state = take(states, ["elbow", "shoulder"], 1.02, [0.2, 0.1])
    assert (state.names, state.position, state.stamp_s) == (JOINTS, [0.1, 0.2, 0.3], 1.0)
    assert np.isnan(state.effort[:2]).all()
    assert state.effort[2] == 5.0
    assert states.missing == ""


def test_a_part_that_no_longer_comes_is_not_replaced_by_its_past():
    states = JointStates(JOINTS)
    take(states, ["wrist"], 1.0)
    assert take(states, ["elbow", "shoulder"], 1.0) is not None
    assert all(take(states, ["elbow", "shoulder"], 1.0 + 0.01 * k) is None for k in range(1, 50))


def test_lengths_that_differ_are_refused_in_parts_too():
    with pytest.raises(RefusedMessage, match="position has 1 names but 2 values"):
        JointStates(JOINTS).take(["wrist"], [1.0, 2.0], [0.0], [], 1.0)


@settings(deadline=None)
@given(st.lists(st.tuples(st.lists(st.sampled_from([*JOINTS, "finger"]), unique=True), st.booleans()), max_size=60))
def test_a_state_holds_the_newest_value_of_each_joint_and_stamps_never_go_back(messages):
    states, newest, last_s = JointStates(JOINTS), {}, -1.0
    for k, (names, measured) in enumerate(messages):
        for name in names:
            newest[name] = float(k)
        state = take(states, names, float(k), [float(k)] * len(names), [1.0] * len(names) if measured else ())
        if state is None:
            continue
        assert by_name(JOINTS, state.names, state.position, "x").tolist() == [newest[name] for name in JOINTS]
        assert state.stamp_s == min(newest[name] for name in JOINTS)
        assert state.stamp_s > last_s
        last_s = state.stamp_s


def test_turns_of_continuous_joints_are_counted_in_whole_messages_and_in_parts():
    """A wrist that the driver wraps to (-pi, pi]; the elbow is bounded and really goes from 3 to -3."""
    for parts in ([["wrist", "elbow", "shoulder"]], [["wrist"], ["shoulder", "elbow", "finger"]]):
        states, seen = JointStates(JOINTS, np.array([False, False, True])), []
        for k, (wrist, elbow) in enumerate([(3.0, 3.0), (-3.1, -3.0), (-2.0, 0.0), (-3.1, 0.0), (3.0, 0.0)]):
            values = {"wrist": wrist, "elbow": elbow, "shoulder": 0.5, "finger": 0.0}
            for names in parts:
                state = take(states, names, 0.1 * k, [values[name] for name in names])
            seen.append(by_name(JOINTS, state.names, state.position, "x"))
        turn = 2.0 * np.pi
        np.testing.assert_allclose([place[2] for place in seen], [3.0, turn - 3.1, turn - 2.0, turn - 3.1, 3.0])
        np.testing.assert_allclose([place[1] for place in seen], [3.0, -3.0, 0.0, 0.0, 0.0])


def test_lengths_that_differ_are_refused_of_continuous_joints_too():
    states = JointStates(JOINTS, np.ones(3, dtype=bool))
    with pytest.raises(RefusedMessage, match="velocity has 3 names but 0 values"):
        states.take(JOINTS, [0.0, 0.0, 0.0], [], [], 1.0)
