"""ros2 launch naf_robot inspect.launch.py run_dir:=runs/my_run - RViz beside running robots."""

from naf_robot.bringup.launch_adapter import inspect_launch_description


def generate_launch_description():
    """Called by launch."""
    return inspect_launch_description()
