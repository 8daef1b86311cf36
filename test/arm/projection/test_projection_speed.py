"""No joint gets faster than the fastest asked, but for what braking or a correction needs (docs/safety.md)."""

import numpy as np
import pytest
from attack import PERIOD_S, attack, beyond, few, posture, seeds, shares
from hypothesis import given
from hypothesis import strategies as st

from naf_robot.arm.projection.projection import (
    HalfSpaceConfig,
    KeepOutBoxConfig,
    SafetyConfig,
    SafetyProjection,
    SphereConfig,
)

ROUNDING = 1e-9


@pytest.fixture(scope="module")
def narrow(model):
    """Little room, so that some workspace limit acts in nearly every step."""
    return SafetyProjection(
        model,
        SafetyConfig(
            sphere=SphereConfig(centre=(0.4, 0.0, 0.6), radius=0.3),
            half_spaces=(HalfSpaceConfig(name="floor", normal=(0.0, 0.0, 1.0), offset=0.45),),
            keep_out_boxes=(KeepOutBoxConfig(name="post", min_corner=(0.4, 0.1, 0.0), max_corner=(0.5, 0.2, 1.0)),),
        ),
    )


def braking(projection, sent):
    """What is left of the velocity last sent after a period of full braking."""
    return np.maximum(np.abs(sent) - projection.limits.max_acceleration * PERIOD_S, 0.0)


def correction(projection, position, sent):
    """The smallest joint velocity with the inward speed that is asked for outside the sphere."""
    start = position + projection.config.delay_s * sent
    row, sphere = projection.path_limits.tool_gradient(0, start), projection.config.sphere
    outside = beyond(projection, start)
    speed = min(sphere.correction_gain * (outside + sphere.margin), sphere.correction_speed)
    return np.abs(row) * speed / float(row @ row) if outside > 0.0 else np.zeros(len(row))


@few
@given(seed=seeds, share=shares, largest=st.floats(0.05, 1.5), inside=st.booleans())
def test_no_joint_is_faster_than_asked_or_needed(narrow, seed, share, largest, inside):
    random = np.random.default_rng(seed)
    asked = largest * share
    start = posture(narrow, seed, inside)

    def command(position, step):
        return asked * random.choice((-1.0, 1.0), 7) if step % 5 == 0 else asked

    before = np.zeros(7)
    steps = []

    def remembered(position, step):
        steps.append(command(position, step))
        return steps[-1]

    for result, position, _ in attack(narrow, start, before, remembered, 25):
        allowed = np.maximum.reduce(
            [
                np.full(7, np.abs(steps[-1]).max()),
                braking(narrow, before),
                correction(narrow, position, before) * (1.0 + ROUNDING),
            ]
        )
        assert (np.abs(result.velocity) <= allowed + ROUNDING).all(), (result, steps[-1])
        before = result.velocity


@few
@given(seed=seeds, share=shares)
def test_a_stop_only_gets_slower(narrow, seed, share):
    position, sent = posture(narrow, seed), share
    for _ in range(10):
        result = narrow.project(position, sent, None, sent, PERIOD_S)
        assert (np.abs(result.velocity) <= np.abs(sent) + ROUNDING).all()
        position, sent = position + PERIOD_S * result.velocity, result.velocity


def test_sliding_along_the_surface_keeps_the_asked_speed(narrow):
    """The case that was found: 1.0 rad/s asked of every joint, 1.39 sent to one."""
    random = np.random.default_rng(3)
    fastest = limited = 0.0
    for seed in range(12):
        asked = random.choice((-1.0, 1.0), 7)
        for result, _, _ in attack(narrow, posture(narrow, seed), np.zeros(7), lambda *_, u=asked: u, 40):
            fastest = max(fastest, float(np.abs(result.velocity).max()))
            limited += bool({"sphere", "floor", "post"} & set(result.active))
    assert limited > 50
    assert fastest <= 1.0 + ROUNDING
