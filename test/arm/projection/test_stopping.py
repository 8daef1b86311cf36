import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from naf_robot.arm.projection.stopping import braking_way, stopping_velocity, velocity_interval

speeds = st.floats(-3.0, 3.0)
accelerations = st.floats(0.5, 20.0)
periods = st.floats(0.005, 0.1)


@given(distance=st.floats(1e-6, 6.0), a=accelerations, h=periods)
def test_stopping_velocity_solves_its_equation(distance, a, h):
    v = stopping_velocity(distance, a, h)
    np.testing.assert_allclose(v * h + v**2 / (2.0 * a), distance, rtol=1e-9)
    np.testing.assert_allclose(v, -a * h + np.sqrt((a * h) ** 2 + 2.0 * a * distance), rtol=1e-5, atol=1e-12)


@given(distance=st.floats(-1.0, 0.0), a=accelerations, h=periods)
def test_stopping_velocity_is_zero_at_and_beyond_the_limit(distance, a, h):
    assert stopping_velocity(distance, a, h) == 0.0


def way_to_standstill(v, a, period):
    return v * period + braking_way(np.array([v]), np.array([a * period]), period)[0][0]


@given(v=speeds, a=accelerations, period=periods)
def test_way_to_standstill_is_the_sum_of_the_commands(v, a, period):
    travelled, command = 0.0, v
    while command != 0.0:
        travelled += command * period
        command = np.sign(command) * max(abs(command) - a * period, 0.0)
    assert way_to_standstill(v, a, period) == pytest.approx(travelled, rel=1e-9, abs=1e-9)


@given(v=speeds, a=accelerations, period=periods)
def test_braking_does_not_move_the_end_of_its_own_path(v, a, period):
    next_command = np.sign(v) * max(abs(v) - a * period, 0.0)
    end = v * period + way_to_standstill(next_command, a, period)
    assert end == pytest.approx(way_to_standstill(v, a, period), rel=1e-9, abs=1e-9)


@given(
    position=st.floats(-0.999, 0.999),
    speed=st.floats(0.2, 3.0),
    a=accelerations,
    period=periods,
    commands=st.lists(st.floats(-5.0, 5.0), min_size=40, max_size=40),
)
def test_joint_never_crosses_and_acceleration_never_gives_way(position, speed, a, period, commands):
    """With exact tracking the box is never empty, whatever is asked."""
    q, sent = position, 0.0
    for command in commands:
        up, down = stopping_velocity(1.0 - q, a, period), -stopping_velocity(q + 1.0, a, period)
        interval = velocity_interval(sent, speed, a * period, (down, up), (down, up))
        assert not interval.relaxed
        sent = float(np.clip(command, interval.lower, interval.upper))
        q += period * sent
        assert -1.0 - 1e-12 <= q <= 1.0 + 1e-12


def test_velocity_interval_when_empty_is_not_swapped():
    """At q 0.999 with limit 1, period 0.01 s, last velocity 1, acceleration 10: swapped ends admit 0.9."""
    up, down = stopping_velocity(1.0 - 0.999, 10.0, 0.01), -stopping_velocity(0.999 + 1.0, 10.0, 0.01)
    interval = velocity_interval(1.0, 2.0, 0.1, (down, up), (down, up))
    sent = float(np.clip(1.0, interval.lower, interval.upper))
    assert interval.relaxed
    assert sent == up < 0.1
    assert 0.999 + 0.01 * sent < 1.0


def test_velocity_interval_admits_full_braking_that_meets_only_what_is_needed():
    interval = velocity_interval(1.0, 2.0, 0.1, (-1.0, 0.5), (-1.0, 0.95))
    assert interval.lower == interval.upper == 0.9
    assert not interval.relaxed


def test_velocity_interval_when_last_sent_was_too_fast_keeps_the_speed_limit():
    interval = velocity_interval(5.0, 2.0, 0.1, (-9.0, 9.0), (-9.0, 9.0))
    assert interval.upper == interval.lower == 2.0
    assert interval.relaxed
