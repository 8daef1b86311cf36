"""The launch adapter starts what the process runner starts; runs where `launch` is installed."""

import ast
from pathlib import Path

import pytest

pytest.importorskip("launch", reason="launch is in no package registry; it comes with a ROS installation")
if not hasattr(__import__("launch"), "LaunchDescription"):
    pytest.skip("launch is in no package registry; it comes with a ROS installation", allow_module_level=True)

from launch import LaunchContext
from launch.actions import DeclareLaunchArgument, ExecuteProcess, OpaqueFunction, SetEnvironmentVariable
from launch.utilities import perform_substitutions

from naf_robot.bringup.launch_adapter import parse_argument, training_launch_description
from naf_robot.bringup.launch_process import NodeProcess
from naf_robot.bringup.system import training_system
from naf_robot.bringup.training import option_fields
from naf_robot.core.errors import ConfigError
from naf_robot.core.resources import SOURCE_ROOT


def test_launch_and_runner_have_the_same_command_lines(tmp_path: Path):
    context = LaunchContext()
    for spec in training_system(tmp_path / "config.yaml", ("left", "right")):
        process = NodeProcess(spec)
        words = [perform_substitutions(context, word) for word in process.cmd]
        assert words == spec.command()


def test_every_option_is_a_launch_argument():
    description = training_launch_description()
    arguments = {entity.name for entity in description.entities if isinstance(entity, DeclareLaunchArgument)}
    assert arguments == {name for name, *_ in option_fields()}


def test_the_description_prepares_a_run_and_lists_its_processes(tmp_path: Path):
    context = LaunchContext()
    context.launch_configurations.update({name: str(default) for name, _, default, _ in option_fields()})
    context.launch_configurations.update({"run_dir": str(tmp_path / "run"), "robots": "left"})
    (start,) = [e for e in training_launch_description().entities if isinstance(e, OpaqueFunction)]
    actions = start.execute(context)
    names = [action.name for action in actions if isinstance(action, ExecuteProcess)]
    assert len(names) == 4
    assert (tmp_path / "run" / "config.yaml").is_file()


def arguments(**given: str) -> LaunchContext:
    context = LaunchContext()
    context.launch_configurations.update({name: str(default) for name, _, default, _ in option_fields()})
    context.launch_configurations.update(given)
    return context


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("YES", True),
        ("On", True),
        ("1", True),
        ("False", False),
        ("no", False),
        ("OFF", False),
        ("0", False),
    ],
)
def test_booleans_are_read_in_all_their_forms(text: str, value: bool):
    assert parse_argument("simulated", text, bool) is value


@pytest.mark.parametrize(
    ("name", "text", "kind", "sentence"),
    [
        ("simulated", "maybe", bool, "'simulated' must be one of true, yes, on, 1, false, no, off, 0; got 'maybe'"),
        ("simulated", "", bool, "'simulated' must be one of true"),
        ("seed", "1e3", int, "'seed' must be a whole number, got '1e3'"),
        ("target_success", "all", float, "'target_success' must be a number, got 'all'"),
    ],
)
def test_another_text_is_refused_in_one_sentence(name: str, text: str, kind: type, sentence: str):
    with pytest.raises(ConfigError, match=sentence):
        parse_argument(name, text, kind)


@pytest.mark.parametrize(("text", "private"), [("yes", True), ("off", False)])
def test_a_domain_of_its_own_is_for_simulation_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, private: bool
):
    monkeypatch.delenv("ROS_DOMAIN_ID", raising=False)
    monkeypatch.delenv("ROS_AUTOMATIC_DISCOVERY_RANGE", raising=False)
    (start,) = [e for e in training_launch_description().entities if isinstance(e, OpaqueFunction)]
    actions = start.execute(arguments(run_dir=str(tmp_path / "run"), robots="left", simulated=text))
    context = LaunchContext()
    names = {perform_substitutions(context, a.name) for a in actions if isinstance(a, SetEnvironmentVariable)}
    assert ("ROS_DOMAIN_ID" in names) == ("ROS_AUTOMATIC_DISCOVERY_RANGE" in names) == private
    processes = [action.spec.name for action in actions if isinstance(action, NodeProcess)]
    assert ("simulator" in processes) == private


def test_no_private_name_of_launch_is_used():
    source = (SOURCE_ROOT / "naf_robot" / "bringup" / "launch_process.py").read_text(encoding="utf-8")
    used = {node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)}
    defined = {n.name for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef)}
    private = {name for name in used | defined if name.startswith("_") and not name.startswith("__")}
    of_launch = {name for kind in ExecuteProcess.__mro__ for name in vars(kind)}
    assert not private & of_launch
