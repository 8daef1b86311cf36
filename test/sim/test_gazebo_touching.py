"""Bit masks of shapes that may touch, and hulls as mesh files: what Gazebo's worlds are written from, without it."""

from itertools import combinations

import coal
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from naf_robot.arm.model.bodies import bodies_of
from naf_robot.core.errors import NafRobotError
from naf_robot.run.config import resolve
from naf_robot.sim.gazebo import bindings
from naf_robot.sim.gazebo.hull_mesh import hull_triangles, write_hull
from naf_robot.sim.gazebo.touching import BITS, masks

LINKS = [f"link_{number}" for number in range(9)]
PAIRS = [frozenset(pair) for pair in combinations(LINKS, 2)]


@given(st.sets(st.sampled_from(PAIRS)))
def test_masks_share_a_bit_only_where_links_may_touch(touching):
    found = masks(LINKS, touching)
    assert all(0 < found[link] < 1 << BITS for link in LINKS)
    shared = {pair for pair in PAIRS if np.bitwise_and.reduce([found[link] for link in pair])}
    assert shared <= touching


def test_links_of_an_arm_touch_all_but_their_neighbours():
    touching = {frozenset((LINKS[a], LINKS[b])) for a, b in combinations(range(9), 2) if b - a > 1}
    found = masks(LINKS, touching)
    assert all((found[a] & found[b] != 0) is (frozenset((a, b)) in touching) for a, b in combinations(LINKS, 2))


@pytest.mark.parametrize("seed", range(3))
def test_the_surface_of_a_hull_encloses_its_volume_and_looks_outward(seed, tmp_path):
    mesh, points = coal.BVHModelOBBRSS(), np.random.default_rng(seed).normal(size=(60, 3)) + 5.0
    mesh.beginModel(0, len(points))
    mesh.addVertices(points)
    mesh.endModel()
    mesh.buildConvexHull(True, "Qt")
    triangles = hull_triangles(mesh.convex)
    one, two, three = triangles.transpose(1, 0, 2)
    volume = float(np.einsum("ij,ij->i", one, np.cross(two, three)).sum() / 6.0)
    assert volume == pytest.approx(mesh.convex.computeVolume(), rel=1e-6)
    write_hull(tmp_path / "hull.stl", mesh.convex)
    again = coal.MeshLoader(coal.NODE_TYPE.BV_AABB).load(str(tmp_path / "hull.stl"), np.ones(3))
    assert again.num_tris == len(triangles)
    np.testing.assert_allclose(again.vertices().max(axis=0), points.max(axis=0), rtol=1e-6)


def test_the_faces_of_a_box_are_whole():
    mesh, corners = coal.BVHModelOBBRSS(), np.array(np.meshgrid([0, 1], [0, 2], [0, 3])).reshape(3, -1).T * 1.0
    mesh.beginModel(0, len(corners))
    mesh.addVertices(corners)
    mesh.endModel()
    mesh.buildConvexHull(True, "Qt")
    assert len(hull_triangles(mesh.convex)) == 12


def test_bodies_are_those_that_joints_move_with_all_that_they_carry():
    arm = resolve("reach").robot("robot_1").arm.model()
    bodies = bodies_of(arm)
    assert [body.joint for body in bodies] == ["", *arm.joint_names]
    assert sum(len(body.shapes) for body in bodies) == len(arm.description.shapes)
    total = sum(body.mass for body in bodies[1:])
    assert total == pytest.approx(sum(inertia.mass for inertia in arm.pinocchio_model.inertias[1:]))
    assert all(np.linalg.norm(body.axis) == pytest.approx(1.0) for body in bodies[1:])


def test_without_bindings_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(
        bindings, "RELEASES", (("no.math", "no_sdf", "no.common", "no.sim", "no.transport", "no.msgs"),)
    )
    bindings.load.cache_clear()
    with pytest.raises(
        NafRobotError, match="not importable: install Gazebo Harmonic and its Python bindings"
    ) as raised:
        bindings.load()
    assert "\n" not in str(raised.value)
    bindings.load.cache_clear()
