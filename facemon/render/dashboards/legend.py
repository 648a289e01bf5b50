"""What a series is called in a panel."""

from facemon.config.document import Config


def legend_of(config: Config, legend: str) -> str:
    """The legend, with the labels that tell the stores apart."""
    return " ".join((legend, *(f"{{{{{name}}}}}" for name in config.metrics.labels)))
