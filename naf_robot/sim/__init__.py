"""Simulated worlds behind one protocol, and their Gymnasium adapter."""
