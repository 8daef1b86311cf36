"""The robot's side without ROS: collector, episode, homing, upload. Loads no torch."""
