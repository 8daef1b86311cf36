"""Normalised advantage functions (Gu et al. 2016a, 2016b), plain and cross-normalised."""
