import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.arm.model.turns import TURN, Unwrapper, shortest, way
from naf_robot.arm.projection.projection import SafetyConfig, SafetyProjection, SelfCollisionConfig, SphereConfig

CONTINUOUS = np.array([True, False, True])
steps = arrays(np.float64, (12, 3), elements=st.floats(-3.0, 3.0))
WRAPS = {  # how drivers report an angle
    "within half a turn of zero": lambda angle: (angle + np.pi) % TURN - np.pi,
    "from zero to one turn": lambda angle: angle % TURN,
    "counted": lambda angle: angle,
}


@pytest.mark.parametrize("report", WRAPS.values(), ids=WRAPS.keys())
@given(steps=steps)
def test_turns_are_counted_however_the_driver_reports_them(report, steps):
    unwrap, true = Unwrapper(CONTINUOUS), np.cumsum(steps, axis=0)
    positions = [unwrap(np.where(CONTINUOUS, report(each), each)) for each in true]
    offset = positions[0] - true[0]
    assert np.abs(shortest(offset)).max() < 1e-9  # whole turns
    np.testing.assert_allclose(positions, true + offset, atol=1e-9)
    assert (np.array(positions)[:, 1] == true[:, 1]).all()


def test_what_a_driver_counts_itself_passes_to_the_last_bit():
    unwrap, random = Unwrapper(CONTINUOUS), np.random.default_rng(0)
    first = random.uniform(-20.0, 20.0, 3)
    np.testing.assert_array_equal(unwrap(first), first)
    second = first + random.uniform(-3.0, 3.0, 3)
    np.testing.assert_allclose(unwrap(second), second, rtol=1e-15)


def test_a_position_that_is_not_finite_is_not_counted():
    unwrap = Unwrapper(CONTINUOUS)
    unwrap(np.array((3.0, 0.0, 0.0)))
    assert np.isnan(unwrap(np.array((np.nan, 0.0, 0.0)))[0])
    assert unwrap(np.array((-3.0, 0.0, 0.0)))[0] == pytest.approx(TURN - 3.0)


def test_after_a_reset_the_next_position_is_taken_as_it_is():
    unwrap = Unwrapper(CONTINUOUS)
    for angle in (3.0, -3.0):
        unwrap(np.array((angle, 0.0, 0.0)))
    unwrap.reset()
    assert unwrap(np.array((-3.0, 0.0, 0.0)))[0] == -3.0


@given(target=st.floats(0.01, 3.0), position=st.floats(-6.2, 6.2))
def test_the_way_ends_at_the_target_within_the_limits_and_no_other_is_shorter(target, position):
    ends = np.full(3, TURN)
    found = way(np.full(3, target), np.full(3, position), CONTINUOUS, -ends, ends)
    assert found[1] == target - position
    end = position + found[0]
    assert abs(end) <= TURN
    turns = [target + k * TURN for k in range(-2, 3) if abs(target + k * TURN) <= TURN]
    assert abs(found[0]) == pytest.approx(min(abs(each - position) for each in turns))


WHEEL = """<robot name="wheel"><link name="base"/><link name="arm"/>
<joint name="wheel" type="continuous"><parent link="base"/><child link="arm"/><axis xyz="0 0 1"/>
<limit effort="5" velocity="2"/></joint></robot>"""


def wheel(folder, **settings):
    path = folder / "wheel.urdf"
    path.write_text(WHEEL)
    sphere, off = SphereConfig(centre=(0.0, 0.0, 0.0), radius=1.0), SelfCollisionConfig(enabled=False)
    return SafetyProjection(ArmModel(path, "arm"), SafetyConfig(sphere=sphere, self_collision=off, **settings))


@pytest.mark.parametrize(("turns", "end"), [(1.0, TURN), (0.25, np.pi / 2.0), (2.5, 5.0 * np.pi)])
def test_a_continuous_joint_stops_before_its_last_turn_ends(tmp_path, turns, end):
    projection = wheel(tmp_path, max_turns=turns)
    position, sent, command = np.zeros(1), np.zeros(1), np.full(1, 2.0)
    for _ in range(400):
        result = projection.project(position, sent, command, sent, 0.05)
        position, sent = position + 0.05 * result.velocity, result.velocity
    assert end - 0.05 < position[0] <= end
    (back,) = projection.way(np.zeros(1), position)
    assert shortest(position + back) == pytest.approx(0.0, abs=1e-9)
    assert back < 0.0


def test_without_a_limit_of_turns_it_goes_on(tmp_path):
    projection = wheel(tmp_path, max_turns=None)
    result = projection.project(np.full(1, 1e3), np.ones(1), np.ones(1), np.ones(1), 0.05)
    assert result.velocity[0] == 1.0
