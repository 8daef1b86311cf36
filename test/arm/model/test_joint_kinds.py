"""Continuous, locked and mimic joints, limits and inertia, in the kinematics."""

import numpy as np
import pinocchio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from urdf_texts import BOX, INERTIAL, LIMIT, gripper, joint, link, robot, two_links

from naf_robot.arm.model.description import Description
from naf_robot.arm.model.inertia import DENSITY, _possible
from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.arm.projection.self_collision import SelfCollision

few = settings(max_examples=60, deadline=None)
angles = st.floats(-2.0, 2.0)


def model(text, tool="tool", joints=(), **given_):
    description = Description.from_text(text, "arm.urdf", joints=joints, tool_frame=tool, **given_)
    return ArmModel(description, tool, joints or None)


FREE = model(gripper(""), joints=("a", "b", "finger", "thumb"))  # nothing follows: the reference


@few
@given(a=angles, b=angles, locked=st.floats(0.2, 0.9))
def test_locked_joints_and_those_that_follow_them_stand_where_they_are_put(a, b, locked):
    arm = model(gripper(), joints=("a", "b"), locked={"finger": locked})
    expected = FREE.tool_position(np.array([a, b, locked, -2.0 * locked + 0.1]))
    np.testing.assert_allclose(arm.tool_position(np.array([a, b])), expected, atol=1e-12)


def test_a_joint_that_is_not_named_is_locked_at_zero_or_the_limit_nearest_to_it():
    expected = FREE.tool_position(np.array([0.3, 0.4, 0.2, -0.3]))
    np.testing.assert_allclose(model(gripper(), joints=("a", "b")).tool_position(np.array([0.3, 0.4])), expected)


@few
@given(position=st.tuples(angles, angles, st.floats(0.2, 0.9)))
def test_a_joint_that_follows_a_controlled_one_moves_with_it(position):
    arm, position = model(gripper(), joints=("finger", "b", "a")), np.array(position)
    a, b, finger = position

    def reference(values):
        return FREE.tool_position(np.array([values[2], values[1], values[0], -2.0 * values[0] + 0.1]))

    at = np.array([finger, b, a])
    np.testing.assert_allclose(arm.tool_position(at), reference(at), atol=1e-12)
    numeric = np.array([(reference(at + step) - reference(at - step)) / 2e-6 for step in 1e-6 * np.eye(3)]).T
    np.testing.assert_allclose(arm.tool_jacobian(at)[1], numeric, atol=1e-8)
    assert (np.linalg.norm(numeric, axis=0) <= arm.tool_lipschitz_bounds() + 1e-6).all()


def test_distances_and_their_gradients_know_what_follows():
    arm = model(gripper(), joints=("a", "b", "finger"))
    watched = SelfCollision(arm, pairs=(("left", "right"), ("upper", "right")))
    at = np.array([0.4, 0.7, 0.5])
    reference = SelfCollision(FREE, pairs=(("left", "right"), ("upper", "right")))
    expected = reference.distances(np.append(at, -2.0 * at[2] + 0.1))
    np.testing.assert_allclose(watched.distances(at), expected, atol=1e-7)
    for pair in range(2):
        numeric = [
            (watched.distances(at + step)[pair] - watched.distances(at - step)[pair]) / 2e-4
            for step in 1e-4 * np.eye(3)
        ]
        np.testing.assert_allclose(watched.gradient(at, pair), numeric, atol=1e-3)
        assert (np.abs(numeric) <= watched.lipschitz[pair] + 1e-6).all()


def test_limits_of_what_follows_narrow_its_master():
    limits = model(gripper(), joints=("a", "b", "finger")).limits()
    assert limits.max_velocity[2] == 0.75  # 1.5 of the thumb, which turns twice as fast
    assert (limits.min_position[2], limits.max_position[2]) == (0.2, 0.9)
    narrow = gripper('<mimic joint="finger" multiplier="-4" offset="0.4"/>')
    limits = model(narrow, joints=("a", "b", "finger")).limits()
    assert limits.max_position[2] == pytest.approx(0.6)  # where the thumb is at -2


def test_a_chain_of_joints_that_follow_is_resolved():
    parts = [joint(f"j{k}", f"l{k}", f"l{k + 1}", inside=LIMIT + (
        f'<mimic joint="j{k - 1}" multiplier="0.5" offset="0.1"/>' if k else "")) for k in range(3)]  # fmt: skip
    arm = model(robot(*(link(f"l{k}") for k in range(4)), *parts), "l3")
    assert arm.joint_names == ("j0",)
    np.testing.assert_allclose(arm.full_position(np.array([0.8])), [0.8, 0.5, 0.35])


CONTINUOUS = model(two_links(kind="continuous", inside=""))


@few
@given(target=st.floats(-50.0, 50.0), position=st.floats(-50.0, 50.0))
def test_continuous_joints_go_the_shortest_way_and_others_the_only_one(target, position):
    assert CONTINUOUS.continuous.all()
    way = CONTINUOUS.shortest(np.array([target]), np.array([position]))[0]
    assert abs(way) <= np.pi + 1e-9
    np.testing.assert_allclose(
        CONTINUOUS.tool_position(np.array([position + way])), CONTINUOUS.tool_position(np.array([target])), atol=1e-9
    )
    bounded = model(two_links()) if abs(target) < 1.0 else None
    if bounded is not None:
        assert not bounded.continuous.any()
        assert bounded.shortest(np.array([target]), np.array([position]))[0] == target - position


@pytest.mark.parametrize("limit", ['effort="0" velocity="0"', "", 'effort="-1" velocity="0.0"'])
def test_zero_or_no_effort_and_velocity_mean_not_stated(limit):
    found = model(two_links(inside=f'<limit lower="-1" upper="1" {limit}/>')).limits()
    assert (found.max_effort[0], found.max_velocity[0]) == (np.inf, np.inf)
    assert (found.min_position[0], found.max_position[0]) == (-1.0, 1.0)


@few
@given(entries=st.lists(st.floats(-1.0, 1.0), min_size=6, max_size=6))
def test_a_repaired_inertia_is_one_that_a_body_can_have(entries):
    xx, xy, xz, yy, yz, zz = entries
    stated = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    if np.trace(stated) <= 1e-3:
        return
    moments = np.linalg.eigvalsh(_possible(stated))
    assert moments[0] > 0.0
    assert moments[0] + moments[1] > moments[2]


def test_an_inertia_that_is_possible_stays_to_the_last_bit():
    assert 'ixx="0.01"' in Description.from_text(two_links(), "a").text
    assert Description.from_text(two_links(), "a").notes == ()


@pytest.mark.parametrize(
    "inertial",
    [
        "",
        INERTIAL.replace('mass value="1"', 'mass value="0"'),
        '<inertial><mass value="1"/><inertia ixx="0" ixy="0" ixz="0" iyy="0" iyz="0" izz="0"/></inertial>',
        '<inertial><mass value="1"/></inertial>',
    ],
)
def test_a_moving_link_without_inertia_gets_that_of_its_shapes(inertial):
    text = robot(link("base", inertial=""), link("tool", BOX, inertial=inertial), joint("hinge", "base", "tool"))
    arm = model(text)
    own = arm.pinocchio_model.inertias[1]
    assert own.mass == pytest.approx(DENSITY * 0.05 * 0.05 * 0.2)
    np.testing.assert_allclose(own.lever, [0.0, 0.0, 0.1], atol=1e-12)
    assert own.inertia[2, 2] == pytest.approx(own.mass * 2 * 0.05**2 / 12.0)
    assert arm.description.notes == (
        "link 'tool' moves and has no inertia; that of its collision shapes at 1000 kg/m3 is used, 0.5 kg",
    )


def test_what_is_fixed_to_a_link_with_inertia_needs_none_and_without_shapes_a_small_sphere_stands_in():
    flange = joint("mount", "tool", "flange", "fixed", "")
    text = robot(
        link("base", inertial=""), link("tool", inertial=""), link("flange"), joint("hinge", "base", "tool"), flange
    )
    assert model(text).description.notes == ()
    bare = text.replace(INERTIAL, "")
    assert model(bare).description.notes == (
        "link 'tool' moves and has no inertia; that of a small sphere is used, 0.1 kg",
    )


def test_a_prismatic_joint_is_locked_where_it_is_put():
    slide = joint("slide", "base", "cart", "prismatic", '<limit lower="0.1" upper="0.5" effort="1" velocity="1"/>')
    text = robot(link("base"), link("cart"), link("tool"), slide, joint("hinge", "cart", "tool"))
    at = [model(text, joints=("hinge",), locked=locked).tool_position(np.zeros(1)) for locked in ({}, {"slide": 0.5})]
    np.testing.assert_allclose(at, [[0.0, 0.1, 0.6], [0.0, 0.5, 0.6]])


@few
@given(rpy=st.tuples(*[st.floats(-3.2, 3.2)] * 3))
def test_placements_are_those_of_pinocchio(rpy):
    text = two_links().replace('rpy="0 0 0"', f'rpy="{rpy[0]} {rpy[1]} {rpy[2]}"')
    shape = BOX.join(("<collision><geometry>", f'</geometry><origin rpy="{rpy[0]} {rpy[1]} {rpy[2]}"/></collision>'))
    text = text.replace("</link><joint", f"{shape}</link><joint")
    own = model(text)
    expected = pinocchio.buildGeomFromUrdfString(
        pinocchio.buildModelFromXML(text), text, pinocchio.GeometryType.COLLISION
    ).geometryObjects[0]
    found = own.collision_geometry().geometryObjects[0]
    np.testing.assert_allclose(found.placement.homogeneous, expected.placement.homogeneous, atol=1e-14)
