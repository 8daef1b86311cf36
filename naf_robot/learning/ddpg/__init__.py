"""Deep deterministic policy gradient (Lillicrap et al. 2016), with the paper's networks."""
