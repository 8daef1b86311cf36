"""Under launch the processes of every system are those of the process runner. Needs `launch`."""

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("launch_ros", reason="launch is in no package registry; it comes with a ROS installation")

from gazebo import gazebo_prefix
from launch import LaunchContext
from launch_ros.actions import SetParameter, SetRemap
from launched_commands import launched, read_command

from naf_robot.bringup.gazebo_system import gazebo_system
from naf_robot.bringup.launch_process import NodeProcess
from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.bringup.system import RobotNodes, offline_system, robot_machine_system, trainer_system, training_system
from naf_robot.run.config import resolve
from naf_robot.run.gazebo.files import GazeboFiles

CONFIG = Path("/a folder/run #1/config.yaml")
RICH = NodeSpec(
    "rich",
    "naf_robot.nodes.collector",
    "cell/left",
    parameters={"text": "no", "number": 1, "real": 1e-7, "flag": False, "several": ("a", "off"), "empty": ""},
    remappings={"joint_states": "/other/joint_states", "a": "b"},
    extra_arguments=("--fast", "two words"),
    parameter_files=("/a folder/one.yaml", "/two.yaml"),
    enclave="/left/rich",
)
SYSTEMS = {
    "train": training_system(CONFIG, RobotNodes(("left", "right"), sensor_nodes=("door_sensor",))),
    "train on real arms": training_system(CONFIG, RobotNodes(("left", "right"), simulated=False)),
    "trainer": trainer_system(CONFIG),
    "from stored steps": offline_system(CONFIG),
    "robot": robot_machine_system(CONFIG, RobotNodes(("left", "right"), sensor_nodes=("door_sensor",))),
    "robot on real arms": robot_machine_system(CONFIG, RobotNodes(("left",), simulated=False)),
    "with every field": [RICH, replace(RICH, namespace="", enclave="", remappings={}, parameters={})],
}


@pytest.mark.parametrize("system", SYSTEMS)
def test_launch_and_runner_say_the_same_to_every_node(monkeypatch: pytest.MonkeyPatch, system: str, tmp_path: Path):
    files = {path: tmp_path / Path(path).name for path in RICH.parameter_files}
    for file in files.values():
        file.write_text("/**: {ros__parameters: {}}")
    specs = [
        replace(spec, parameter_files=tuple(str(files[path]) for path in spec.parameter_files))
        for spec in SYSTEMS[system]
    ]
    commands = launched(monkeypatch, LaunchContext(), [NodeProcess(spec, {}) for spec in specs])
    assert commands == [read_command(spec.command()) for spec in specs]


def test_gazebo_and_what_belongs_to_it_are_started_alike(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(gazebo_prefix(tmp_path)))
    place = {"left": {"base_pose": [0, 1, 0, 0, 0, -0.5]}}
    config = resolve("reach", overrides=[{"backend": "ros2_control", "simulated_time": True, "robots": place}])
    GazeboFiles.of(config, tmp_path).write(tmp_path)
    specs = gazebo_system(config, tmp_path, tmp_path / "gz_sim.launch.py", gui=False)
    commands = launched(monkeypatch, LaunchContext(), [NodeProcess(spec, {}) for spec in specs])
    assert commands == [read_command(spec.command()) for spec in specs]
    assert [command.node for command in commands[2:]] == ["robot_state_publisher", "model", "controllers"]
    assert commands[3].program[-4:] == ["-P", "0.0", "-Y", "-0.5"]


def test_what_a_user_sets_for_all_nodes_reaches_ours_but_does_not_overrule_them(monkeypatch: pytest.MonkeyPatch):
    context = LaunchContext()
    SetRemap("joint_states", "/driver/joint_states").execute(context)
    SetParameter("use_sim_time", True).execute(context)
    SetParameter("executor", "single_threaded").execute(context)
    real = training_system(CONFIG, RobotNodes(("left",), simulated=False))
    commands = launched(monkeypatch, context, [NodeProcess(spec, {}) for spec in real])
    for command, spec in zip(commands, real, strict=True):
        assert command.remappings == [("joint_states", "/driver/joint_states")]
        assert command.parameters == {"use_sim_time": True, "executor": "single_threaded"} | spec.parameters
    assert commands[0].parameters["use_sim_time"] is False
