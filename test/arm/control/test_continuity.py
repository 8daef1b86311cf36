"""Successive joint states must agree with each other and with time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manual_clock import ManualClock

from naf_robot.arm.control.continuity import CONTRADICTIONS, WINDOW_S, Continuity
from naf_robot.arm.control.velocity_control import VelocityControl, VelocityControlConfig
from naf_robot.arm.projection.projection import SafetyConfig, SafetyProjection, SphereConfig

NAMES = ("a", "b")
LIMIT = np.array([1.5, 3.0])
REST = np.zeros(2)


@pytest.fixture(scope="module")
def projection(model):
    return SafetyProjection(model, SafetyConfig(sphere=SphereConfig(centre=(0.4, 0.0, 0.6), radius=0.9)))


def continuity(**settings):
    return Continuity(NAMES, LIMIT, 0.02, **settings)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    period_s=st.sampled_from([0.001, 0.002, 0.01, 0.05]),
    lost=st.floats(0.0, 0.5),
    jitter=st.floats(0.0, 0.3),
)
def test_no_motion_within_the_limits_is_refused(seed, period_s, lost, jitter):
    """With noise, quantisation, lost messages, uneven stamps and velocities that say nothing."""
    random = np.random.default_rng(seed)
    states, position, time_s, stamp_s = continuity(), random.uniform(-1.0, 1.0, 2), 0.0, -1.0
    for _ in range(300):
        time_s += period_s
        position = position + period_s * random.choice((-1.0, 1.0), 2) * LIMIT
        measured = np.round((position + random.normal(0.0, 0.001, 2).clip(-0.003, 0.003)) / 1e-3) * 1e-3
        stamp_s = max(time_s + random.uniform(-jitter, jitter) * min(period_s, 0.01), stamp_s + 1e-9)
        if random.random() >= lost:
            assert states.rejection(measured, REST, stamp_s, time_s) is None
    assert states.contradiction(time_s) is None


def test_an_arm_that_is_pushed_faster_than_its_limit_is_believed_by_its_measured_velocity():
    states = continuity()
    for k in range(50):
        assert states.rejection(np.array([0.04 * k, 0.0]), np.array([4.0, 0.0]), 0.01 * k, 0.01 * k) is None


def test_one_bad_reading_is_refused_and_forgotten():
    states = continuity()
    for k in range(200):
        bad = k == 20
        text = states.rejection(np.full(2, 1.0 if bad else 0.3), REST, 0.01 * k, 0.01 * k)
        assert (text is not None) == bad
    assert states.contradiction(2.0) is None


def test_two_sources_contradict_until_one_of_them_has_ceased():
    states = continuity()
    for k in range(2 * CONTRADICTIONS + 2):
        states.rejection(np.full(2, 0.0 if k % 2 else 0.8), REST, 0.01 * k, 0.01 * k)
    assert states.contradiction(0.1) == "joint_states contradict each other: a by 0.800 rad within 0.010 s"
    for k in range(10, 200):
        assert states.rejection(np.full(2, 0.8), REST, 0.01 * k, 0.01 * k) is None
    assert states.contradiction(2.0) is None


@pytest.mark.parametrize("allowed", [False, True])
def test_a_joint_that_jumps_is_followed_and_counts_as_a_contradiction_unless_allowed(allowed):
    states = continuity(jumps_allowed=allowed)
    texts = [states.rejection(np.full(2, 0.0 if k < 10 else 1.0), REST, 0.01 * k, 0.01 * k) for k in range(30)]
    assert [k for k, text in enumerate(texts) if text is not None] == [10, 11]
    assert (states.contradiction(0.3) is None) == allowed
    assert states.contradiction(0.3 + WINDOW_S + 0.1) is None


def test_what_lay_before_a_jump_of_time_does_not_count():
    states = continuity()
    states.rejection(np.zeros(2), REST, 100.0, 0.0)
    states.restart()
    assert states.rejection(np.ones(2), REST, 0.0, 0.01) is None


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    false_period_ms=st.sampled_from([3, 7, 10, 20, 33]),
    simulated=st.booleans(),
    false=st.sampled_from(["zeros", "home mirrored"]),
)
def test_a_second_publisher_latches_in_a_few_messages_and_the_arm_does_not_shake(
    projection, home, seed, false_period_ms, simulated, false
):
    clock, random = ManualClock(), np.random.default_rng(seed)
    control = VelocityControl(projection, VelocityControlConfig(simulated_time=simulated), clock)
    names, position, sent = list(projection.model.joint_names), home.copy(), np.zeros(7)
    false_state = np.zeros(7) if false == "zeros" else -home
    begun_ms, false_messages, path = int(random.integers(200, 240)), 0, 0.0
    for millisecond in range(1, 1000):
        clock.advance(0.001)
        now = clock.now_s()
        position = position + 0.001 * sent
        if millisecond % 10 == 0:
            control.joint_state(names, position, sent, [], now, now)
        if millisecond >= begun_ms and millisecond % false_period_ms == 0:
            stamp_s = now - random.uniform(0.0, 0.004)
            control.joint_state(names, false_state, np.zeros(7), [], stamp_s, now)
            false_messages += control.fault is None
        if millisecond % 20 == 0:
            control.desired(names, np.full(7, 0.1), now, now)
            last, sent = sent, control.step(now, 0.02).velocity
            path += float(np.abs(sent - last).max()) if control.fault is not None else 0.0
    assert "contradict each other" in control.fault
    assert false_messages <= 15
    assert path <= 0.1 + 1e-9  # once down to zero, and never up again
    assert not sent.any()
    assert control.clear_fault()[0] is False
    for _ in range(60):
        clock.advance(0.02)
        now = clock.now_s()
        control.joint_state(names, position, sent, [], now, now)
        control.step(now, 0.02)
    assert control.clear_fault()[0]
