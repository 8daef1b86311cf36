"""One run: its configuration, its folder, what all its processes agree on, health, pins and rollback."""
