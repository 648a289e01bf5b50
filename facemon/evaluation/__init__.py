"""Evaluation: what the log predicted, held against true labels."""
