"""Sensor readings to observations: freshness, history, the door's angle. No ROS."""
