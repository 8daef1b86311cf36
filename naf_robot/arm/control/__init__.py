"""One control step around the projection: freshness, faults, contact."""
