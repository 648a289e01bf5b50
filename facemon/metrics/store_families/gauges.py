"""Gauges whose series are known or absent."""

from collections.abc import Iterable, Iterator

from prometheus_client.core import Metric as Family

from facemon.store.total_families import gauge_family

Series = Iterable[tuple[tuple[str, ...], float]]
MICROS = 1e6
"""Microseconds in a second."""


def known(metric: str, series: Series) -> Iterator[Family]:
    """Yield the gauge, if anything of it is known; one that is not known is absent, never 0."""
    if found := sorted(series):
        yield gauge_family(metric, found)


def largest(series: Series) -> Series:
    """Return one series for each combination of labels, with the largest of its values."""
    found: dict[tuple[str, ...], float] = {}
    for labels, value in series:
        found[labels] = max(value, found.get(labels, value))
    return found.items()
