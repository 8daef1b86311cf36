"""Reads bags (rosbag2: sqlite3 and MCAP, whole or cut off) in the order of header stamps."""
