"""Drift: what the log or a table holds now, compared with what a person called normal."""
