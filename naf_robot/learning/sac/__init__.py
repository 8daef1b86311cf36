"""Soft actor-critic (Haarnoja et al. 2018), the baseline of today."""
