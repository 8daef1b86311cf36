"""Stand-ins for what ROS puts around a real Gazebo: gz_ros2_control, ros_gz_sim, ros_gz_bridge, controller_manager.

`gazebo_prefix` lays them out like an installation of ROS. Gazebo itself is real: its program `gz` and its Python
bindings must be on this machine, with the system PythonSystemLoader.
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from shutil import which

from viewer_prefix import PUBLISHER

HERE = Path(__file__).parent
PYTHON = str(HERE)  # where Gazebo's Python finds `gz_joints`
RUN = """#!{python}
import os, runpy
os.environ["STAND_IN"] = {folder!r}
runpy.run_path({path!r}, run_name="__main__")
"""
PROGRAMS = {
    "ros_gz_sim/create": "create.py",
    "ros_gz_bridge/parameter_bridge": "bridge.py",
    "controller_manager/spawner": "spawner.py",
}
SHARES = (
    "gz_ros2_control",
    "joint_state_broadcaster",
    "velocity_controllers",
    "position_controllers",
    "joint_trajectory_controller",
)
LAUNCH = """
import os
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess
from launch.substitutions import LaunchConfiguration
def generate_launch_description():
    return LaunchDescription([
        DeclareLaunchArgument("gz_args"),
        DeclareLaunchArgument("on_exit_shutdown", default_value="false"),
        ExecuteProcess(cmd=["exec gz sim", LaunchConfiguration("gz_args")], name="gazebo", shell=True, output="screen"),
        ExecuteProcess(cmd=[{python!r}, {controllers!r}, {folder!r}], name="gz_ros2_control", output="screen"),
    ])
"""


def missing() -> str | None:
    """Why Gazebo cannot be run here as a process of its own, or None."""
    for module in ("gz.sim8", "gz.transport13", "gz.msgs10"):
        try:
            if find_spec(module) is None:
                return f"Gazebo's Python bindings are not importable: {module}"
        except ModuleNotFoundError:
            return f"Gazebo's Python bindings are not importable: {module}"
    return None if which("gz") else "Gazebo's program gz is not on the PATH"


def gazebo_prefix(folder: Path, *without: str) -> Path:
    """A prefix for AMENT_PREFIX_PATH with the stand-ins, but not of packages in `without`."""
    prefix, models = folder / "prefix", folder / "models"
    models.mkdir(parents=True)
    programs = {
        name: RUN.format(python=sys.executable, folder=str(models), path=str(HERE / file))
        for name, file in PROGRAMS.items()
    }
    programs["robot_state_publisher/robot_state_publisher"] = PUBLISHER.replace("{python}", sys.executable)
    for name, text in programs.items():
        if name.partition("/")[0] not in without:
            path = prefix / "lib" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755)
    for share in SHARES:
        if share not in without:
            (prefix / "share" / share).mkdir(parents=True)
    if "ros_gz_sim" not in without:
        path = prefix / "share" / "ros_gz_sim" / "launch" / "gz_sim.launch.py"
        path.parent.mkdir(parents=True)
        places = {"controllers": str(HERE / "controllers.py"), "folder": str(models)}
        path.write_text(LAUNCH.format(python=sys.executable, **places))
    return prefix
