"""Stored steps and trained policies in formats that other programs read."""
