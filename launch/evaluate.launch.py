"""ros2 launch naf_robot evaluate.launch.py run_dir:=runs/my_run episodes:=50 - greedy episodes with a run's policy."""

from naf_robot.bringup.launch_adapter import evaluate_launch_description


def generate_launch_description():
    """Called by launch."""
    return evaluate_launch_description()
