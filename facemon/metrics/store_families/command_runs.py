"""When commands last succeeded, and how long they took."""

from collections.abc import Iterator

from prometheus_client.core import Metric as Family

from facemon.metrics.store_families.gauges import MICROS, known
from facemon.metrics.store_families.scrape import Scrape


def families(scrape: Scrape) -> Iterator[Family]:
    """Yield what is known of each command that was ever run on the store."""
    runs = scrape.ledger.commands.all()
    if announced := scrape.announced:
        runs = [announced, *(run for run in runs if run.command != announced.command)]
    successes = [((run.command,), run.last_success / MICROS) for run in runs if run.last_success is not None]
    yield from known("facemon_last_success_timestamp_seconds", successes)
    yield from known("facemon_last_run_duration_seconds", [((run.command,), run.seconds) for run in runs])
