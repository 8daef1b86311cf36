import numpy as np
import pytest

from naf_robot.arm.control.contact import ContactConfig, ContactStop
from naf_robot.arm.control.faults import FaultLatch, Interventions
from naf_robot.arm.model.joint_values import NonFiniteMessage, RefusedMessage, by_name
from naf_robot.core.errors import ConfigError, UnknownNameError


def test_fault_stays_until_its_cause_is_gone():
    cause = ["still hot"]
    latch = FaultLatch()
    latch.trip("heat", "too hot", lambda: cause[0])
    assert latch.clear() == (False, "not cleared, the cause is still there: still hot")
    assert latch.reason == "too hot"
    cause[0] = None
    assert latch.clear() == (True, "cleared: too hot")
    assert latch.reason is None


def test_one_present_cause_keeps_every_fault():
    latch = FaultLatch()
    latch.trip("stop", "stopped")
    latch.trip("heat", "too hot", lambda: "still hot")
    assert not latch.clear()[0]
    assert latch.reason == "stopped; too hot"


def test_same_fault_twice_is_one_fault_with_its_first_reason():
    latch = FaultLatch()
    latch.trip("stop", "first")
    latch.trip("stop", "second")
    assert latch.reason == "first"
    assert latch.count == 1


def test_clear_without_fault_succeeds():
    assert FaultLatch().clear() == (True, "there was no fault")


def test_interventions_count_per_limit():
    counts = Interventions()
    counts.add(("sphere", "velocity:a"))
    counts.add(("sphere",))
    assert counts.counts() == {"sphere": 2, "velocity:a": 1}


def contact(**settings):
    return ContactStop(ContactConfig(**settings), ("a", "b"), np.array([10.0, 20.0]))


def test_effort_over_the_limit_is_contact_and_names_the_joint():
    stop = contact()
    assert stop.effort(np.array([10.0, -20.0])) is None
    assert stop.effort(np.array([0.0, -20.5])) == "contact: effort -20.5 of joint 'b' is over 20.0"
    assert stop.present() is not None
    stop.effort(np.zeros(2))
    assert stop.present() is None


def test_threshold_narrows_the_effort_limit_but_never_widens_it():
    np.testing.assert_array_equal(contact(max_effort={"a": 5.0, "b": 99.0}).thresholds, [5.0, 20.0])


def test_force_over_the_threshold_is_contact():
    stop = contact(max_force=10.0)
    assert stop.force(np.array([0.0, 6.0, 8.0])) is None
    assert stop.force(np.array([0.0, 8.0, 8.0])) == "contact: external force 11.3 N is over 10.0 N"


def test_samples_in_a_row_are_asked_for():
    stop = contact(samples=3)
    hard = np.array([99.0, 0.0])
    assert [stop.effort(hard) is None for _ in range(3)] == [True, True, False]
    stop.effort(np.zeros(2))
    assert stop.effort(hard) is None


def test_joint_without_any_effort_limit_is_refused():
    with pytest.raises(ConfigError, match="joint 'a' has no effort limit: state one"):
        ContactStop(ContactConfig(), ("a",), np.array([0.0]))


def test_threshold_of_unknown_joint_lists_the_known_ones():
    with pytest.raises(UnknownNameError, match=r"unknown joint 'c' in contact.max_effort; valid: a, b"):
        contact(max_effort={"c": 1.0})


def test_values_are_matched_by_name_and_extra_ones_ignored():
    values = by_name(("b", "a"), ("a", "finger", "b"), (1.0, 9.0, 2.0), "state")
    np.testing.assert_array_equal(values, [2.0, 1.0])


@pytest.mark.parametrize(
    ("names", "values", "text"),
    [
        (("a",), (1.0,), "state lacks b; it names a"),
        ((), (), "state lacks a, b; it names \\(none\\)"),
        (("a", "b"), (1.0,), "state has 2 names but 1 values"),
        (("a", "b", "a"), (1.0, 2.0, 3.0), "state names a more than once"),
    ],
)
def test_wrongly_named_or_sized_message_is_refused_with_a_reason(names, values, text):
    with pytest.raises(RefusedMessage, match=text):
        by_name(("a", "b"), names, values, "state")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_non_finite_message_names_the_joint(bad):
    with pytest.raises(NonFiniteMessage, match="state is not finite for b"):
        by_name(("a", "b"), ("a", "b"), (1.0, bad), "state")
