"""Kinematics, limits, the safety projection and the watchdog of one arm. No ROS."""
