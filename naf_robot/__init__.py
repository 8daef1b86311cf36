"""Several robot arms learn one manipulation skill together, safely, over ROS 2."""

__version__ = "0.1.0"
