"""Measurements that are late: the projection judges from where the arm may be by now."""

import numpy as np
import pytest
from attack import PERIOD_S, beyond, few, posture, seeds, send, shares
from hypothesis import given
from hypothesis import strategies as st

from naf_robot.arm.projection.projection import SafetyConfig, SafetyProjection, SelfCollisionConfig, SphereConfig


@few
@given(seed=seeds, command=shares, late=st.floats(0.0, 1.0))
def test_never_outside_with_a_state_that_is_late(projection, seed, command, late):
    """Each measurement is old by a share of the declared delay that changes from step to step."""
    limits, random = projection.limits, np.random.default_rng(seed)
    position, sent = posture(projection, seed), np.zeros(7)
    for step in range(60):
        age = projection.config.delay_s * (late if step % 2 else random.uniform())
        result = send(projection, position - age * sent, 3.0 * command, sent)
        assert result.relaxed == ()
        position, sent = position + PERIOD_S * result.velocity, result.velocity
        assert beyond(projection, position) <= 0.0
        assert (position <= limits.max_position).all()
        assert (position >= limits.min_position).all()


def test_prediction_of_a_late_state_keeps_the_position_margin(exact, home):
    """At full speed toward a limit, a state known to be old leaves less room than a fresh one."""
    late = SafetyProjection(
        exact.model,
        SafetyConfig(
            sphere=SphereConfig(centre=(0.0, 0.0, 0.4), radius=3.0),
            delay_s=0.05,
            self_collision=SelfCollisionConfig(enabled=False),
        ),
    )
    position, sent = home.copy(), np.zeros(7)
    position[0], sent[0] = late.limits.max_position[0] - 0.25, 1.2
    still = np.zeros(7)
    command = np.full(7, 0.0)
    command[0] = 1.4
    moving = late.project(position, sent, command, sent, PERIOD_S).velocity[0]
    moved = position.copy()
    moved[0] += 0.05 * 1.2  # where it is if the measurement is as old as declared
    # The same room, measured without motion under way, admits the same speed by stopping distance.
    box = late.bounds.box(moved, still, 1.0, PERIOD_S)
    assert moving == pytest.approx(min(box.upper[0], 1.4))


def test_workspace_is_judged_from_where_the_arm_may_be_by_now(projection, home):
    sent = np.linspace(-0.5, 0.5, 7)
    now, measured = projection.path_limits.state(home, sent, PERIOD_S).starts
    np.testing.assert_allclose(now, home + projection.config.delay_s * sent)
    np.testing.assert_array_equal(measured, home)
