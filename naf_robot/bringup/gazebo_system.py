"""Gazebo as a process of its own with ros2_control in it: the processes that are started beside our nodes."""

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from naf_robot.bringup.gazebo_packages import check_gazebo
from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.bringup.real_system import DRIVER_S
from naf_robot.bringup.system import STOP_ARM
from naf_robot.bringup.training import PreparedRun
from naf_robot.core import run_files
from naf_robot.core.resources import SOURCE_ROOT
from naf_robot.run.config import RunConfig
from naf_robot.run.gazebo.controllers import BROADCASTER, MANAGER, controller_name
from naf_robot.run.gazebo.files import GazeboFiles
from naf_robot.run.gazebo.world import WORLD
from naf_robot.run.robot import RobotConfig

SPAWNER_TIMEOUT_S = 120  # of waiting for the controller manager, which is there when Gazebo has the model
PASSING_ON_S = 2.0  # for the end of what only passes messages on


def in_gazebo(config: RunConfig) -> bool:
    """Whether the robots of `config` are behind ros2_control in a simulator that sets the clock."""
    return config.simulated_time and not config.simulated


def with_gazebo(run: PreparedRun, gui: bool = False) -> PreparedRun:
    """`run` with what Gazebo needs in its folder, and its processes before ours.

    Raises:
        NafRobotError: as `check_gazebo` and `GazeboFiles.of`, which are to be asked before there is a folder.
    """
    server = check_gazebo(run.config)
    GazeboFiles.of(run.config, run.run_dir).write(run.run_dir)
    return replace(run, specs=[*gazebo_system(run.config, run.run_dir, server, gui), *run.specs])


def gazebo_system(config: RunConfig, run_dir: Path, server: Path, gui: bool) -> list[NodeSpec]:
    """Gazebo by the launch file `server`, the bridge, and for each robot its description, model and controllers."""
    folder = run_dir / run_files.GAZEBO
    arguments = f"{'' if gui else '-s '}-r -v 1 {folder / run_files.GAZEBO_WORLD}"
    gazebo = NodeSpec(
        "gazebo",
        "naf_robot.bringup.driver_launch",
        stop_order=STOP_ARM,
        stop_within_s=DRIVER_S,
        extra_arguments=(str(server), "/", f"gz_args:={arguments}", "on_exit_shutdown:=true"),
    )
    bridge = NodeSpec(
        "bridge",
        package="ros_gz_bridge",
        executable="parameter_bridge",
        parameters={"config_file": str(folder / run_files.GAZEBO_BRIDGE)},
        stop_order=STOP_ARM,
        stop_within_s=PASSING_ON_S,
    )
    return [gazebo, bridge, *(spec for name, own in config.robots.items() for spec in _robot(name, own, folder))]


def _robot(robot: str, own: RobotConfig, folder: Path) -> list[NodeSpec]:
    """What puts one robot into Gazebo: the last two end when that is done."""
    publisher = NodeSpec(
        "robot_state_publisher",
        namespace=robot,
        package="robot_state_publisher",
        executable="robot_state_publisher",
        parameter_files=(str(folder / f"{robot}.description.yaml"),),
        parameters={"use_sim_time": True},
        stop_order=STOP_ARM,
        stop_within_s=PASSING_ON_S,
    )
    place = zip(("-x", "-y", "-z", "-R", "-P", "-Y"), map(repr, own.base_pose), strict=True)
    model = ("-world", WORLD, "-name", robot, "-topic", f"/{robot}/robot_description")
    manager = ("--controller-manager", f"/{robot}/{MANAGER}", "--controller-manager-timeout", str(SPAWNER_TIMEOUT_S))
    once = {
        "model": ("ros_gz_sim", "create", (*model, *(word for pair in place for word in pair))),
        "controllers": ("controller_manager", "spawner", (BROADCASTER, controller_name(own), *manager)),
    }
    return [
        publisher,
        *(
            NodeSpec(
                name,
                namespace=robot,
                package=package,
                executable=executable,
                extra_arguments=words,
                stop_order=STOP_ARM,
                stop_within_s=PASSING_ON_S,
                once=True,
            )
            for name, (package, executable, words) in once.items()
        ),
    ]


def gazebo_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` with what Gazebo's processes need: topics of their own, and our package in Gazebo's Python.

    A partition that the user has chosen is kept.
    """
    paths = [str(SOURCE_ROOT), *(path for path in sys.path if path.endswith("site-packages"))]
    known = environment.get("PYTHONPATH", "").split(os.pathsep)
    python = os.pathsep.join(dict.fromkeys(path for path in [*known, *paths] if path))
    partition = f"naf_robot_{environment.get('ROS_DOMAIN_ID', '0')}"
    return {"GZ_PARTITION": partition} | dict(environment) | {"PYTHONPATH": python}
