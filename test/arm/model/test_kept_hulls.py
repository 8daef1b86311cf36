"""Hulls of meshes are computed once for equal files, and a bad cache costs time only."""

import numpy as np
import pytest

from naf_robot.arm.model import meshes
from naf_robot.arm.model.kept_hulls import FOLDER, kept_corners

CORNERS = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
ONE = (1.0, 1.0, 1.0)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "naf_robot" / FOLDER


@pytest.fixture
def mesh(tmp_path):
    path = tmp_path / "link.stl"
    path.write_bytes(b"what is in a mesh")
    return path


class Computed:
    """Counts how often it is asked."""

    def __init__(self):
        self.times = 0

    def __call__(self):
        self.times += 1
        return CORNERS.copy()


def test_equal_files_are_computed_once_whatever_their_name(cache, mesh, tmp_path):
    computed, other = Computed(), tmp_path / "other.stl"
    other.write_bytes(mesh.read_bytes())
    for path in (mesh, mesh, other):
        np.testing.assert_array_equal(kept_corners(path, ONE, computed), CORNERS)
    assert computed.times == 1
    kept_corners(mesh, (0.001, 0.001, 0.001), computed)
    mesh.write_bytes(b"another mesh")
    kept_corners(mesh, ONE, computed)
    assert computed.times == 3
    assert len(list(cache.iterdir())) == 3


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"no array at all", None])
def test_a_torn_file_is_computed_again_and_mended(cache, mesh, content):
    computed = Computed()
    kept_corners(mesh, ONE, computed)
    (kept,) = cache.iterdir()
    if content is None:
        np.save(kept, np.full((4, 3), np.nan))
    else:
        kept.write_bytes(content)
    for _ in range(2):
        np.testing.assert_array_equal(kept_corners(mesh, ONE, computed), CORNERS)
    assert computed.times == 2


def test_nothing_is_taken_from_where_others_can_write(cache, mesh):
    computed = Computed()
    kept_corners(mesh, ONE, computed)
    cache.chmod(0o777)
    kept_corners(mesh, ONE, computed)
    assert computed.times == 2


def test_without_a_place_for_a_cache_it_is_computed(mesh, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    np.testing.assert_array_equal(kept_corners(mesh, ONE, Computed()), CORNERS)


def test_a_kept_hull_is_the_computed_one(cache, tmp_path):
    path = tmp_path / "cloud.obj"
    points = np.random.default_rng(0).normal(size=(60, 3))
    faces = "".join(f"f {k} {k + 1} {k + 2}\n" for k in range(1, 59))
    path.write_text("".join(f"v {x} {y} {z}\n" for x, y, z in points) + faces)
    hulls = []
    for _ in range(2):
        meshes._hull.cache_clear()
        hulls.append(meshes.hull_of(path, np.ones(3)))
    first, second = (np.array(hull.points()) for hull in hulls)
    np.testing.assert_array_equal(first, second)
    assert len(list(cache.iterdir())) == 1
