"""What Gazebo needs as a process of its own: descriptions, controllers, topics and the world, as texts."""
