"""What has to be on a machine that runs Gazebo as a process of its own, with ROS around it."""

import os
from pathlib import Path

from naf_robot.bringup.node_spec import find_executable
from naf_robot.bringup.real_system import launch_file
from naf_robot.core.errors import ConfigError
from naf_robot.run.config import RunConfig
from naf_robot.run.gazebo.controllers import BROADCASTER, TYPES

PROGRAMS = {
    "robot_state_publisher": "robot_state_publisher",
    "ros_gz_sim": "create",
    "ros_gz_bridge": "parameter_bridge",
    "controller_manager": "spawner",
}
SHARES = ("gz_ros2_control", BROADCASTER)  # packages without an executable that is started here
PLUGIN_FOLDERS = "lib/**/gz-sim-*/plugins"  # below a prefix
PYTHON_LOADER = "libgz-sim*python-system-loader-system.so"


def check_gazebo(config: RunConfig) -> Path:
    """Make sure that everything is there that the robots of `config` need; the launch file of ros_gz_sim.

    Raises:
        ConfigError: naming the Debian packages that are missing.
    """
    types = {TYPES[own.output_kind].partition("/")[0] for own in config.robots.values() if own.output_kind in TYPES}
    prefixes = _folders("AMENT_PREFIX_PATH")
    lacking = [name for name, program in PROGRAMS.items() if find_executable(name, program, os.environ) is None]
    lacking += [name for name in (*SHARES, *sorted(types)) if not any((p / "share" / name).is_dir() for p in prefixes)]
    if lacking:
        distribution = os.environ.get("ROS_DISTRO") or "jazzy"
        debian = " ".join(f"ros-{distribution}-{name.replace('_', '-')}" for name in lacking)
        raise ConfigError(
            f"Gazebo needs packages of ROS that are below no prefix of AMENT_PREFIX_PATH: apt install {debian}, then "
            "source ROS 2's setup.bash"
        )
    if config.make_task().scene != "free" and not _has_python_loader(prefixes):
        raise ConfigError(
            f"the door of task {config.task_name!r} needs gz-sim's PythonSystemLoader, which is in no folder of its "
            "plugins here: install ros-jazzy-gz-sim-vendor 0.0.13 or later, or name its folder in "
            "GZ_SIM_SYSTEM_PLUGIN_PATH"
        )
    return launch_file("Gazebo", "gazebo.launch.py", "ros_gz_sim", "gz_sim.launch.py")


def _has_python_loader(prefixes: list[Path]) -> bool:
    below = [*prefixes, *(prefix / "opt" / "gz_sim_vendor" for prefix in prefixes), Path("/usr")]
    places = [*_folders("GZ_SIM_SYSTEM_PLUGIN_PATH"), *(each for top in below for each in top.glob(PLUGIN_FOLDERS))]
    return any(next(place.glob(PYTHON_LOADER), None) for place in places)


def _folders(variable: str) -> list[Path]:
    return [Path(each) for each in os.environ.get(variable, "").split(os.pathsep) if each]
