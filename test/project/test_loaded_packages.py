"""Which large packages each executable loads, directly or through what it imports: a robot's machine lacks some."""

import subprocess
import sys
from pathlib import Path

import pytest

NODES = Path(__file__).resolve().parents[2] / "naf_robot" / "nodes"
LARGE = ("mujoco", "gymnasium", "torch", "matplotlib", "launch", "tensorboard", "cv2")
MAY_LOAD = {  # whatever is not named here loads none of them
    "trainer": {"torch", "matplotlib", "tensorboard"},
}
ROBOTS_OWN = """
import sys
for name in {absent!r}:
    sys.modules[name] = None  # importing it fails
import numpy as np
from naf_robot.arm.projection.projection import SafetyProjection
from naf_robot.collecting.collector import Collector
from naf_robot.core.clock import SteadyClock
from naf_robot.run.config import resolve
from naf_robot.run.contract import contract_of
from naf_robot.run.robot_parts import arm_of, bound_actions, sensor_nodes, tick_assembler
for task in ("reach", "door_pull", "door_real"):
    config = resolve(task)
    robot = next(iter(config.robots))
    model = arm_of(config, robot).model()
    limits = model.limits()
    actions = bound_actions(config, model, limits)
    Collector(config, robot, model, actions, SteadyClock())
    tick_assembler(config, robot, True)
    contract_of(config), sensor_nodes(config, robot)
print("made")
"""


def run(code: str) -> str:
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


@pytest.mark.parametrize("module", sorted(path.stem for path in NODES.glob("*.py") if path.stem != "__init__"))
def test_an_executable_loads_no_more_than_it_may(module: str):
    pytest.importorskip("rclpy", reason="needs rclpy and its messages")
    code = f"import sys, naf_robot.nodes.{module}; print(*[m for m in {LARGE!r} if m in sys.modules])"
    assert set(run(code).split()) <= MAY_LOAD.get(module, set())


def test_the_table_names_executables_that_exist():
    assert all((NODES / f"{name}.py").is_file() for name in MAY_LOAD)


def test_a_robots_machine_needs_no_simulator_no_gymnasium_and_no_torch():
    assert run(ROBOTS_OWN.format(absent=("mujoco", "gymnasium", "torch", "matplotlib", "launch"))) == "made"


def test_the_command_line_loads_neither_torch_nor_ros_nor_a_simulator():
    code = f"import sys, naf_robot.bringup.cli; print(*[m for m in {(*LARGE, 'rclpy')!r} if m in sys.modules])"
    assert run(code) == ""
