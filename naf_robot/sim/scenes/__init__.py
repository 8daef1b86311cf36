"""Scenes described once, for every simulator: sizes, masses, springs, sensors. Loads no simulator."""
