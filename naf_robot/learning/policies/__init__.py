"""Kinds of policies: how published arrays become actions. A collector loads the kinds that it is sent."""
