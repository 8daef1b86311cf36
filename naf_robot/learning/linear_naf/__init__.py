"""NAF with a linear policy and a quadratic value (Gu et al. 2016b, section IV-C)."""
