"""The rooms of the package and who may import whom; the table is that of docs/architecture.md."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "naf_robot"

PURE = ("core", "arm", "sensing", "tasks", "sim", "experience", "learning")
ROOMS = {
    "core": (),
    "arm": ("core",),
    "sensing": ("core", "arm"),
    "tasks": ("core", "arm", "sensing"),
    "sim": ("core", "arm", "sensing", "tasks"),
    "experience": ("core", "sensing", "tasks"),
    "learning": ("core",),
    "run": PURE,
    "collecting": (*PURE, "run"),
    "training": (*PURE, "run"),
    "study": (*PURE, "run"),
    "view": ("core", "arm", "sensing", "tasks", "sim", "experience", "run"),
    "nodes": (*PURE, "run", "collecting", "training", "view"),
    "bringup": ("core", "run"),
}
THIRD_PARTY = {
    "torch": {"learning", "training", "study", "nodes"},
    "rclpy": {"nodes"},
    "std_msgs": {"nodes"},
    "sensor_msgs": {"nodes"},
    "mujoco": {"sim"},
    "gymnasium": {"sim", "run", "study"},
    "pinocchio": {"arm", "sensing"},
    "sqlite3": {"experience"},
    "mcap": {"experience", "nodes"},
    "rosbags": {"experience", "nodes"},
    "pyarrow": {"run"},
    "onnx": {"run"},
    "PIL": {"core"},
    "cv2": {"nodes"},
    "stable_baselines3": {"study"},
    "sb3_contrib": {"study"},
    "sbx": {"study"},
    "launch": {"bringup"},
    "viser": {"view"},
    "trimesh": {"view"},
    "websockets": {"view"},
    "matplotlib": {"run"},
    "jinja2": {"run"},
    "pickle": set(),
    "cloudpickle": set(),
}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE)


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module or "")
    return names


def violations(path: Path, room: str) -> list[str]:
    found = []
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "naf_robot" and len(parts) > 1 and parts[1] != room and parts[1] not in ROOMS[room]:
            found.append(f"{room} imports {name}")
        if parts[0] in THIRD_PARTY and room not in THIRD_PARTY[parts[0]]:
            found.append(f"{room} imports {name}")
    return found


def test_every_folder_is_a_known_room():
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == set(ROOMS)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_module_keeps_to_its_room(path: Path):
    assert violations(path, path.relative_to(PACKAGE).parts[0]) == []


def test_the_module_beside_the_rooms_is_for_users_and_imports_run_alone():
    assert {path.name for path in PACKAGE.glob("*.py")} == {"__init__.py", "gym.py"}
    assert imports(PACKAGE / "gym.py") == {"naf_robot.run.environments"}


def test_the_rule_sees_a_violation(tmp_path: Path):
    path = tmp_path / "bad.py"
    path.write_text("import rclpy\nfrom naf_robot.study.study import evaluate\nimport pickle\n")
    assert len(violations(path, "core")) == 3


def test_only_the_launch_adapter_its_process_and_drivers_import_launch():
    users = [path.name for path in MODULES if any(name.split(".")[0].startswith("launch") for name in imports(path))]
    assert users == ["driver_launch.py", "launch_adapter.py", "launch_process.py"]


@pytest.mark.parametrize(
    ("modules", "banned"),
    [
        ("naf_robot.learning.registry, naf_robot.learning.naf.learner", ("rclpy", "mujoco", "launch")),
        ("naf_robot.bringup.cli, naf_robot.bringup.training", ("torch", "rclpy", "viser")),
        ("naf_robot.view.page, naf_robot.view.stored", ("torch", "rclpy", "mujoco", "matplotlib")),
    ],
)
def test_importing_does_not_load(modules: str, banned: tuple[str, ...]):
    code = f"import sys, {modules}; print([m for m in {banned!r} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.strip() == "[]"
