"""The synchronous loop without ROS, for comparisons, and evaluation in simulation."""
