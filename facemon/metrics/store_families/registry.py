"""Which families a store has, in the order in which they are exported."""

from collections.abc import Callable, Iterator

from prometheus_client.core import Metric as Family

from facemon.domain.metric_catalogue import MetricGroup
from facemon.metrics.store_families import (
    accuracies,
    command_runs,
    drift_checks,
    drift_columns,
    drift_sources,
    predictions,
    requests,
)
from facemon.metrics.store_families.scrape import Scrape

STORE_FAMILIES: tuple[tuple[MetricGroup | None, Callable[[Scrape], Iterator[Family]]], ...] = (
    (None, requests.families),
    (MetricGroup.MODEL, predictions.families),
    (MetricGroup.MODEL, accuracies.families),
    (MetricGroup.DRIFT, drift_columns.families),
    (MetricGroup.DRIFT, drift_checks.families),
    (MetricGroup.DRIFT, drift_sources.families),
    (None, command_runs.families),
)
"""Each with the group that `--export` must choose for it; none where it is always there.

They are called inside of one transaction, so that all show one state of the ledger.
"""
