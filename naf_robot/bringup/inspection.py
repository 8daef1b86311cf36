"""What shows running robots in RViz: their models, frames and scenes beside the system that moves them."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from naf_robot.bringup.node_spec import NodeSpec, ParameterValue, find_executable
from naf_robot.bringup.options import Option, SystemOptions, boolean, given_layers
from naf_robot.bringup.rviz_config import rviz_config
from naf_robot.bringup.system import on_clock_of
from naf_robot.core import run_files
from naf_robot.core.errors import ConfigError, RunFolderError
from naf_robot.core.resources import expanded, find
from naf_robot.core.yaml_text import to_yaml
from naf_robot.run.config import RunConfig, compose_run, load, parse_robots, save
from naf_robot.run.folder_system import ROBOT, system_of
from naf_robot.run.frames import WORLD, frame_of, frame_prefix
from naf_robot.run.viewing import for_viewers

RVIZ = "rviz2"
VIEWER_S = 2.0  # for the end of a viewer, which nothing waits for
INSPECT_OPTIONS = (
    Option("run_dir", "", "run folder whose robots are shown", "robots as the options below describe them"),
    Option("robots", "", "names of robots separated by commas, or how many", "all of the run folder, otherwise 2"),
    Option("robot", "", "without a run folder: profile of every robot", "arm7"),
    Option("task", "", "without a run folder: the task, whose scene is drawn", "reach"),
    Option("simulated", "", "without a run folder: false for real arms, whose time is wall time", "true"),
    Option("config", "", "without a run folder: YAML file over the task's own values", "none"),
    Option("settings", "", "without a run folder: single values such as robots.left.base_pose=[0,1,0,0,0,0]", "none"),
    Option("rviz", "", "true: start RViz; false: only models, frames and markers, for another viewer", "true"),
    Option("rviz_config", "", "file of RViz's configuration", "config/naf_robot.rviz, made for these robots"),
)
COMPOSED = ("robot", "task", "simulated", "config", "settings")


@dataclass(frozen=True)
class Inspection:
    """The processes that show robots, and the folder with what they read: it is removed with this record."""

    config: RunConfig
    specs: list[NodeSpec]
    folder: "tempfile.TemporaryDirectory[str]"
    run_dir: Path | None  # of the run whose robots they are


def prepare_inspection(given: Mapping[str, str | None]) -> Inspection:
    """Check everything, then write what the processes read to a temporary folder.

    Raises:
        NafRobotError: a robot or run that is not there, a wrong option, or a program that is not on this machine.
    """
    config, file = _configured(given)
    with_rviz = boolean(given.get("rviz") or "true", "rviz")
    if with_rviz:
        _require(RVIZ, RVIZ, f"ros-{_distribution()}-rviz2", " or give rviz:=false")
    _require("robot_state_publisher", "robot_state_publisher", f"ros-{_distribution()}-robot-state-publisher")
    _require("tf2_ros", "static_transform_publisher", f"ros-{_distribution()}-tf2-ros")
    users = given.get("rviz_config")
    layout = find(expanded(users).resolve()) if users else None
    described = {robot: own.arm.description() for robot, own in config.robots.items()}
    folder = tempfile.TemporaryDirectory(prefix="naf_robot_inspect_")
    place = Path(folder.name)
    run_dir = file.parent if file is not None else None
    if file is None:
        file = place / run_files.CONFIG
        save(config, file)
    specs = []
    for robot, description in described.items():
        model = place / f"{robot}.yaml"
        values = {"robot_description": for_viewers(description), "frame_prefix": frame_prefix(robot)}
        model.write_text(to_yaml({"/**": {"ros__parameters": values}}), encoding="utf-8")
        specs += _robot_specs(config, robot, file, model, frame_of(robot, description.root))
    if with_rviz:
        if layout is None:
            layout = place / "naf_robot.rviz"
            layout.write_text(rviz_config(tuple(config.robots)), encoding="utf-8")
        specs.append(
            NodeSpec(
                "rviz",
                package=RVIZ,
                executable=RVIZ,
                extra_arguments=("-d", str(layout)),
                parameters={"use_sim_time": config.simulated_time},
                stop_within_s=VIEWER_S,
            )
        )
    if config.simulated and run_dir is not None and system_of(run_dir) == ROBOT:
        specs = on_clock_of(next(iter(load(file).robots)), specs)
    return Inspection(config, specs, folder, run_dir)


def _configured(given: Mapping[str, str | None]) -> tuple[RunConfig, Path | None]:
    """The configuration of the robots that are shown, and its file where there is one."""
    names = given.get("robots")
    if not given.get("run_dir"):
        options = {name: given.get(name) for name in (*COMPOSED, "robots")}
        return compose_run(given_layers(SystemOptions(**options))).config, None
    for name in COMPOSED:
        if given.get(name):
            raise ConfigError(f"{name} describes robots without a run folder; those of run_dir have what is in it")
    file = expanded(str(given["run_dir"])).resolve() / run_files.CONFIG
    if not file.is_file():
        raise RunFolderError(f"{str(file.parent)!r} is not a run folder: it has no {run_files.CONFIG}")
    config = load(file)
    return (config.with_robots(*parse_robots(names)) if names else config), file


def _robot_specs(config: RunConfig, robot: str, file: Path, model: Path, base: str) -> list[NodeSpec]:
    """What shows one robot: the model's frames out of joint states, its place in the world, and the scene."""
    own = config.robot(robot)
    clock: dict[str, ParameterValue] = {"use_sim_time": config.simulated_time}
    place = dict(zip(("x", "y", "z", "roll", "pitch", "yaw"), map(str, own.base_pose), strict=True))
    place |= {"frame-id": WORLD, "child-frame-id": base}
    states = own.joint_states_topic
    return [
        NodeSpec(
            "robot_state_publisher",
            namespace=robot,
            package="robot_state_publisher",
            executable="robot_state_publisher",
            parameter_files=(str(model),),
            parameters=dict(clock),
            remappings={} if states == "joint_states" else {"joint_states": states},
            stop_within_s=VIEWER_S,
        ),
        NodeSpec(
            "base_in_world",
            namespace=robot,
            package="tf2_ros",
            executable="static_transform_publisher",
            extra_arguments=tuple(word for name, value in place.items() for word in (f"--{name}", value)),
            stop_within_s=VIEWER_S,
        ),
        NodeSpec(
            "scene_markers",
            "naf_robot.nodes.scene_markers",
            robot,
            clock | {"config": str(file), "robot": robot},
            stop_within_s=VIEWER_S,
        ),
    ]


def _require(package: str, executable: str, debian: str, otherwise: str = "") -> None:
    """Make sure that a program of ROS is on this machine.

    Raises:
        ConfigError: naming the Debian package that has it.
    """
    if find_executable(package, executable, os.environ) is None:
        raise ConfigError(
            f"inspect needs {executable!r} of the ROS package {package!r}, which is below no prefix of "
            f"AMENT_PREFIX_PATH: install the Debian package {debian}, source ROS 2's setup.bash{otherwise}"
        )


def _distribution() -> str:
    return os.environ.get("ROS_DISTRO") or "jazzy"
