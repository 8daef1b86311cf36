"""What is registered from outside is known in every process of a run, by entry point or by environment variable."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = """
from pathlib import Path
from naf_robot.core.resources import share_directory
from naf_robot.tasks.reach import Reach, ReachConfig
from naf_robot.tasks.registry import TaskEntry, register
from naf_robot.sensing.registry import SENSORS, SensorEntry
from naf_robot.sensing.registry import register as register_sensor

class Near(Reach):
    name = "near"

register("near", TaskEntry(ReachConfig, Near, "outside/Near-v0", share_directory() / "config" / "tasks" / "reach.yaml"))
register_sensor("second_camera", SENSORS["camera"])
"""


@pytest.fixture
def environment(tmp_path: Path):
    (tmp_path / "my_robots.py").write_text(PLUGIN)
    paths = [str(tmp_path), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths)}


def run(code: str, environment: dict[str, str]) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, env=environment)


MAKE = "import gymnasium, naf_robot.gym; print(gymnasium.make('outside/Near-v0').reset(seed=0)[0].shape)"
LOOK_UP = "from naf_robot.run.config import resolve; print(resolve('near').task_name)"


@pytest.mark.parametrize(("code", "said"), [(MAKE, "(20,)"), (LOOK_UP, "near")])
def test_by_environment_variable(environment, code, said):
    made = run(code, environment | {"NAF_ROBOT_PLUGINS": "my_robots"})
    assert made.stdout.strip() == said, made.stderr


def test_by_entry_point(environment, tmp_path):
    metadata = tmp_path / "my_robots-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: my_robots\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[naf_robot.plugins]\nrobots = my_robots\n")
    made = run(LOOK_UP, environment)
    assert made.stdout.strip() == "near", made.stderr


def test_a_plugin_that_cannot_be_imported_is_named(environment):
    code = "from naf_robot.bringup.cli import main; import sys; sys.exit(main(['train', '--task', 'near']))"
    made = run(code, environment | {"NAF_ROBOT_PLUGINS": "no_such_plugin"})
    assert made.returncode == 2
    assert "plugin 'no_such_plugin'" in made.stderr
    assert "No module named 'no_such_plugin'" in made.stderr
    assert "Traceback" not in made.stderr


def test_a_node_knows_it_too(environment, tmp_path, monkeypatch):
    pytest.importorskip("rclpy", reason="needs rclpy and its messages")
    from graph import graph
    from sensor_msgs.msg import JointState

    from naf_robot.bringup.node_spec import NodeSpec
    from naf_robot.nodes.qos import SENSOR

    variables = environment | {"NAF_ROBOT_PLUGINS": "my_robots"}
    path = tmp_path / "config.yaml"
    code = f"import pathlib; from naf_robot.run.config import *; save(resolve('near'), pathlib.Path({str(path)!r}))"
    assert run(code, variables).returncode == 0
    monkeypatch.setenv("NAF_ROBOT_PLUGINS", "my_robots")
    monkeypatch.setenv("PYTHONPATH", variables["PYTHONPATH"])
    with graph() as g:
        states: list[JointState] = []
        g.node.create_subscription(JointState, "/robot_1/joint_states", states.append, SENSOR)
        spec = NodeSpec("simulator", "naf_robot.nodes.simulator", parameters={"config": str(path)})
        g.start(spec, tmp_path / "log")
        g.wait_for(lambda: states, 60.0, "the simulator runs the task of the plugin")
