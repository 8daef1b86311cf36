"""Fig. 5 of Gu et al. 2016: several collectors at a fixed share of the trainer's rate, in one process."""
