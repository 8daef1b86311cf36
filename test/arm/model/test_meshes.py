"""Meshes as convex hulls, whatever their format."""

import numpy as np
import pytest
from urdf_texts import CORNERS, MESHES, binary_stl, two_links

from naf_robot.arm.model.description import Description
from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.arm.model.meshes import THINNEST, _coarse_hull, hull_of
from naf_robot.core.errors import RobotModelError


def described(tmp_path, mesh):
    path = tmp_path / "arm.urdf"
    path.write_text(two_links(mesh))
    return Description.from_file(path)


@pytest.mark.parametrize("name", MESHES)
@pytest.mark.parametrize("scale", [(1.0, 1.0, 1.0), (0.5, 2.0, -1.0)])
def test_every_format_gives_the_same_hull(tmp_path, name, scale):
    (tmp_path / name).write_bytes(MESHES[name]())
    text = f'<mesh filename="{name}" scale="{" ".join(map(str, scale))}"/>'
    (shape,) = described(tmp_path, text).shapes
    expected = CORNERS * scale
    points = np.array(shape.geometry.points())
    assert len(points) == 4
    for corner in expected:
        assert np.abs(points - corner).max(axis=1).min() < 1e-7
    assert shape.geometry.computeVolume() == pytest.approx(0.001 * abs(np.prod(scale)), rel=1e-5)


def test_a_concave_mesh_becomes_its_hull_and_its_file_absolute(tmp_path):
    points = np.concatenate([CORNERS, [[0.01, 0.01, 0.01]]])  # the last one is inside
    (tmp_path / "m.stl").write_bytes(binary_stl(points, ((0, 2, 4), (4, 2, 1), (0, 4, 3), (0, 3, 2), (1, 2, 3))))
    description = described(tmp_path, '<mesh filename="m.stl"/>')
    assert description.shapes[0].geometry.num_points == 4
    assert f'filename="{tmp_path}/m.stl"' in description.text


@pytest.mark.parametrize("normal", [0, 1, 2, None])
def test_a_flat_mesh_gets_a_thickness(tmp_path, normal):
    points = np.array([[0.0, 0.0, 0.0], [0.1, 0.0, 0.0], [0.0, 0.1, 0.0], [0.1, 0.1, 0.0]])
    points = points + points[:, :1] * [0.0, 0.0, 1.0] if normal is None else np.roll(points, normal + 1, axis=1)
    (tmp_path / "flat.stl").write_bytes(binary_stl(points, ((0, 1, 2), (1, 3, 2))))
    hull = hull_of(tmp_path / "flat.stl", np.ones(3))
    assert hull.computeVolume() == pytest.approx(0.01 * THINNEST * (np.sqrt(2.0) if normal is None else 1.0), rel=1e-4)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "is a pointer of Git LFS; fetch"),
        (b"not a mesh", "cannot read mesh"),
        (None, r"file 'm\.stl' not found; looked for"),
        (binary_stl(CORNERS, ()), "cannot read mesh|fewer than three points"),
    ],
)
def test_a_mesh_that_cannot_be_read_is_one_sentence_with_link_and_description(tmp_path, content, sentence):
    if content is not None:
        (tmp_path / "m.stl").write_bytes(content)
    with pytest.raises(RobotModelError, match=sentence) as caught:
        described(tmp_path, '<mesh filename="m.stl"/>')
    text = str(caught.value)
    assert text.startswith(f"cannot load the collision shapes of '{tmp_path}/arm.urdf': collision shape of link 'tool'")
    assert "\n" not in text


def test_a_mesh_that_has_changed_is_read_again(tmp_path):
    path = tmp_path / "m.stl"
    path.write_bytes(binary_stl())
    before = hull_of(path, np.ones(3)).computeVolume()
    path.write_bytes(binary_stl(2.0 * CORNERS))
    assert hull_of(path, np.ones(3)).computeVolume() == pytest.approx(8.0 * before, rel=1e-5)


@pytest.mark.parametrize(
    "shape",
    ['<box size="0 1 1"/>', '<sphere radius="-1"/>', '<cylinder radius="1"/>', '<sphere radius="nan"/>', "<mesh/>"],
)
def test_a_shape_without_size_is_refused(tmp_path, shape):
    with pytest.raises(RobotModelError, match="collision shape of link 'tool': "):
        described(tmp_path, shape)


def test_only_collision_meshes_are_needed(tmp_path):
    path = tmp_path / "arm.urdf"
    seen = '<visual><geometry><mesh filename="package://nowhere/x.dae"/></geometry></visual>'
    path.write_text(two_links('<sphere radius="0.1"/>').replace("<collision>", seen + "<collision>"))
    assert len(ArmModel(path, "tool").collision_geometry().geometryObjects) == 1


def test_a_hull_that_coal_cannot_hold_is_replaced_by_one_around_it(tmp_path):
    angle = np.linspace(0.0, 2.0 * np.pi, 600, endpoint=False)
    rim = np.stack([0.1 * np.cos(angle), 0.05 * np.sin(angle), np.zeros(600)], axis=1)
    points = np.concatenate([rim, [[0.2, 0.0, 0.2]]])  # an oblique cone, whose tip has 600 neighbours
    faces = [(k, (k + 1) % 600, 600) for k in range(600)]
    (tmp_path / "cone.stl").write_bytes(binary_stl(points, faces))
    hull = hull_of(tmp_path / "cone.stl", np.ones(3))
    assert hull.num_points <= 200
    inside = points @ np.array(hull.normals()).T + np.array(hull.offsets())
    assert inside.max() < 1e-6
    exact = np.pi * 0.1 * 0.05 * 0.2 / 3.0
    assert exact * 0.999 < hull.computeVolume() < exact * 1.1


@pytest.mark.parametrize("seed", range(5))
def test_a_coarse_hull_holds_every_point(seed):
    random = np.random.default_rng(seed)
    points = random.normal(size=(3000, 3)) ** 3 * random.uniform(0.005, 0.2, 3) + random.normal(size=3)
    hull = _coarse_hull(points)
    assert hull.num_points <= 200
    assert (points @ np.array(hull.normals()).T + np.array(hull.offsets())).max() < 1e-9


@pytest.mark.parametrize(("unit", "axis"), [("0.1", "Z_UP"), ("0.3048", "Z_UP"), ("1", "Y_UP"), ("x", "Z_UP")])
def test_units_of_collada_files_are_read_and_their_up_axis_is_not_as_in_ros(tmp_path, unit, axis):
    text = MESHES["mesh.dae"]().replace(b'meter="1"', f'meter="{unit}"'.encode()).replace(b"Z_UP", axis.encode())
    (tmp_path / "m.dae").write_bytes(text)
    points = np.array(hull_of(tmp_path / "m.dae", np.ones(3)).points())
    factor = float(unit) if unit != "x" else 1.0
    np.testing.assert_allclose(np.sort(points, axis=0)[-1], CORNERS.max(axis=0) * factor, rtol=1e-6)


def test_a_mesh_in_millimetres_is_said(tmp_path):
    (tmp_path / "m.stl").write_bytes(binary_stl(1000.0 * CORNERS))
    with pytest.raises(RobotModelError, match=r'is 300 m large; if it is in millimetres, give it scale="0\.001 0\.001'):
        described(tmp_path, '<mesh filename="m.stl"/>')
    (shape,) = described(tmp_path, '<mesh filename="m.stl" scale="0.001 0.001 0.001"/>').shapes
    assert shape.geometry.computeVolume() == pytest.approx(0.001, rel=1e-5)
