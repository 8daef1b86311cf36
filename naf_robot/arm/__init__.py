"""One arm: its model, the safety projection and velocity control. No ROS."""
