"""Properties of the safety projection, for any state and any wish."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from naf_robot.arm.model import ArmModel
from naf_robot.arm.safety import (
    HalfSpaceConfig,
    KeepOutBoxConfig,
    SafetyConfig,
    SafetyProjection,
    SafetyStatus,
    SelfCollisionConfig,
    SphereConfig,
)

PERIOD_S = 0.05
few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
shares = arrays(np.float64, 7, elements=st.floats(-1.0, 1.0))
wishes = arrays(np.float64, 7, elements=st.floats(-4.0, 4.0))
seeds = st.integers(0, 2**31)


def beyond(projection, position):
    return projection.path_limits.tool_limits[0].value(projection.model.tool_point(position))


def posture(projection, seed, inside=True):
    """A random posture that breaks no limit but, unless `inside`, the sphere's."""
    random = np.random.default_rng(seed)
    limits = projection.limits
    for _ in range(5000):
        position = random.uniform(limits.min_position + 0.05, limits.max_position - 0.05)
        point = projection.model.tool_point(position)
        values = [limit.value(point) + limit.margin for limit in projection.path_limits.tool_limits]
        watched = projection.path_limits.self_collision
        clear = watched is None or watched.distances(position).min() > 0.02
        if clear and max(values[1:], default=-1.0) < 0.0 and (values[0] < 0.0 if inside else values[0] > 0.02):
            return position
    raise AssertionError("no posture found")


def send(projection, position, wish, sent, period=PERIOD_S):
    return projection.project(position, sent, wish, sent, period)


def attack(projection, position, sent, wish_of, steps):
    """Steps of an ideally tracking arm: yields the result and the position before and after."""
    for step in range(steps):
        result = send(projection, position, wish_of(position, step), sent)
        after = position + PERIOD_S * result.velocity
        yield result, position, after
        position, sent = after, result.velocity


@few
@given(seed=seeds, wish=shares)
def test_never_outside_and_no_limit_crossed_under_held_full_speed(projection, seed, wish):
    limits = projection.limits
    sent = np.zeros(7)
    for result, _, after in attack(projection, posture(projection, seed), sent, lambda q, k: 3.0 * wish, 60):
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
@given(seed=seeds, wish=wishes)
def test_distance_never_grows_from_outside(projection, seed, wish):
    start = posture(projection, seed, inside=False)
    for _, before, after in attack(projection, start, np.zeros(7), lambda q, k: wish, 30):
        assert beyond(projection, after) <= max(beyond(projection, before), 0.0) + 1e-9


@few
@given(seed=seeds)
def test_tool_returns_inside_when_nothing_else_is_asked(exact, seed):
    start = posture(exact, seed, inside=False)
    *_, (result, _, after) = attack(exact, start, np.zeros(7), lambda q, k: np.zeros(7), 40)
    begun = beyond(exact, start)
    if np.abs(exact.path_limits.tool_gradient(0, start)).max() > 0.1 and begun > 0.0:
        assert beyond(exact, after) < begun or result.status is not SafetyStatus.CORRECTING


@few
@given(seed=seeds, share=shares, wish=wishes)
def test_idempotent(projection, seed, share, wish):
    position, sent = posture(projection, seed), 0.2 * share
    once = send(projection, position, wish, sent)
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
@given(seed=seeds, wish=wishes)
def test_never_longer_than_the_wish_where_zero_is_admissible(projection, seed, wish):
    result = send(projection, posture(projection, seed), wish, np.zeros(7))
    assert np.linalg.norm(result.velocity) <= np.linalg.norm(wish) + 1e-9


@few
@given(seed=seeds, share=shares, wish=wishes, order=st.permutations(range(7)))
def test_symmetric_under_relabelling_of_joints(exact, seed, share, wish, order):
    order = list(order)
    names = [exact.model.joint_names[k] for k in order]
    relabelled = SafetyProjection(ArmModel(exact.model.urdf, "tool", names), exact.config)
    position, sent = posture(exact, seed), 0.3 * share
    one = send(exact, position, wish, sent)
    other = send(relabelled, position[order], wish[order], sent[order])
    np.testing.assert_allclose(other.velocity, one.velocity[order], atol=1e-7)
    assert set(other.active) == set(one.active)


@few
@given(seed=seeds, share=shares)
def test_stop_is_as_fast_as_acceleration_admits(projection, seed, share):
    position, sent = posture(projection, seed), 0.1 * share
    result = send(projection, position, None, sent)
    np.testing.assert_allclose(result.velocity, np.sign(sent) * np.maximum(np.abs(sent) - 0.5, 0.0), atol=1e-12)
    assert result.status in (SafetyStatus.DECELERATING, SafetyStatus.STOPPED)


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


def test_result_is_near_the_smallest_change(exact):
    """Against 20,000 random velocities that are safe too: none is nearer to the wish by more than the aim costs."""
    random = np.random.default_rng(0)
    position = posture(exact, 5)
    point, jacobian = exact.model.tool_jacobian(position)
    wish = 0.5 * np.sign((point - np.array(exact.config.sphere.centre)) @ jacobian)
    sent = np.zeros(7)
    while "sphere" not in (result := send(exact, position, wish, sent)).active:
        position, sent = position + PERIOD_S * result.velocity, result.velocity
    box = exact._box(position, sent, exact.limits.max_acceleration * PERIOD_S, PERIOD_S)
    state = exact.path_limits.state(position, sent, PERIOD_S)
    others = np.clip(result.velocity + random.normal(0.0, 0.05, (20000, 7)), box.lower, box.upper)
    nearest = min((np.linalg.norm(v - wish) for v in others if exact.path_limits.safe(state, v)), default=np.inf)
    assert result.clip_norm <= nearest + 0.02


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
        wish = random.choice((-1.0, 1.0), 7) * projection.limits.max_velocity
        for result, _, _ in attack(projection, posture(projection, seed), np.zeros(7), lambda q, k, w=wish: w, 60):
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


def test_joint_beyond_its_limit_may_only_return(exact):
    position = posture(exact, 0)
    position[0] = exact.limits.max_position[0] + 0.05
    outward, inward = np.zeros(7), np.zeros(7)
    outward[0], inward[0] = 0.4, -0.4
    assert send(exact, position, outward, np.zeros(7)).velocity[0] <= 0.0
    assert send(exact, position, outward, outward).velocity[0] <= 0.0
    assert send(exact, position, inward, np.zeros(7)).velocity[0] == pytest.approx(-0.4, abs=0.2)


@pytest.mark.parametrize(
    ("wish", "names"),
    [
        ((9.0, 0, 0, 0, 0, 0, 0), {"velocity:joint_1"}),
        ((1.4, 0, 0, 0, 0, 0, 0), {"acceleration:joint_1"}),
    ],
)
def test_active_names_the_limit_that_acted(exact, home, wish, names):
    config_wide = SphereConfig(centre=(0.4, 0.0, 0.6), radius=2.0)
    projection = SafetyProjection(
        exact.model, SafetyConfig(sphere=config_wide, delay_s=0.0, self_collision=SelfCollisionConfig(enabled=False))
    )
    result = send(projection, home, np.array(wish, dtype=float), np.zeros(7))
    assert set(result.active) == names
    assert result.status is SafetyStatus.LIMITED


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
    wish=arrays(np.float64, 7, elements=st.floats(-1e9, 1e9)),
    sent=arrays(np.float64, 7, elements=st.floats(-1e3, 1e3)),
    period=st.floats(1e-12, 1e6),
)
@few
def test_any_finite_input_gives_a_velocity_within_the_speed_limits(projection, position, wish, sent, period):
    result = projection.project(position, sent, wish, sent, period)
    assert result.status is not SafetyStatus.INTERNAL_ERROR
    assert (np.abs(result.velocity) <= projection.limits.max_velocity + 1e-9).all()


def test_invalid_wish_decelerates_within_the_acceleration_limit(projection, home):
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


def test_result_depends_on_the_arguments_alone(projection):
    """Called in between with other states, the same arguments give the same bits."""
    random = np.random.default_rng(0)
    for seed in range(20):
        position, wish, sent = posture(projection, seed), random.uniform(-2.0, 2.0, 7), random.uniform(-0.3, 0.3, 7)
        once = send(projection, position, wish, sent)
        send(projection, posture(projection, seed + 100), -wish, sent)
        np.testing.assert_array_equal(send(projection, position, wish, sent).velocity, once.velocity)


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
        wish = -10.0 * np.sign(watched.gradient(position, pair))
        result = send(projection, position, wish, np.zeros(7))
        after = watched.distances(position + PERIOD_S * result.velocity)[pair]
        share = (distances[pair] - config.stop_distance) / (config.slow_distance - config.stop_distance)
        assert after >= distances[pair] - config.approach_speed * share * PERIOD_S - 1e-6
        tried += 1
    assert tried > 20


@few
@given(seed=seeds, wish=shares, late=st.floats(0.0, 1.0))
def test_never_outside_with_a_state_that_is_late(projection, seed, wish, late):
    """Each measurement is old by a share of the declared delay that changes from step to step."""
    limits, random = projection.limits, np.random.default_rng(seed)
    position, sent = posture(projection, seed), np.zeros(7)
    for step in range(60):
        age = projection.config.delay_s * (late if step % 2 else random.uniform())
        result = send(projection, position - age * sent, 3.0 * wish, sent)
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
    wish = np.full(7, 0.0)
    wish[0] = 1.4
    moving = late.project(position, sent, wish, sent, PERIOD_S).velocity[0]
    moved = position.copy()
    moved[0] += 0.05 * 1.2  # where it is if the measurement is as old as declared
    # The same room, measured without motion under way, admits the same speed by stopping distance.
    box = late._box(moved, still, np.full(7, 10.0), PERIOD_S)
    assert moving == pytest.approx(min(box.upper[0], 1.4))


def test_workspace_is_judged_from_where_the_arm_may_be_by_now(projection, home):
    sent = np.linspace(-0.5, 0.5, 7)
    now, measured = projection.path_limits.state(home, sent, PERIOD_S).starts
    np.testing.assert_allclose(now, home + projection.config.delay_s * sent)
    np.testing.assert_array_equal(measured, home)
