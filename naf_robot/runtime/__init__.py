"""The loops that join the rooms: control step, episode, collector, trainer, study. No ROS."""
