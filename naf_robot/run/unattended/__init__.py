"""Statistics of a run over days: folded from what every node reports, kept in one file of bounded size."""
