"""When each check ran and decided, and the score from which on a shift matters."""

from collections.abc import Iterator

from prometheus_client.core import Metric as Family

from facemon.metrics.store_families.gauges import MICROS, known
from facemon.metrics.store_families.scrape import Scrape
from facemon.store.shown_models import idle_models


def families(scrape: Scrape) -> Iterator[Family]:
    """Yield thresholds and times of the checks of models that are still checked."""
    checks = [check for check in scrape.ledger.checks.states() if check.model in scrape.checked]
    yield from known("drift_threshold", [((each.check, each.model), each.threshold) for each in checks])
    decided = [((each.check, each.model), each.decided / MICROS) for each in checks if each.decided is not None]
    yield from known("drift_decided_timestamp_seconds", decided)
    # When a model that was replaced was checked last would be stale forever.
    idle = idle_models(scrape.ledger, scrape.model.id)
    ran = [((each.check, each.model), each.at / MICROS) for each in checks if each.model not in idle]
    yield from known("drift_check_timestamp_seconds", ran)
