"""The Gazebo simulator: SDF of the arms and scenes, and gz-sim's Python bindings, loaded when a world is built."""
