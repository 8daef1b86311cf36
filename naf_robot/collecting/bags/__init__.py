"""Makes steps of recorded messages, as the collector made them of live ones."""
