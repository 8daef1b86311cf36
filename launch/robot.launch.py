"""ros2 launch naf_robot robot.launch.py task:=reach robots:=left simulated:=false - the robots of this machine."""

from naf_robot.bringup.launch_adapter import system_launch_description


def generate_launch_description():
    """Called by launch."""
    return system_launch_description("robot")
