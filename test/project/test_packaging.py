"""The package installs as colcon and pip expect, and its files say the same things."""

import ast
import configparser
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path

import pytest
import yaml

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


IMPORTED_AS = {  # import name: name in package.xml, where they differ
    "gymnasium": "python3-gymnasium-pip",
    "matplotlib": "python3-matplotlib",
    "mujoco": "python3-mujoco-pip",
    "numpy": "python3-numpy",
    "torch": "python3-pytorch-pip",
    "tqdm": "python3-tqdm",
    "transforms3d": "python3-transforms3d",
    "yaml": "python3-yaml",
    "PIL": "python3-pil",
    "cv2": "python3-opencv",
    "jinja2": "python3-jinja2",
}
THROUGH_ANOTHER = {  # imported by another package, or by a name that is no import in our code
    "pycollada": "trimesh",
    "tensorboard": "torch",
    "trajectory_msgs": "naf_robot.arm.control.outputs",
}
BY_PIP = {
    "PyYAML": "yaml",
    "pin": "pinocchio",
    "pillow": "PIL",
    "opencv-python-headless": "cv2",
}  # distribution: what is imported


def imported() -> set[str]:
    """What the package's code imports from elsewhere."""
    names: set[str] = set()
    for path in (ROOT / "naf_robot").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - {"naf_robot"}


def test_package_xml_lists_what_the_code_imports_and_nothing_else():
    text = (ROOT / "package.xml").read_text(encoding="utf-8")
    listed = {element.text for element in ElementTree.fromstring(text).iter("exec_depend")}
    by_pip = re.search(r"<!-- Without a rosdep key that is new enough, to be installed by pip: (.*?) -->", text)
    assert by_pip is not None
    needed = {IMPORTED_AS.get(name, name) for name in imported()} | set(THROUGH_ANOTHER)
    assert listed | set(by_pip.group(1).split()) == needed


def requirements(*groups: str) -> set[str]:
    """Names that setup.py gives to pip: those of the package, or of extras."""
    code = "import json, setuptools; setuptools.setup = lambda **k: print(json.dumps([k['install_requires'], "
    code += "k['extras_require']])); exec(open('setup.py').read())"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    own, extras = json.loads(run.stdout)
    lines = [line for group in groups for line in extras[group]] if groups else own
    return {re.split(r"[\[<>=!~; ]", line)[0] for line in lines}


def test_setup_py_requires_what_the_code_imports_and_nothing_else():
    ros = {name.removeprefix("ros-").replace("-", "_") for name in requirements("ros")}
    own = {BY_PIP.get(name, name) for name in requirements() | requirements("sim", "view", "bags", "camera", "export")}
    assert own | ros | {"launch", "launch_ros", "coal"} == imported() | set(THROUGH_ANOTHER)  # coal comes with pin


def test_supported_pythons_are_the_same_everywhere():
    versions = re.search(r"PYTHONS = (\(.*?\))", SETUP)
    assert versions is not None
    pythons = ast.literal_eval(versions.group(1))
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    assert tuple(workflow["jobs"]["test"]["strategy"]["matrix"]["python"]) == pythons
    tools = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lowest = pythons[0]
    assert f'python_requires=">={lowest}"' in SETUP
    assert f'target-version = "py{lowest.replace(".", "")}"' in tools
    assert f'python_version = "{lowest}"' in tools


def shared() -> list[str]:
    """The files of the shared folders."""
    tops = ("config/", "launch/", "urdf/", "rviz/")
    return ["package.xml", *(name for name in _tracked() if name.startswith(tops))]


def copy_source(folder: Path) -> None:
    """The tracked files that make up the package."""
    for name in _tracked():
        if not name.startswith(("test/", "docs/", "benchmarks/")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("setuptools")
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    copy_source(source)
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--quiet"]
    command = [sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", out, source]
    run = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    (made,) = out.glob("*.whl")
    return made


def test_a_wheel_has_every_shared_file_and_one_command(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (entry_points,) = [name for name in names if name.endswith("entry_points.txt")]
        commands = configparser.ConfigParser()
        commands.read_string(archive.read(entry_points).decode())
    prefix = f"naf_robot-{__version__}.data/data/share/naf_robot"
    assert {name.removeprefix(f"{prefix}/") for name in names if name.startswith(prefix)} == set(shared())
    assert list(commands["console_scripts"]) == ["naf-robot"]


def test_a_target_folder_works_without_a_prefix(wheel: Path, tmp_path: Path):
    target = tmp_path / "target"
    options = ["--no-deps", "--no-index", "--disable-pip-version-check", "--quiet", "--target", target]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, wheel], check=True, timeout=60)
    code = (
        "import naf_robot, sys; from naf_robot.core.resources import find; print(naf_robot.__file__);"
        "[print(find(name)) for name in sys.argv[1:]]"
    )
    environment = os.environ | {"PYTHONPATH": str(target)}
    command = [sys.executable, "-c", code, *shared()]
    run = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert all(Path(line).is_relative_to(target) for line in run.stdout.splitlines())


def test_shared_files_are_found_and_a_missing_one_is_said():
    assert share_directory() == ROOT
    assert find("urdf/arm7.urdf").is_file()
    with pytest.raises(NafRobotError, match=r"'urdf/none\.urdf' not found below"):
        find("urdf/none.urdf")


@pytest.mark.timeout(300)
@pytest.mark.skipif(shutil.which("colcon", path=str(Path(sys.executable).parent)) is None, reason="needs colcon")
def test_colcon_builds_it_and_the_share_folder_is_whole(tmp_path: Path):
    copy_source(tmp_path / "src" / "naf_robot")
    colcon = Path(sys.executable).parent / "colcon"
    build = subprocess.run(
        [colcon, "--log-base", tmp_path / "log", "build", "--base-paths", tmp_path / "src",
         "--build-base", tmp_path / "build", "--install-base", tmp_path / "install"],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert build.returncode == 0, build.stdout + build.stderr
    prefix = tmp_path / "install" / "naf_robot"
    assert (prefix / "share" / "ament_index" / "resource_index" / "packages" / "naf_robot").is_file()
    nodes = {path.stem for path in (ROOT / "naf_robot" / "nodes").glob("*.py") if "def main()" in path.read_text()}
    scripts = {path.name: path for path in (prefix / "lib" / "naf_robot").iterdir()}
    assert set(scripts) == nodes | {"naf-robot"}
    assert all(os.access(path, os.X_OK) for path in scripts.values())
    for name in shared():
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


def test_no_requirement_is_under_a_copyleft_licence():
    """The package is Apache-2.0; what it imports must not ask for more."""
    required = re.findall(r'^ {8}"([A-Za-z0-9_.-]+)>=', SETUP.split("install_requires")[1], re.MULTILINE)
    assert len(required) > 5
    for name in required:
        try:
            metadata = importlib.metadata.metadata(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # not installed here, so nothing of it is known
        fields = [metadata.get("License-Expression") or metadata.get("License") or ""]
        fields += [line for line in metadata.get_all("Classifier") or () if line.startswith("License")]
        stated = " ".join(line.splitlines()[0] for line in fields if line)
        assert not re.search(r"(?<!L)GPL|(?<!Lesser )General Public", stated), f"{name}: {stated}"
