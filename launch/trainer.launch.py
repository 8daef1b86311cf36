"""ros2 launch naf_robot trainer.launch.py task:=reach - the trainer alone, for robots on other machines."""

from naf_robot.bringup.launch_adapter import system_launch_description


def generate_launch_description():
    """Called by launch."""
    return system_launch_description("trainer")
