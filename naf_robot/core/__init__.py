"""Records, specs, errors that teach, typed config, clocks and seeds. Imports numpy, nothing of ours."""
