"""The package installs as colcon and pip expect, and its files say the same things."""

import ast
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from naf_robot import __version__
from naf_robot.core.errors import NafRobotError
from naf_robot.core.resources import find, share_directory

ROOT = Path(__file__).resolve().parents[2]
SETUP = (ROOT / "setup.py").read_text(encoding="utf-8")


def test_versions_agree():
    package = ElementTree.parse(ROOT / "package.xml").getroot()
    assert package.get("format") == "3"
    assert package.findtext("version") == __version__
    assert f'version="{__version__}"' in SETUP
    assert package.findtext("export/build_type") == "ament_python"
    assert package.findtext("license") == "Apache-2.0"
    assert (ROOT / "resource" / "naf_robot").is_file()


def test_every_executable_exists_and_is_installed():
    nodes = ROOT / "naf_robot" / "nodes"
    executables = {p.stem for p in nodes.glob("*.py") if "def main() -> int:" in p.read_text(encoding="utf-8")}
    match = re.search(r"NODES = (\(.*?\))", SETUP, re.DOTALL)
    assert match is not None
    assert set(ast.literal_eval(match.group(1))) == executables


def test_ros_is_an_extra_and_never_a_requirement():
    required = SETUP.split("install_requires")[1].split("extras_require")[0]
    assert "ros-" not in required
    assert "mujoco" not in required


def test_shared_files_are_found_and_a_missing_one_is_said():
    assert share_directory() == ROOT
    assert find("urdf/arm7.urdf").is_file()
    with pytest.raises(NafRobotError, match=r"'urdf/none\.urdf' not found below"):
        find("urdf/none.urdf")


@pytest.mark.timeout(300)
@pytest.mark.skipif(shutil.which("colcon", path=str(Path(sys.executable).parent)) is None, reason="needs colcon")
def test_colcon_builds_it_and_the_share_folder_is_whole(tmp_path: Path):
    source = tmp_path / "src" / "naf_robot"
    kept = [line for line in _tracked() if not line.startswith(("test/", "docs/", "benchmarks/"))]
    for name in kept:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, source / name)
    colcon = Path(sys.executable).parent / "colcon"
    build = subprocess.run(
        [colcon, "--log-base", tmp_path / "log", "build", "--base-paths", tmp_path / "src",
         "--build-base", tmp_path / "build", "--install-base", tmp_path / "install"],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert build.returncode == 0, build.stdout + build.stderr
    prefix = tmp_path / "install" / "naf_robot"
    assert (prefix / "share" / "ament_index" / "resource_index" / "packages" / "naf_robot").is_file()
    assert (prefix / "lib" / "naf_robot" / "collector").is_file()
    for name in ("package.xml", "urdf/arm7.urdf", "config/tasks/reach.yaml", "launch/train.launch.py"):
        assert (prefix / "share" / "naf_robot" / name).is_file(), name
    (site,) = prefix.glob("lib/python*/site-packages")
    environment = os.environ | {"PYTHONPATH": str(site), "AMENT_PREFIX_PATH": str(prefix)}
    code = "from naf_robot.core.resources import share_directory; print(share_directory())"
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert Path(run.stdout.strip()) == prefix / "share" / "naf_robot"


def _tracked() -> list[str]:
    run = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        pytest.skip("needs a git checkout to know the package's files")
    return [name for name in run.stdout.splitlines() if (ROOT / name).is_file()]
