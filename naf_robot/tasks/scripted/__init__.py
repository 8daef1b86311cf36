"""Programs that do a task without learning: first data for learners, and what these are compared with."""
