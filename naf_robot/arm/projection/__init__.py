"""The safety projection: from a desired joint velocity to one that keeps every limit (docs/safety.md)."""
