"""Joint states that fall silent around motion latch a fault, whatever else happens at which moment."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manual_clock import ManualClock

from naf_robot.arm.control.velocity_control import VelocityControl, VelocityControlConfig
from naf_robot.arm.projection.projection import SafetyConfig, SafetyProjection, SphereConfig

TICK_S = 0.001


@pytest.fixture(scope="module")
def projection(model):
    return SafetyProjection(model, SafetyConfig(sphere=SphereConfig(centre=(0.4, 0.0, 0.6), radius=0.9)))


class Arm:
    """An ideal arm, its driver, a collector and the controller, each with its own period and phase."""

    def __init__(self, projection, home, simulated=False):
        self.clock = ManualClock()
        settings = VelocityControlConfig(simulated_time=simulated)
        self.control = VelocityControl(projection, settings, self.clock)
        self.names = list(projection.model.joint_names)
        self.position, self.sent, self.stepped_s = home.copy(), np.zeros(7), 0.0

    def run(self, duration_s, state_s=0.01, desired_s=0.05, step_s=0.02, speed=0.3):
        """Go on for `duration_s`; a period of None means silent."""
        for _ in range(round(duration_s / TICK_S)):
            self.clock.advance(TICK_S)
            self.position = self.position + TICK_S * self.sent
            now, tick = self.clock.now_s(), round(self.clock.now_s() / TICK_S)
            due = [period is not None and tick % round(period / TICK_S) == 0 for period in (state_s, desired_s, step_s)]
            if due[0]:
                self.control.joint_state(self.names, self.position, self.sent, [], now, now)
            if due[1]:
                self.control.desired(self.names, np.full(7, speed), now, now)
            if due[2]:
                self.sent = self.control.step(now, now - self.stepped_s).velocity
                self.stepped_s = now


@settings(max_examples=20, deadline=None)
@given(
    phase_s=st.floats(0.0, 0.1),
    collector_s=st.one_of(st.just(None), st.floats(-0.3, 0.3)),
    silence_s=st.sampled_from([0.115, 0.15, 0.21, 0.3, 0.6]),
    periods=st.sampled_from([(0.005, 0.02, 0.01), (0.01, 0.05, 0.05), (0.02, 0.1, 0.09), (0.05, 0.05, 0.05)]),
)
def test_silence_of_a_moving_arm_latches_always(projection, home, phase_s, collector_s, silence_s, periods):
    """The driver falls silent at any phase; the collector before it, after it, or not at all."""
    state_s, desired_s, step_s = periods
    arm = Arm(projection, home)
    arm.run(0.5, state_s, desired_s, step_s)
    assert arm.sent.any()
    arm.run(phase_s, state_s, desired_s, step_s)
    if collector_s is not None and collector_s < 0.0:
        arm.run(-collector_s, state_s, None, step_s)
    stopped_before = collector_s is not None and collector_s <= -0.25
    after = silence_s if collector_s is None else min(max(collector_s, 0.0), silence_s)
    arm.run(after, None, desired_s, step_s)
    arm.run(silence_s - after, None, None, step_s)
    arm.run(0.2, state_s, desired_s, step_s)
    assert stopped_before or "while moving" in (arm.control.fault or "")
    arm.run(0.3, state_s, desired_s, step_s)
    assert bool(arm.sent.any()) == (arm.control.fault is None)
    cleared = arm.control.clear_fault()
    arm.run(0.3, state_s, desired_s, step_s)
    assert cleared[0]
    assert arm.sent.any()


@pytest.mark.parametrize("silence_s", [0.15, 0.5, 12.0])
def test_a_driver_and_collector_that_cease_together_and_return(projection, home, silence_s):
    """The case that was found: both fell silent, braking had ended before the silence was noticed."""
    arm = Arm(projection, home)
    arm.run(0.5)
    arm.run(silence_s, None, None)
    arm.run(1.0)
    assert "while moving" in arm.control.fault
    assert not arm.sent.any()


def test_an_arm_that_was_measured_moving_counts_although_nothing_was_commanded(projection, home):
    arm = Arm(projection, home)
    arm.run(0.5, speed=0.0)
    now = arm.clock.now_s()
    arm.clock.advance(TICK_S)
    arm.control.joint_state(arm.names, arm.position, np.full(7, 0.2), [], now + TICK_S, now + TICK_S)
    arm.run(0.3, None)
    assert "while moving" in arm.control.fault


@pytest.mark.parametrize("rest_s", [0.7, 5.0])
@pytest.mark.parametrize("noise", [0.0, 0.009])
def test_silence_of_an_arm_at_rest_recovers_by_itself(projection, home, rest_s, noise):
    arm = Arm(projection, home)
    arm.run(0.5)
    arm.run(0.3, desired_s=None)  # the collector pauses
    assert not arm.sent.any()
    for _ in range(round(rest_s / 0.01)):
        arm.run(0.009, None, None)
        arm.clock.advance(TICK_S)
        now = arm.clock.now_s()
        arm.control.joint_state(arm.names, arm.position, np.full(7, noise), [], now, now)
    arm.run(3.0, None, None)
    arm.run(0.5)
    assert arm.control.fault is None
    assert arm.sent.any()


def test_states_that_were_lost_while_this_process_was_frozen_are_no_silence_of_the_driver(projection, home):
    arm = Arm(projection, home)
    arm.run(0.5)
    arm.clock.advance(0.5)
    now = arm.clock.now_s()
    assert arm.control.joint_state(arm.names, arm.position, arm.sent, [], now, now) is None
    arm.control.step(now, 0.5)
    assert arm.control.fault is None
