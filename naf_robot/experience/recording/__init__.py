"""Writes ROS messages to bags (rosbag2, MCAP) as they come, without opening them."""
