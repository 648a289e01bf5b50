"""Metrics as text, in the format that Prometheus, node-exporter and a Pushgateway read."""

from prometheus_client import CollectorRegistry, generate_latest


def exposition(registry: CollectorRegistry) -> str:
    """All metrics in the Prometheus text format, without timestamps."""
    return generate_latest(registry).decode()
