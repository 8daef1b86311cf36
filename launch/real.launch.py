"""ros2 launch naf_robot real.launch.py robots:=left robot:=ur5e first_run:=true - real arms, with their drivers."""

from naf_robot.bringup.launch_adapter import real_launch_description


def generate_launch_description():
    """Called by launch."""
    return real_launch_description()
