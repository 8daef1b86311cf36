"""What the node `camera` does without ROS and without OpenCV: sources, picture checks, reconnects, calibration."""
