"""Turns the configuration into the monitoring stack: pure functions build dicts, one module turns dicts into text."""
