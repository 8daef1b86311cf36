"""Kinds of policies: how published arrays become actions. A collector imports only the kinds that it receives."""
