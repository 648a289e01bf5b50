"""Requests that the ML APIs of the store have counted."""

from collections.abc import Iterator

from prometheus_client.core import Metric as Family

from facemon.metrics.store_families.scrape import Scrape
from facemon.store.request_totals import EVERY_INSTANCE
from facemon.store.total_families import request_families


def families(scrape: Scrape) -> Iterator[Family]:
    """Yield the families of an instance's requests; none where no instance is asked for."""
    if scrape.instance is not None:
        totals = scrape.ledger.requests.read(scrape.instance)
        yield from request_families(totals, expects_predict=scrape.instance != EVERY_INSTANCE)
