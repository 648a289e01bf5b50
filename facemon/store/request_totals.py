"""What the ML API has counted of its requests, for each instance of it: a name and its address, or a name given."""

EVERY_INSTANCE = "*"
"""Asks for the counts of all instances together."""
