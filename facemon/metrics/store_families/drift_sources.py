"""Drift of each source, as the newest check of record found it."""

from collections.abc import Iterator

from prometheus_client.core import Metric as Family

from facemon.metrics.store_families.gauges import known, largest
from facemon.metrics.store_families.scrape import Scrape

_NO_SOURCE = "(no source)"
"""The label of rows without a source: to Prometheus an empty label is none."""


def families(scrape: Scrape) -> Iterator[Family]:
    """Yield verdicts and rows of the sources of models that are still checked."""
    sources = [each for each in scrape.ledger.checks.source_states() if each.model in scrape.checked]
    # A source that is really called so would otherwise be a second series with the same labels.
    found = [((each.check, each.source or _NO_SOURCE, each.model), each) for each in sources]
    decided = [(labels, float(each.detected)) for labels, each in found if each.detected is not None]
    yield from known("drift_source_detected", largest(decided))
    yield from known("drift_source_rows", largest((labels, each.rows) for labels, each in found))
