"""ros2 launch naf_robot train.launch.py task:=reach robots:=2 - the system `naf-robot train` runs."""

from naf_robot.bringup.launch_adapter import system_launch_description


def generate_launch_description():
    """Called by launch."""
    return system_launch_description("train")
