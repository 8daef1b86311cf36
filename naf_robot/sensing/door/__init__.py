"""The door: its IMU and that IMU's calibration, its angle, and the sensors that say them."""
