"""The sphere, planes, boxes and the arm's own links: never crossed, and left again from beyond."""

import numpy as np
from attack import PERIOD_S, attack, beyond, commands, few, posture, seeds, send, shares
from hypothesis import given
from hypothesis import strategies as st

from naf_robot.arm.projection.projection import (
    HalfSpaceConfig,
    KeepOutBoxConfig,
    SafetyConfig,
    SafetyProjection,
    SafetyStatus,
    SelfCollisionConfig,
    SphereConfig,
)


@few
@given(seed=seeds, command=shares)
def test_never_outside_and_no_limit_crossed_under_held_full_speed(projection, seed, command):
    limits = projection.limits
    sent = np.zeros(7)
    for result, _, after in attack(projection, posture(projection, seed), sent, lambda q, k: 3.0 * command, 60):
        assert beyond(projection, after) <= 0.0
        assert projection.path_limits.tool_limits[1].value(projection.model.tool_point(after)) <= 0.0
        assert projection.path_limits.self_collision.distances(after).min() >= 0.01
        assert (after <= limits.max_position).all()
        assert (after >= limits.min_position).all()
        assert (np.abs(result.velocity) <= limits.max_velocity + 1e-12).all()
        assert result.relaxed == ()
        assert (np.abs(result.velocity - sent) <= limits.max_acceleration * PERIOD_S + 1e-9).all()
        sent = result.velocity


@few
@given(seed=seeds)
def test_never_outside_when_pushed_straight_outward(exact, seed):
    def outward(position, step):
        point, jacobian = exact.model.tool_jacobian(position)
        return 10.0 * np.sign(exact.path_limits.tool_limits[0].normal(point) @ jacobian)

    for result, _, after in attack(exact, posture(exact, seed), np.zeros(7), outward, 60):
        assert beyond(exact, after) <= 0.0
        assert result.relaxed == ()


@few
@given(seed=seeds, command=commands)
def test_distance_never_grows_from_outside(projection, seed, command):
    start = posture(projection, seed, inside=False)
    for _, before, after in attack(projection, start, np.zeros(7), lambda q, k: command, 30):
        assert beyond(projection, after) <= max(beyond(projection, before), 0.0) + 1e-9


@few
@given(seed=seeds)
def test_tool_returns_inside_when_nothing_else_is_asked(exact, seed):
    start = posture(exact, seed, inside=False)
    *_, (result, _, after) = attack(exact, start, np.zeros(7), lambda q, k: np.zeros(7), 40)
    begun = beyond(exact, start)
    if np.abs(exact.path_limits.tool_gradient(0, start)).max() > 0.1 and begun > 0.0:
        assert beyond(exact, after) < begun or result.status is not SafetyStatus.CORRECTING


def test_tangential_motion_is_kept_at_the_surface(exact):
    """Pressed outward with full tangential motion, the tool slides at the margin instead of sticking."""
    position, sent, slid = posture(exact, 3), np.zeros(7), 0.0
    for _ in range(80):
        point, jacobian = exact.model.tool_jacobian(position)
        normal = exact.path_limits.tool_limits[0].normal(point)
        tangent = np.cross(normal, (0.0, 0.0, 1.0))
        result = send(exact, position, 0.5 * normal @ jacobian + 0.5 * tangent @ jacobian, sent)
        before, position, sent = position, position + PERIOD_S * result.velocity, result.velocity
        if "sphere" in result.active:
            slid += float(np.linalg.norm(exact.model.tool_position(position) - exact.model.tool_position(before)))
    assert slid > 0.05
    assert -0.03 < beyond(exact, position) <= 0.0


def test_keep_out_box_is_never_entered(model):
    box = KeepOutBoxConfig(name="table", min_corner=(0.5, -0.2, 0.3), max_corner=(0.9, 0.2, 0.6))
    sphere = SphereConfig(centre=(0.4, 0.0, 0.6), radius=0.8)
    projection = SafetyProjection(model, SafetyConfig(sphere=sphere, keep_out_boxes=(box,)))
    limit = projection.path_limits.tool_limits[1]
    position, touched = posture(projection, 1), False

    def toward(q, step):
        point, jacobian = model.tool_jacobian(q)
        return 20.0 * (np.array((0.7, 0.0, 0.45)) - point) @ jacobian

    for result, _, after in attack(projection, position, np.zeros(7), toward, 150):
        assert limit.value(model.tool_point(after)) <= 0.0
        touched = touched or "table" in result.active
    assert touched


def test_singular_posture_on_the_surface_has_a_defined_answer(model):
    """Stretched out upward at the sphere's pole: the tool cannot move outward, and inward only at second order."""
    height = float(model.tool_position(np.zeros(7))[2])
    config = SafetyConfig(
        sphere=SphereConfig(centre=(0.03, 0.0, height - 0.5), radius=0.499),
        self_collision=SelfCollisionConfig(enabled=False),
    )
    projection = SafetyProjection(model, config)
    position = np.zeros(7)
    for result, _, after in attack(projection, position, np.zeros(7), lambda q, k: np.full(7, 0.5), 40):
        assert np.isfinite(result.velocity).all()
        assert beyond(projection, after) <= max(beyond(projection, position), 0.0) + 1e-9
        position = after


def test_no_sphere_demand_conflicts_with_acceleration_after_full_speed(projection):
    """From full speed the braking path is always still there: acceleration never gives way."""
    random = np.random.default_rng(1)
    for seed in range(10):
        command = random.choice((-1.0, 1.0), 7) * projection.limits.max_velocity
        for result, _, _ in attack(projection, posture(projection, seed), np.zeros(7), lambda q, k, w=command: w, 60):
            assert result.relaxed == ()


def test_moving_outward_beyond_the_sphere_acceleration_gives_way_and_is_named(exact):
    position = posture(exact, 2, inside=False)
    point, jacobian = exact.model.tool_jacobian(position)
    sent = np.sign(exact.path_limits.tool_limits[0].normal(point) @ jacobian) * 0.9 * exact.limits.max_velocity
    result = send(exact, position, sent, sent)
    after = position + PERIOD_S * result.velocity
    assert beyond(exact, after) <= beyond(exact, position) + 1e-12
    assert any(name.startswith("acceleration:") for name in result.relaxed)
    assert result.status is SafetyStatus.CORRECTING


@few
@given(seed=seeds, lift=st.floats(0.02, 0.2))
def test_tool_beyond_a_plane_never_goes_deeper(model, seed, lift):
    """A floor above the tool: nothing pushes the arm out, but nothing takes it further in, from any motion."""
    random = np.random.default_rng(seed)
    position = random.uniform(-1.5, 1.5, 7)
    height = model.tool_point(position)[2]
    floor = HalfSpaceConfig(name="floor", normal=(0.0, 0.0, 1.0), offset=height + lift)
    sphere = SphereConfig(centre=(0.0, 0.0, 0.4), radius=3.0)
    config = SafetyConfig(sphere=sphere, half_spaces=(floor,), self_collision=SelfCollisionConfig(enabled=False))
    projection = SafetyProjection(model, config)
    sent = 0.3 * random.uniform(-1.0, 1.0, 7)

    def down(q, step):
        return -5.0 * np.sign(model.tool_jacobian(q)[1][2])

    for result, before, after in attack(projection, position, sent, down, 8):
        assert model.tool_point(after)[2] >= min(model.tool_point(before)[2], floor.offset) - 1e-9
        beyond_floor = model.tool_point(before + projection.config.delay_s * sent)[2] < floor.offset
        assert (result.status is SafetyStatus.CORRECTING) == beyond_floor
        sent = result.velocity


def test_links_that_are_near_approach_slower(projection):
    """Between slow and stop distance the admitted approach falls linearly to zero."""
    watched, config = projection.path_limits.self_collision, projection.config.self_collision
    random, tried = np.random.default_rng(0), 0
    limits = projection.limits
    for _ in range(4000):
        position = random.uniform(limits.min_position + 0.1, limits.max_position - 0.1)
        distances = watched.distances(position)
        pair = int(distances.argmin())
        if not 0.02 < distances[pair] < 0.045:
            continue
        command = -10.0 * np.sign(watched.gradient(position, pair))
        result = send(projection, position, command, np.zeros(7))
        after = watched.distances(position + PERIOD_S * result.velocity)[pair]
        share = (distances[pair] - config.stop_distance) / (config.slow_distance - config.stop_distance)
        assert after >= distances[pair] - config.approach_speed * share * PERIOD_S - 1e-6
        tried += 1
    assert tried > 20
