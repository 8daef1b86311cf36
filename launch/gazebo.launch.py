"""ros2 launch naf_robot gazebo.launch.py task:=reach robots:=2 - arms in Gazebo, behind ros2_control like real ones."""

from naf_robot.bringup.launch_adapter import gazebo_launch_description


def generate_launch_description():
    """Called by launch."""
    return gazebo_launch_description()
