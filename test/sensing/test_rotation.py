import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from naf_robot.sensing import rotation

vectors = arrays(np.float64, 3, elements=st.floats(-1.0, 1.0))
turns = st.floats(-3.1, 3.1)


def unit(vector):
    assume(np.linalg.norm(vector) > 0.1)
    return vector / np.linalg.norm(vector)


@given(vectors, turns, vectors)
def test_products_and_inverses_agree_with_turning_vectors(axis, angle, vector):
    turn = rotation.about_axis(unit(axis), angle)
    there = rotation.rotated(turn, vector)
    np.testing.assert_allclose(rotation.rotated(rotation.inverse(turn), there), vector, atol=1e-9)
    twice = rotation.rotated(rotation.product(turn, turn), vector)
    np.testing.assert_allclose(twice, rotation.rotated(turn, there), atol=1e-9)


@given(vectors, turns, st.booleans(), st.booleans())
def test_distance_is_the_angle_whatever_the_signs(axis, angle, first, second):
    identity, turn = np.array([0.0, 0.0, 0.0, 1.0]), rotation.about_axis(unit(axis), angle)
    one, other = (-identity if first else identity), (-turn if second else turn)
    assert rotation.distance(one, other) == pytest.approx(abs(angle), abs=1e-7)
    assert rotation.distance(other, one) == pytest.approx(abs(angle), abs=1e-7)


@given(vectors, turns, st.booleans())
def test_twist_finds_the_angle_about_its_axis(axis, angle, negative):
    axis = unit(axis)
    turn = rotation.about_axis(axis, angle)
    assert rotation.twist(-turn if negative else turn, axis) == pytest.approx(angle, abs=1e-9)


def test_about_x_is_right_handed():
    np.testing.assert_allclose(
        rotation.rotated(rotation.about_axis((1, 0, 0), np.pi / 2), (0, 1, 0)), (0, 0, 1), atol=1e-12
    )


@given(vectors, turns)
def test_same_sign_is_continuous(axis, angle):
    turn = rotation.about_axis(unit(axis), angle)
    near = rotation.about_axis(unit(axis), angle + 0.01)
    assert rotation.same_sign(-near, turn) @ turn > 0.9


@given(vectors, vectors)
def test_between_turns_one_direction_to_the_other(one, other):
    turned = rotation.rotated(rotation.between(unit(one), 3.0 * unit(other)), unit(one))
    np.testing.assert_allclose(turned, unit(other), atol=1e-7)


@pytest.mark.parametrize("axis", [(0.0, 0.0, 1.0), (0.0, -1.0, 0.0), (0.6, 0.8, 0.0)])
def test_between_opposite_directions_is_half_a_turn(axis):
    turned = rotation.rotated(rotation.between(axis, np.negative(axis)), axis)
    np.testing.assert_allclose(turned, np.negative(axis), atol=1e-12)
