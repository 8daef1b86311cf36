"""Kinematics, joint limits and joint names out of a robot description."""
