"""The trainer's side without ROS: intake, learning loop, publication, evaluation gate, progress."""
