"""Stored episodes as a LeRobotDataset of version 3.0, a folder of Parquet files and JSON."""
