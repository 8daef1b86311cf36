"""Transitions and policy parameters as bytes, and the stores that never lose them."""
