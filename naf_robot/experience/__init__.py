"""Steps and policy parameters as bytes, and the durable stores of a run's experience."""
