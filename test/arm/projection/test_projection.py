"""What the safety projection makes of a command: properties for any state and any command."""

import numpy as np
import pytest
from attack import PERIOD_S, commands, few, posture, seeds, send, shares
from hypothesis import given
from hypothesis import strategies as st

from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.arm.projection.projection import (
    SafetyConfig,
    SafetyProjection,
    SafetyStatus,
    SelfCollisionConfig,
    SphereConfig,
)


@few
@given(seed=seeds, share=shares, command=commands)
def test_idempotent(projection, seed, share, command):
    position, sent = posture(projection, seed), 0.2 * share
    once = send(projection, position, command, sent)
    twice = send(projection, position, once.velocity, sent)
    if not once.relaxed:
        np.testing.assert_array_equal(twice.velocity, once.velocity)


@few
@given(seed=seeds, share=shares)
def test_unchanged_when_already_safe(projection, seed, share):
    position = posture(projection, seed)
    result = send(projection, position, 1e-3 * share, np.zeros(7))
    np.testing.assert_array_equal(result.velocity, 1e-3 * share)
    assert result.status is SafetyStatus.OK
    assert result.active == ()
    assert result.clip_norm == 0.0


@few
@given(seed=seeds, command=commands)
def test_never_longer_than_the_command_where_zero_is_admissible(projection, seed, command):
    result = send(projection, posture(projection, seed), command, np.zeros(7))
    assert np.linalg.norm(result.velocity) <= np.linalg.norm(command) + 1e-9


@few
@given(seed=seeds, share=shares, command=commands, order=st.permutations(range(7)))
def test_symmetric_under_relabelling_of_joints(exact, seed, share, command, order):
    order = list(order)
    names = [exact.model.joint_names[k] for k in order]
    relabelled = SafetyProjection(ArmModel(exact.model.urdf, "tool", names), exact.config)
    position, sent = posture(exact, seed), 0.3 * share
    one = send(exact, position, command, sent)
    other = send(relabelled, position[order], command[order], sent[order])
    np.testing.assert_allclose(other.velocity, one.velocity[order], atol=1e-7)
    assert set(other.active) == set(one.active)


@few
@given(seed=seeds, share=shares)
def test_stop_is_as_fast_as_acceleration_admits(projection, seed, share):
    position, sent = posture(projection, seed), 0.1 * share
    result = send(projection, position, None, sent)
    np.testing.assert_allclose(result.velocity, np.sign(sent) * np.maximum(np.abs(sent) - 0.5, 0.0), atol=1e-12)
    assert result.status in (SafetyStatus.DECELERATING, SafetyStatus.STOPPED)


def test_result_is_near_the_smallest_change(exact):
    """Against 20,000 random velocities that are safe too: none is nearer to the command by more than the aim costs."""
    random = np.random.default_rng(0)
    position = posture(exact, 5)
    point, jacobian = exact.model.tool_jacobian(position)
    command = 0.5 * np.sign((point - np.array(exact.config.sphere.centre)) @ jacobian)
    sent = np.zeros(7)
    while "sphere" not in (result := send(exact, position, command, sent)).active:
        position, sent = position + PERIOD_S * result.velocity, result.velocity
    box = exact.bounds.box(position, sent, PERIOD_S, PERIOD_S)
    state = exact.path_limits.state(position, sent, PERIOD_S)
    others = np.clip(result.velocity + random.normal(0.0, 0.05, (20000, 7)), box.lower, box.upper)
    nearest = min((np.linalg.norm(v - command) for v in others if exact.path_limits.safe(state, v)), default=np.inf)
    assert result.clip_norm <= nearest + 0.02


def test_joint_beyond_its_limit_may_only_return(exact):
    position = posture(exact, 0)
    position[0] = exact.limits.max_position[0] + 0.05
    outward, inward = np.zeros(7), np.zeros(7)
    outward[0], inward[0] = 0.4, -0.4
    assert send(exact, position, outward, np.zeros(7)).velocity[0] <= 0.0
    assert send(exact, position, outward, outward).velocity[0] <= 0.0
    assert send(exact, position, inward, np.zeros(7)).velocity[0] == pytest.approx(-0.4, abs=0.2)


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ((9.0, 0, 0, 0, 0, 0, 0), {"velocity:joint_1"}),
        ((1.4, 0, 0, 0, 0, 0, 0), {"acceleration:joint_1"}),
    ],
)
def test_active_names_the_limit_that_acted(exact, home, command, names):
    config_wide = SphereConfig(centre=(0.4, 0.0, 0.6), radius=2.0)
    projection = SafetyProjection(
        exact.model, SafetyConfig(sphere=config_wide, delay_s=0.0, self_collision=SelfCollisionConfig(enabled=False))
    )
    result = send(projection, home, np.array(command, dtype=float), np.zeros(7))
    assert set(result.active) == names
    assert result.status is SafetyStatus.LIMITED


def test_result_depends_on_the_arguments_alone(projection):
    """Called in between with other states, the same arguments give the same bits."""
    random = np.random.default_rng(0)
    for seed in range(20):
        position, command, sent = posture(projection, seed), random.uniform(-2.0, 2.0, 7), random.uniform(-0.3, 0.3, 7)
        once = send(projection, position, command, sent)
        send(projection, posture(projection, seed + 100), -command, sent)
        np.testing.assert_array_equal(send(projection, position, command, sent).velocity, once.velocity)
