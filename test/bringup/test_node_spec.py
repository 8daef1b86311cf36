"""What a spec says is what a process gets: command lines, exact parameter values, foreign nodes."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from naf_robot.bringup.environment import local_environment
from naf_robot.bringup.node_spec import NodeSpec, check_executables, yaml_text
from naf_robot.bringup.runner import ProcessRunner
from naf_robot.bringup.system import RobotNodes, training_system
from naf_robot.core.errors import ConfigError

READER = """
import json, sys
import rclpy
rclpy.init(args=sys.argv)
node = rclpy.create_node("unnamed", automatically_declare_parameters_from_overrides=True)
values = {name: [list(p.value) if p.type_.name.endswith("ARRAY") else p.value, p.type_.name]
          for name, p in node.get_parameters_by_prefix("").items()}
print(json.dumps({"name": node.get_fully_qualified_name(), "values": values}))
rclpy.shutdown()
"""
TEXTS = (
    "y",
    "no",
    "nan",
    "null",
    "~",
    "1",
    "1e3",
    "0x10",
    "",
    " ",
    "run #3",
    "run: second",
    "it's",
    'a "b" \\ c',
    "é:=[",
)


def foreign(tmp_path: Path, source: str, name: str = "talker") -> NodeSpec:
    """A node of package `other` with a prefix of its own, as colcon would install it."""
    path = tmp_path / "prefix" / "lib" / "other" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{sys.executable}\n{source}")
    path.chmod(0o755)
    return NodeSpec("speaker", package="other", executable=name, namespace="left")


def test_a_rclpy_node_reads_exactly_the_values_of_the_spec():
    pytest.importorskip("rclpy", reason="needs rclpy and its messages")
    values = {f"text_{index}": text for index, text in enumerate(TEXTS)}
    given = values | {"whole": 3, "tiny": 1e-7, "large": 1e20, "one": 1.0, "truth": True, "names": ("no", "b")}
    spec = NodeSpec("reader", "reader", namespace="no", parameters=given, extra_arguments=("extra",))
    command = [sys.executable, "-c", READER, *spec.arguments()[2:]]
    run = subprocess.run(command, env=local_environment(), capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    read = json.loads(run.stdout)
    assert read["name"] == "/no/reader"
    for name, value in given.items():
        assert read["values"][name][0] == (list(value) if isinstance(value, tuple) else value), name
    kinds = {name: kind for name, (_, kind) in read["values"].items()}
    assert (kinds["one"], kinds["tiny"], kinds["whole"], kinds["truth"]) == ("DOUBLE", "DOUBLE", "INTEGER", "BOOL")


def test_numbers_that_are_not_finite_are_written_as_yaml_has_them():
    assert [yaml_text(float(word)) for word in ("inf", "-inf", "nan")] == [".inf", "-.inf", ".nan"]


def test_a_foreign_node_is_an_executable_below_a_ros_prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    spec = replace(
        foreign(tmp_path, "pass"),
        parameters={"rate": 2.0},
        remappings={"chatter": "words"},
        extra_arguments=("--once",),
        parameter_files=("/etc/talker.yaml",),
        enclave="/left/speaker",
    )
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"/opt/none{os.pathsep}{tmp_path / 'prefix'}")
    path = str(tmp_path / "prefix" / "lib" / "other" / "talker")
    assert spec.command() == [
        path, "--once", "--ros-args", "-r", "__node:=speaker", "-r", "__ns:=/left", "--enclave", "/left/speaker",
        "--params-file", "/etc/talker.yaml", "-p", "rate:=2.0", "-r", "chatter:=words",
    ]  # fmt: skip


def test_the_runner_starts_a_foreign_node_and_refuses_one_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    said, outcome = tmp_path / "said", tmp_path / "outcome"
    source = (
        "import signal, sys, time\nasked = []\nsignal.signal(signal.SIGINT, lambda *_: asked.append(1))\n"
        f"open({str(said)!r}, 'w').write(' '.join(sys.argv[1:]))\nopen({str(outcome)!r}, 'w').close()\n"
        "while not asked: time.sleep(0.01)"
    )
    spec = replace(foreign(tmp_path, source), decides=True)
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path / "prefix"))
    assert ProcessRunner([spec], tmp_path / "log", outcome, local_environment()).run() == 0
    assert said.read_text() == "--ros-args -r __node:=speaker -r __ns:=/left"
    said.unlink()
    outcome.unlink()
    other = replace(spec, name="listener", executable="listener")
    sentence = (
        r"system 'robot' cannot start here: node 'left/listener' needs a ROS installation: executable 'listener' of "
        r"package 'other' is below no prefix of AMENT_PREFIX_PATH="
    )
    with pytest.raises(ConfigError, match=sentence):
        ProcessRunner([spec, other], tmp_path / "log", outcome, local_environment(), "robot").run()
    assert not said.exists(), "the first of them was not started either"
    with pytest.raises(ConfigError, match="needs a ROS installation"):
        check_executables([other], "robot")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "'node' needs either a Python module or a package and its executable"),
        ({"module": "a", "package": "b", "executable": "c"}, "needs either a Python module or a package"),
        ({"package": "b"}, "needs either a Python module or a package and its executable"),
        ({"module": "a", "namespace": "left arm"}, "'left arm' is no ROS name"),
        ({"module": "a", "namespace": "a__b"}, "'a__b' is no ROS name"),
    ],
)
def test_a_spec_that_says_nothing_that_can_be_started_is_refused(fields: dict, text: str):
    with pytest.raises(ConfigError, match=text):
        NodeSpec("node", **fields)


def test_every_process_of_the_system_has_the_enclave_of_its_name(tmp_path: Path):
    for spec in training_system(tmp_path / "config.yaml", RobotNodes(("left", "right"), sensor_nodes=("door_sensor",))):
        arguments = spec.arguments()
        assert arguments[arguments.index("--enclave") + 1] == f"/{spec.label}"
        assert arguments.index("--enclave") > arguments.index("--ros-args")
