import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from naf_robot.arm.stopping import braking_displacement, stopping_velocity, velocity_box

speeds = st.floats(-3.0, 3.0)
accelerations = st.floats(0.5, 20.0)
periods = st.floats(0.005, 0.1)


def one(value):
    return np.array([value])


@given(distance=st.floats(1e-6, 6.0), a=accelerations, h=periods)
def test_stopping_velocity_solves_its_equation(distance, a, h):
    v = stopping_velocity(one(distance), one(a), h)
    np.testing.assert_allclose(v * h + v**2 / (2.0 * a), distance, rtol=1e-9)
    np.testing.assert_allclose(v, -a * h + np.sqrt((a * h) ** 2 + 2.0 * a * distance), rtol=1e-5, atol=1e-12)


@given(distance=st.floats(-1.0, 0.0), a=accelerations, h=periods)
def test_stopping_velocity_is_zero_at_and_beyond_the_limit(distance, a, h):
    assert stopping_velocity(one(distance), one(a), h)[0] == 0.0


@given(v=speeds, a=accelerations, period=periods)
def test_braking_displacement_is_the_sum_of_the_commands(v, a, period):
    travelled, command = 0.0, v
    while command != 0.0:
        travelled += command * period
        command = np.sign(command) * max(abs(command) - a * period, 0.0)
    np.testing.assert_allclose(braking_displacement(one(v), one(a), period)[0], travelled, rtol=1e-9, atol=1e-9)


@given(v=speeds, a=accelerations, period=periods)
def test_braking_does_not_move_the_end_of_its_own_path(v, a, period):
    end, _ = braking_displacement(one(v), one(a), period)
    next_command = np.sign(v) * max(abs(v) - a * period, 0.0)
    next_end, _ = braking_displacement(one(next_command), one(a), period)
    np.testing.assert_allclose(v * period + next_end, end, rtol=1e-9, atol=1e-9)


@given(
    position=st.floats(-0.999, 0.999),
    speed=st.floats(0.2, 3.0),
    a=accelerations,
    period=periods,
    wishes=st.lists(st.floats(-5.0, 5.0), min_size=40, max_size=40),
)
def test_joint_never_crosses_and_acceleration_never_gives_way(position, speed, a, period, wishes):
    """With exact tracking the box is never empty, whatever is asked."""
    q, sent = position, 0.0
    for wish in wishes:
        up = stopping_velocity(one(1.0 - q), one(a), period)
        down = -stopping_velocity(one(q + 1.0), one(a), period)
        box = velocity_box(one(sent), one(speed), one(a * period), (down, up), (down, up))
        assert not box.relaxed[0]
        sent = float(np.clip(wish, box.lower[0], box.upper[0]))
        q += period * sent
        assert -1.0 - 1e-12 <= q <= 1.0 + 1e-12


def test_velocity_box_when_empty_is_not_swapped():
    """At q 0.999 with limit 1, period 0.01 s, last velocity 1, acceleration 10: swapped ends admit 0.9."""
    up = stopping_velocity(one(1.0 - 0.999), one(10.0), 0.01)
    down = -stopping_velocity(one(0.999 + 1.0), one(10.0), 0.01)
    box = velocity_box(one(1.0), one(2.0), one(0.1), (down, up), (down, up))
    sent = np.clip(one(1.0), box.lower, box.upper)
    assert box.relaxed[0]
    assert sent[0] == up[0] < 0.1
    assert 0.999 + 0.01 * sent[0] < 1.0


def test_velocity_box_admits_full_braking_that_meets_only_what_is_needed():
    box = velocity_box(one(1.0), one(2.0), one(0.1), (one(-1.0), one(0.5)), (one(-1.0), one(0.95)))
    assert box.lower[0] == box.upper[0] == 0.9
    assert not box.relaxed[0]


def test_velocity_box_when_last_sent_was_too_fast_keeps_the_speed_limit():
    box = velocity_box(one(5.0), one(2.0), one(0.1), (one(-9.0), one(9.0)), (one(-9.0), one(9.0)))
    assert box.upper[0] == box.lower[0] == 2.0
    assert box.relaxed[0]
