"""The launch adapter starts what the process runner starts; runs where `launch` is installed."""

import ast
from pathlib import Path

import pytest

pytest.importorskip("launch", reason="launch is in no package registry; it comes with a ROS installation")
if not hasattr(__import__("launch"), "LaunchDescription"):
    pytest.skip("launch is in no package registry; it comes with a ROS installation", allow_module_level=True)

from launch import LaunchContext
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.utilities import perform_substitutions
from launch_ros.actions import Node, PushROSNamespace
from stored_run import make_stored_run

from naf_robot.bringup import launch_adapter
from naf_robot.bringup.launch_adapter import simulation_environment, system_launch_description
from naf_robot.bringup.launch_process import NodeProcess
from naf_robot.bringup.options import options
from naf_robot.core.errors import ConfigError
from naf_robot.core.resources import SOURCE_ROOT
from naf_robot.run.config import load
from naf_robot.run.folder_system import SYSTEMS
from naf_robot.tasks.registry import TASKS


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_option_is_a_launch_argument_that_says_what_it_is(system: str):
    entities = system_launch_description(system).entities
    arguments = {entity.name: entity for entity in entities if isinstance(entity, DeclareLaunchArgument)}
    assert set(arguments) == {each.name for each in options(system)}
    for each in options(system):
        argument = arguments[each.name]
        assert argument.description.startswith(f"{each.help}; if empty: {each.default}")
        assert [part.text for part in argument.default_value] == [""]
    assert arguments["task"].choices == ["", *TASKS]


def test_a_namespace_around_a_system_is_refused_in_one_sentence(tmp_path: Path):
    context = arguments(run_dir=str(tmp_path / "run"), robots="left")
    PushROSNamespace("cell").execute(context)
    (start,) = [e for e in system_launch_description("train").entities if isinstance(e, OpaqueFunction)]
    with pytest.raises(ConfigError, match=r"cannot be put into namespace '/cell'.*such as robots:=cell_left"):
        start.execute(context)
    assert not (tmp_path / "run").exists()


def test_simulations_of_one_launch_have_domains_of_their_own(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(launch_adapter, "DOMAINS", {})
    monkeypatch.delenv("ROS_DOMAIN_ID", raising=False)
    first = simulation_environment()["ROS_DOMAIN_ID"]
    second = simulation_environment()["ROS_DOMAIN_ID"]  # the scope of the first one was left
    monkeypatch.setenv("ROS_DOMAIN_ID", second)  # as what follows the second one in its scope has it
    third = simulation_environment()["ROS_DOMAIN_ID"]
    assert len({first, second, third}) == 3
    monkeypatch.setenv("ROS_DOMAIN_ID", "150")  # beyond those that are chosen
    assert simulation_environment()["ROS_DOMAIN_ID"] == "150"
    with pytest.raises(ConfigError, match="ROS domain 150 has a simulation of this launch already"):
        simulation_environment()


def test_the_description_prepares_a_run_and_lists_its_processes(tmp_path: Path):
    context = LaunchContext()
    context.launch_configurations.update({each.name: "" for each in options()})
    mine = tmp_path / "mine.yaml"
    mine.write_text("seed: 6\nmax_episodes: 9\n")
    settings = "task.target_centre=[0.5, 0.0, 0.4] collector.exploration.kind=white"
    context.launch_configurations.update({"run_dir": str(tmp_path / "run #1"), "robots": "left"})
    context.launch_configurations.update({"config": str(mine), "max_episodes": "400", "settings": settings})
    (start,) = [e for e in system_launch_description("train").entities if isinstance(e, OpaqueFunction)]
    actions = start.execute(context)
    assert len([action for action in actions if isinstance(action, Node)]) == 4
    config = load(tmp_path / "run #1" / "config.yaml")
    assert (config.seed, config.max_episodes) == (6, 400)
    assert config.make_task().config.target_centre == (0.5, 0.0, 0.4)
    assert config.collector.exploration.kind == "white"


@pytest.mark.parametrize("system", ["train", "trainer"])
def test_stored_steps_are_learned_from_by_one_process_without_a_simulation(tmp_path: Path, monkeypatch, system: str):
    monkeypatch.delenv("ROS_DOMAIN_ID", raising=False)
    monkeypatch.delenv("ROS_AUTOMATIC_DISCOVERY_RANGE", raising=False)
    make_stored_run(tmp_path / "a")
    make_stored_run(tmp_path / "b")
    context = LaunchContext()
    given = {"offline": f"{tmp_path / 'a'}, {tmp_path / 'b'}", "run_dir": str(tmp_path / "run")}
    context.launch_configurations.update({each.name: "" for each in options(system)} | given)
    (start,) = [e for e in system_launch_description(system).entities if isinstance(e, OpaqueFunction)]
    actions = start.execute(context)
    (process,) = [action.spec for action in actions if isinstance(action, NodeProcess)]
    assert process.command()[1:4] == ["-m", "naf_robot.bringup.offline_process", str(tmp_path / "run" / "config.yaml")]
    assert not [action for action in actions if isinstance(action, SetEnvironmentVariable)]
    filled = load(tmp_path / "run" / "config.yaml").trainer.filled.folders
    assert filled == {"offline": (str(tmp_path / "a"), str(tmp_path / "b"))}


def arguments(**given: str) -> LaunchContext:
    context = LaunchContext()
    context.launch_configurations.update({each.name: "" for each in options()} | given)
    return context


@pytest.mark.parametrize(("text", "private"), [("yes", True), ("off", False)])
def test_a_domain_of_its_own_is_for_simulation_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, private: bool
):
    monkeypatch.delenv("ROS_DOMAIN_ID", raising=False)
    monkeypatch.delenv("ROS_AUTOMATIC_DISCOVERY_RANGE", raising=False)
    (start,) = [e for e in system_launch_description("train").entities if isinstance(e, OpaqueFunction)]
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
    of_launch = {name for kind in Node.__mro__ for name in vars(kind)}
    assert not private & of_launch
