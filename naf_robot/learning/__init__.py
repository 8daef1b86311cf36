"""Networks, exploration, replay and the algorithms. No ROS, no simulator, no task."""
