import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from naf_robot.arm.model.kinematics import ENDLESS, ArmModel
from naf_robot.arm.projection.self_collision import SelfCollision
from naf_robot.arm.projection.workspace import HalfSpace, KeepOutBox, Sphere
from naf_robot.core.errors import RobotModelError, UnknownNameError
from naf_robot.core.resources import find

few = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**31)
STEP = 1e-6


def arms():
    controlled = [f"joint_{k}" for k in range(6, 0, -1)]  # not in the order of the URDF
    return {
        "arm7": ArmModel(find("urdf/arm7.urdf"), "tool"),
        "offset_wrist": ArmModel(find("urdf/test_arms/offset_wrist_arm.urdf"), "tool0"),
        "three_finger": ArmModel(find("urdf/test_arms/three_finger_arm.urdf"), "tool", controlled),
    }


ARMS = arms()
each_arm = pytest.mark.parametrize("name", ARMS)


def difference(function, position, step=STEP):
    """Central difference of `function` by each joint, stacked along the last axis."""
    columns = []
    for joint in np.eye(len(position)) * step:
        columns.append((np.asarray(function(position + joint)) - np.asarray(function(position - joint))) / (2 * step))
    return np.stack(columns, axis=-1)


@each_arm
@few
@given(seed=seeds)
def test_tool_jacobian_is_the_derivative_of_the_tool_position(name, seed):
    model = ARMS[name]
    position = np.random.default_rng(seed).uniform(-2.0, 2.0, model.size)
    point, jacobian = model.tool_jacobian(position)
    np.testing.assert_allclose(jacobian, difference(model.tool_position, position), atol=1e-8)
    np.testing.assert_allclose(point, model.tool_point(position), atol=1e-12)


@each_arm
@few
@given(seed=seeds)
def test_distance_gradient_is_the_derivative_of_the_distance(name, seed):
    model = ARMS[name]
    watched = SelfCollision(model)
    random = np.random.default_rng(seed)
    position = random.uniform(-2.0, 2.0, model.size)
    distances = watched.distances(position)
    pair = int(random.integers(len(distances)))
    assume(distances[pair] > 0.01)
    expected = difference(lambda q: watched.distances(q)[pair], position, step=1e-4)
    # At the shapes' edges the nearest point jumps, and the difference quotient mixes both sides.
    assert np.median(np.abs(watched.gradient(position, pair) - expected)) < 5e-3


@each_arm
@few
@given(seed=seeds, size=st.floats(0.0, 1.0))
def test_no_pair_comes_closer_than_the_lipschitz_bounds_allow(name, seed, size):
    model = ARMS[name]
    watched = SelfCollision(model)
    random = np.random.default_rng(seed)
    position = random.uniform(-2.0, 2.0, model.size)
    change = size * random.uniform(-1.0, 1.0, model.size)
    before, after = watched.distances(position), watched.distances(position + change)
    apart = after > 0.0  # depths of penetration are not distances
    assert (after >= before - watched.lipschitz @ np.abs(change) - 1e-6)[apart].all()
    moved = np.linalg.norm(model.tool_position(position + change) - model.tool_position(position))
    assert moved <= model.tool_lipschitz_bounds() @ np.abs(change) + 1e-9


def test_some_distances_agree_with_all_distances(model, home):
    watched = SelfCollision(model)
    every = watched.distances(home)
    np.testing.assert_allclose(watched.some_distances(home, [3, 0, 7]), every[[3, 0, 7]], atol=1e-7)


@each_arm
@few
@given(seed=seeds)
def test_nearer_finds_exactly_the_pairs_below_their_bounds(name, seed):
    model = ARMS[name]
    watched = SelfCollision(model, clearance=0.05)
    random = np.random.default_rng(seed)
    every = watched.distances(position := random.uniform(-2.0, 2.0, model.size))
    bounds = random.uniform(-0.1, 0.1, len(every))
    found = dict(watched.nearer(position, list(range(len(every))), bounds.tolist()))
    assert found.keys() == set(np.flatnonzero(every < bounds).tolist())
    for pair, distance in found.items():
        assert distance == pytest.approx(every[pair], abs=1e-7)


def test_only_chosen_pairs_are_watched(model):
    assert set(SelfCollision(model, pairs=(("base_link", "link_5"),)).names) == {"base_link/link_5"}
    ignored = SelfCollision(model, ignored=(("link_7", "link_5"),)).names
    assert "link_5/link_7" not in ignored
    assert "base_link/link_5" in ignored


def test_unknown_link_lists_those_with_shapes(model):
    with pytest.raises(UnknownNameError, match="unknown link 'elbow' in the self-collision pairs; valid: base_link, "):
        SelfCollision(model, pairs=(("elbow", "link_5"),))


def test_adjacent_links_are_not_watched(model):
    assert not {"base_link/link_1", "link_1/link_2"} & set(SelfCollision(model).names)


def test_continuous_joint_has_one_coordinate_and_endless_range():
    limits = ARMS["three_finger"].limits()
    assert ARMS["three_finger"].size == 6
    assert limits.max_position[-1] == ENDLESS  # joint_1 is last in the controlled order
    assert limits.max_velocity[-1] == 0.63


def test_missing_mesh_names_the_description(tmp_path):
    text = find("urdf/arm7.urdf").read_text().replace('<sphere radius="0.012"/>', '<mesh filename="hook.stl"/>')
    urdf = tmp_path / "mesh.urdf"
    urdf.write_text(text)
    with pytest.raises(RobotModelError, match=r"cannot load the collision shapes of '.*mesh.urdf'"):
        SelfCollision(ArmModel(urdf, "tool"))


def test_text_that_is_not_xml_is_refused(tmp_path):
    urdf = tmp_path / "broken.urdf"
    urdf.write_text("<robot>")
    with pytest.raises(RobotModelError, match="is not a valid URDF"):
        ArmModel(urdf, "tool")


@pytest.mark.parametrize(
    "limit",
    [
        Sphere((0.1, 0.2, 0.3), 0.5, 0.01),
        HalfSpace("wall", (0.6, 0.0, 0.8), 0.1, 0.01),
        KeepOutBox("box", (-0.1, -0.2, -0.3), (0.1, 0.2, 0.3), 0.01),
    ],
)
@few
@given(point=st.tuples(*[st.floats(-1.0, 1.0)] * 3))
def test_normal_of_a_tool_limit_is_the_gradient_of_its_value(limit, point):
    if isinstance(limit, KeepOutBox):  # two faces equally near: a kink
        faces = sorted(np.minimum(np.array(point) - limit.lower, np.array(limit.upper) - point))
        assume(faces[1] - faces[0] > 1e-3 and min(abs(coordinate) for coordinate in point) > 1e-3)
    normal = limit.normal(np.array(point))
    assert np.linalg.norm(normal) == pytest.approx(1.0)
    ahead = limit.value(np.array(point) + 1e-7 * normal)
    assert ahead - limit.value(point) == pytest.approx(1e-7, abs=1e-9)


def test_keep_out_box_value_is_depth_inside_and_clearance_outside():
    box = KeepOutBox("box", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), 0.01)
    assert box.value((0.5, 0.5, 0.9)) == pytest.approx(0.1)
    assert box.value((0.5, 0.5, 1.2)) == pytest.approx(-0.2)
