"""Input that is invalid, absurd or fatal still gives a velocity that may be sent, and says so."""

import numpy as np
import pytest
from attack import PERIOD_S, few, send
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from naf_robot.arm.projection.projection import SafetyConfig, SafetyProjection, SafetyStatus, SphereConfig

NAN = np.full(7, np.nan)
ZERO = np.zeros(7)


@pytest.mark.parametrize(
    "arguments",
    [
        (NAN, ZERO, ZERO, ZERO, 0.05),
        (ZERO, NAN, ZERO, ZERO, 0.05),
        (ZERO, ZERO, NAN, ZERO, 0.05),
        (ZERO, ZERO, ZERO, NAN, 0.05),
        (ZERO, ZERO, np.full(7, np.inf), ZERO, 0.05),
        (np.zeros(6), ZERO, ZERO, ZERO, 0.05),
        (ZERO, ZERO, np.zeros(8), ZERO, 0.05),
        (ZERO, ZERO, np.zeros((7, 1)), ZERO, 0.05),
        (ZERO, ZERO, np.zeros(7, dtype=np.float32), ZERO, 0.05),
        (None, None, None, None, None),
        ("a", "b", "c", "d", "e"),
        (ZERO, ZERO, ZERO, ZERO, np.nan),
        (ZERO, ZERO, ZERO, ZERO, 0.0),
        (ZERO, ZERO, ZERO, ZERO, -1.0),
        (ZERO, ZERO, ZERO, ZERO, True),
    ],
)
def test_invalid_input_gives_a_status_and_a_finite_velocity(projection, arguments):
    result = projection.project(*arguments)
    assert result.status is SafetyStatus.INVALID_INPUT
    assert np.isfinite(result.velocity).all()
    assert result.velocity.shape == (7,)


@given(
    position=arrays(np.float64, 7, elements=st.floats(-1e6, 1e6)),
    command=arrays(np.float64, 7, elements=st.floats(-1e9, 1e9)),
    sent=arrays(np.float64, 7, elements=st.floats(-1e3, 1e3)),
    period=st.floats(1e-12, 1e6),
)
@few
def test_any_finite_input_gives_a_velocity_within_the_speed_limits(projection, position, command, sent, period):
    result = projection.project(position, sent, command, sent, period)
    assert result.status is not SafetyStatus.INTERNAL_ERROR
    assert (np.abs(result.velocity) <= projection.limits.max_velocity + 1e-9).all()


def test_invalid_command_decelerates_within_the_acceleration_limit(projection, home):
    sent = np.full(7, 0.8)
    result = projection.project(home, sent, NAN, sent, PERIOD_S)
    np.testing.assert_allclose(result.velocity, 0.3)


def test_failure_inside_the_projection_brakes_and_says_so(model, home, monkeypatch):
    projection = SafetyProjection(model, SafetyConfig(sphere=SphereConfig(centre=(0.4, 0.0, 0.6), radius=0.6)))
    monkeypatch.setattr(projection.path_limits, "state", lambda *_: 1 / 0)
    sent = np.full(7, 0.8)
    result = send(projection, home, sent, sent)
    assert result.status is SafetyStatus.INTERNAL_ERROR
    np.testing.assert_allclose(result.velocity, 0.3)


def test_absurd_period_does_not_open_the_acceleration_limit(exact, home):
    result = send(exact, home, np.full(7, 1.0), np.zeros(7), period=1e-4)
    assert np.abs(result.velocity).max() <= 10.0 * 1e-4 + 1e-12
    result = send(exact, home, np.full(7, 3.0), np.zeros(7), period=1e3)
    assert np.abs(result.velocity).max() <= 10.0 * exact.config.max_period_s + 1e-12


def test_every_status_has_a_sentence():
    assert all(status.sentence for status in SafetyStatus)
