"""One thin file per ROS 2 executable: they convert, time and publish."""
