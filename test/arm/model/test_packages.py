"""Where packages and files of descriptions are found, and what is said where they are not."""

import pytest
from urdf_texts import package

from naf_robot.arm.model.packages import PackageNotFoundError, Packages
from naf_robot.core.errors import RobotModelError


@pytest.fixture(autouse=True)
def _no_ros(monkeypatch):
    monkeypatch.delenv("AMENT_PREFIX_PATH", raising=False)
    monkeypatch.delenv("ROS_PACKAGE_PATH", raising=False)


@pytest.mark.parametrize("given", ["arms", ".", "workspace", "workspace/src/repository/arms"])
def test_a_given_folder_is_the_package_or_holds_it(tmp_path, given):
    package(tmp_path, "arms")
    made = package(tmp_path / "workspace" / "src" / "repository", "arms", "arms" if "src" in given else "vendor+arms")
    found = Packages((tmp_path / given,)).folder("arms")
    assert found == (tmp_path / "arms" if given in ("arms", ".") else made)


@pytest.mark.parametrize("called", ["arms", "vendor+arms_description"])
def test_the_package_that_holds_the_file_is_found_by_either_name(tmp_path, called):
    made = package(tmp_path, "arms", called)
    (made / "urdf").mkdir()
    assert Packages((), made / "urdf").folder("arms") == made


def test_a_package_beside_that_of_the_file_is_found(tmp_path):
    own, other = package(tmp_path, "own"), package(tmp_path, "hand", "vendor+hand")
    assert Packages((), own).folder("hand") == other


@pytest.mark.parametrize("variable", ["AMENT_PREFIX_PATH", "ROS_PACKAGE_PATH"])
def test_the_search_paths_of_ros_are_used(tmp_path, monkeypatch, variable):
    made = package(tmp_path / "share", "arms")
    monkeypatch.setenv(variable, f"/nowhere:{tmp_path}")
    assert Packages().folder("arms") == made


def test_packages_of_the_python_environment_are_found():
    assert (Packages().folder("example-robot-data") / "robots").is_dir()


def test_a_missing_package_says_where_was_looked_and_what_to_do(tmp_path):
    with pytest.raises(PackageNotFoundError) as caught:
        Packages((tmp_path,), tmp_path / "file").folder("arms")
    text = str(caught.value)
    assert text.startswith(f"package 'arms' not found; looked in {tmp_path}, {tmp_path / 'file'} and its parents, ")
    assert "AMENT_PREFIX_PATH (not set), ROS_PACKAGE_PATH (not set)" in text
    assert text.endswith("install it, source its workspace, or name the folder that holds it in arm.package_dirs")


@pytest.mark.parametrize(
    "location",
    [
        "package://arms/meshes/a b.stl",
        "package://arms/meshes/a%20b.stl",
        "file://{root}/meshes/a b.stl",
        "file://{root}/meshes/a%20b.stl",
        "file:{root}/meshes/a b.stl",
        "{root}/meshes/a b.stl",
        "../meshes/a b.stl",
        "..\\meshes\\a b.stl",
        "meshes/a b.stl",  # below the package's own folder
    ],
)
def test_every_way_to_name_a_file(tmp_path, location):
    root = package(tmp_path, "arms")
    (root / "urdf").mkdir()
    (root / "meshes").mkdir()
    file = root / "meshes" / "a b.stl"
    file.touch()
    packages = Packages((), root / "urdf")
    assert packages.file(location.format(root=root), root / "urdf").resolve() == file


def test_a_missing_file_says_where_it_was_looked_for(tmp_path):
    with pytest.raises(RobotModelError, match=rf"file 'a\.stl' not found; looked for {tmp_path}/a\.stl$"):
        Packages().file("a.stl", tmp_path)
    with pytest.raises(RobotModelError, match="is on the network: put a copy on this machine"):
        Packages().file("https://example.org/a.stl", tmp_path)
