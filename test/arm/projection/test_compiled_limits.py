"""The compiled check of braking paths against the one in Python, and where it comes from."""

import logging
import math
import stat

import numpy as np
import pytest
from attack import PERIOD_S, few, seeds
from hypothesis import given
from hypothesis import strategies as st
from meshes import mesh_arm

from naf_robot.arm.model.capsules import capsule
from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.arm.projection import compiled_library
from naf_robot.arm.projection.compiled_library import library
from naf_robot.arm.projection.projection import (
    HalfSpaceConfig,
    KeepOutBoxConfig,
    SafetyConfig,
    SafetyProjection,
    SphereConfig,
)
from naf_robot.core.resources import find

needs_compiler = pytest.mark.skipif(library() is None, reason="no C compiler here, or it is switched off")
DISTANCE, GRADIENT = 1e-6, 1e-5  # agreement [m], and of derivatives [m s/rad]

SLIDER = """<robot name="slider"><link name="base">
 <collision><geometry><box size="0.2 0.2 0.1"/></geometry></collision></link>
<joint name="tilt" type="revolute"><parent link="base"/><child link="mast"/><axis xyz="0 0.6 0.8"/>
 <origin xyz="0 0 0.3" rpy="0.3 0.2 0.1"/><limit lower="-2" upper="2" effort="9" velocity="1.5"/></joint>
<link name="mast"><collision><geometry><cylinder radius="0.03" length="0.2"/></geometry></collision></link>
<joint name="slide" type="prismatic"><parent link="mast"/><child link="rail"/><axis xyz="0.6 0 0.8"/>
 <limit lower="-0.3" upper="0.3" effort="9" velocity="0.5"/></joint>
<link name="rail"><collision><geometry><sphere radius="0.05"/></geometry></collision></link>
<joint name="turn" type="revolute"><parent link="rail"/><child link="tool"/><axis xyz="0 1 0"/><origin xyz="0.2 0 0.1"/>
 <limit lower="-3" upper="3" effort="9" velocity="2"/></joint>
<link name="tool"><collision><origin xyz="0.2 0 0"/>
 <geometry><box size="0.4 0.02 0.05"/></geometry></collision></link></robot>"""


def models(folder):
    joints = tuple(f"joint_{k}" for k in (3, 1, 7, 2, 5, 6, 4))  # in another order than in the description
    slider = folder / "slider.urdf"
    slider.write_text(SLIDER)
    yield ArmModel(find("urdf/arm7.urdf"), "tool")
    yield ArmModel(find("urdf/arm7.urdf"), "tool", joints)
    yield ArmModel(find("urdf/test_arms/three_finger_arm.urdf"), "tool", [f"joint_{k}" for k in range(1, 7)])
    yield ArmModel(slider, "tool")
    yield mesh_arm(folder)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Pairs of projections of the same arm and limits, compiled and in Python."""
    found = []
    for model in models(tmp_path_factory.mktemp("arms")):
        config = SafetyConfig(
            sphere=SphereConfig(centre=(0.2, 0.0, 0.5), radius=0.45),
            half_spaces=(HalfSpaceConfig(name="floor", normal=(0.1, 0.0, 2.0), offset=0.3),),
            keep_out_boxes=(KeepOutBoxConfig(name="post", min_corner=(0.2, -0.1, 0.0), max_corner=(0.4, 0.3, 0.6)),),
        )
        found.append(tuple(SafetyProjection(model, config, compiled=compiled) for compiled in (True, False)))
    return found


@needs_compiler
@few
@given(seed=seeds, arm=st.integers(0, 4), hard=st.booleans(), moving=st.booleans())
def test_both_find_the_same_violations_with_the_same_gradients(both, seed, arm, hard, moving):
    """In any posture, also outside of what is admitted, with and without motion under way."""
    compiled, plain = (projection.path_limits for projection in both[arm])
    limits, random = both[arm][0].limits, np.random.default_rng(seed)
    lower, upper = np.maximum(limits.min_position, -3.0), np.minimum(limits.max_position, 3.0)
    position = random.uniform(lower, upper)
    sent, velocity = random.uniform(-1.0, 1.0, (2, len(position))) * limits.max_velocity
    states = [each.state(position, moving * sent, PERIOD_S) for each in (compiled, plain)]
    assert len(states[0].starts) == len(states[1].starts)
    np.testing.assert_allclose(states[0].tool, states[1].tool, atol=1e-9)
    ours, theirs = (
        {(v.limit, v.waypoint, v.start): v for v in each.violations(state, velocity, hard)}
        for each, state in zip((compiled, plain), states, strict=True)
    )
    for key in ours.keys() ^ theirs.keys():  # at the very bound either may be right
        assert (ours.get(key) or theirs[key]).excess == pytest.approx(0.0, abs=DISTANCE)
    for key in ours.keys() & theirs.keys():
        assert ours[key].excess == pytest.approx(theirs[key].excess, abs=DISTANCE)
        np.testing.assert_allclose(ours[key].position, theirs[key].position, atol=1e-12)
        # Of the same violation: where nearest points are ambiguous, the last digit of a posture decides for one.
        gradients = compiled.gradient(theirs[key]), plain.gradient(theirs[key])
        np.testing.assert_allclose(*gradients, atol=GRADIENT)
    assert compiled.safe(states[0], velocity, hard) == (not ours)


@needs_compiler
def test_a_state_is_good_until_the_next_one(both):
    limits, zero = both[0][0].path_limits, np.zeros(7)
    state = limits.state(zero, zero, PERIOD_S)
    limits.state(zero + 0.1, zero, PERIOD_S)
    with pytest.raises(ValueError, match="the state that was made last"):
        limits.safe(state, zero)


@needs_compiler
@pytest.mark.parametrize("constant", ["offset", "constant", "tool"])
def test_kinematics_that_are_not_finite_admit_no_motion(model, home, constant):
    made = SafetyProjection(model, SafetyConfig(sphere=SphereConfig(centre=(0.4, 0.0, 0.6), radius=0.6)))
    made.path_limits._arm._kept[constant].flat[0] = math.nan
    sent = np.full(7, 0.2)
    assert not made.project(home, sent, np.full(7, 0.3), sent, PERIOD_S).velocity.any()


@needs_compiler
def test_a_distance_that_coal_cannot_tell_of_links_that_may_be_near_admits_no_motion(both, monkeypatch):
    """Links whose capsules are apart are known to be so without coal; of the others it must say that they are."""
    projection, random = both[0][0], np.random.default_rng(0)
    pairs, limits = projection.path_limits.self_collision, projection.limits
    position = np.zeros(7)
    while not 0.002 < pairs.distances(position).min() < 0.01:
        position = random.uniform(limits.min_position, limits.max_position)
    for name in ("some_distances", "nearer"):
        unknown = {"some_distances": lambda q, numbers: [math.nan for _ in numbers]}.get(
            name, lambda q, numbers, bounds: [(pair, math.nan) for pair in numbers]
        )
        monkeypatch.setattr(pairs, name, unknown)
    monkeypatch.setattr(pairs, "nearest_points", lambda q, pair: np.full((3, 3), math.nan))
    sent = np.full(7, 0.01)
    assert not projection.project(position, sent, sent, sent, PERIOD_S).velocity.any()


def test_capsules_hold_their_shapes(tmp_path):
    """Random points on each shape, found from afar by the support function, are within the radius of the segment."""
    random = np.random.default_rng(0)
    for model in models(tmp_path):
        for item in model.collision_geometry().geometryObjects:
            ends, radius = capsule(item)
            for direction in random.normal(size=(200, 3)):
                point = support(item, direction)
                along = ends[1] - ends[0]
                share = np.clip((point - ends[0]) @ along / max(along @ along, 1e-12), 0.0, 1.0)
                assert np.linalg.norm(point - ends[0] - share * along) <= radius + 1e-9


def support(item, direction):
    """The point of a shape that is furthest along `direction`, both in the frame of the joint that carries it."""
    turn, shape = item.placement.rotation, item.geometry
    x, y, z = turn.T @ direction
    kind = type(shape).__name__
    if kind == "Box":
        local = np.sign((x, y, z)) * shape.halfSide
    elif kind == "Cylinder":
        local = np.array((*(shape.radius * np.array((x, y)) / np.hypot(x, y)), np.sign(z) * shape.halfLength))
    elif kind == "Sphere":
        local = shape.radius * np.array((x, y, z)) / np.linalg.norm((x, y, z))
    else:
        points = np.array(shape.points())
        local = points[(points @ (x, y, z)).argmax()]
    return turn @ local + item.placement.translation


class TestLibrary:
    """Where the compiled functions come from."""

    @pytest.fixture(autouse=True)
    def own_cache(self, tmp_path, monkeypatch):
        library.cache_clear()
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.delenv(compiled_library.SWITCH, raising=False)
        yield
        library.cache_clear()

    @needs_compiler
    def test_it_is_compiled_once(self, tmp_path, monkeypatch):
        assert library() is not None
        (made,) = (tmp_path / "cache" / "naf_robot").iterdir()
        library.cache_clear()
        monkeypatch.setattr(compiled_library, "COMPILERS", ())
        assert library() is not None
        assert made.exists()

    def test_without_a_compiler_the_reason_is_in_the_log(self, monkeypatch, caplog):
        monkeypatch.setattr(compiled_library, "COMPILERS", ("no-such-compiler",))
        with caplog.at_level(logging.INFO):
            assert library() is None
        assert "no C compiler is installed (no-such-compiler)" in caplog.text

    @needs_compiler
    def test_a_source_that_does_not_compile_is_no_obstacle(self, tmp_path, monkeypatch, caplog, model):
        source = tmp_path / "broken.c"
        source.write_text("this is not C")
        monkeypatch.setattr(compiled_library, "SOURCE", source)
        with caplog.at_level(logging.INFO):
            assert not SafetyProjection(model, SafetyConfig(sphere=SphereConfig((0.4, 0.0, 0.6), 0.6))).compiled
        assert "fails: " in caplog.text

    @needs_compiler
    @pytest.mark.parametrize("what", ["folder", "file"])
    def test_nothing_is_loaded_that_others_can_write(self, tmp_path, caplog, what):
        assert library() is not None
        folder = tmp_path / "cache" / "naf_robot"
        path = folder if what == "folder" else next(folder.iterdir())
        path.chmod(path.stat().st_mode | stat.S_IWOTH)
        library.cache_clear()
        with caplog.at_level(logging.INFO):
            assert library() is None
        assert "can be written by others" in caplog.text

    def test_the_environment_can_switch_it_off(self, monkeypatch, model):
        monkeypatch.setenv(compiled_library.SWITCH, "0")
        assert not SafetyProjection(model, SafetyConfig(sphere=SphereConfig((0.4, 0.0, 0.6), 0.6))).compiled
