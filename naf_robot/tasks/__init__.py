"""What is to be learned: observation, reward terms, success and reset of each task."""
