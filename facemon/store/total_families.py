"""Metrics of the catalogue as families; of totals every series that is expected, those without a count as 0."""

from collections.abc import Iterable, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.core import Metric as Family

from facemon.domain.metric_catalogue import CATALOGUE
from facemon.domain.request_outcome import EXPECTED_CODES, CacheResult, status_of
from facemon.store.totals import TotalKey, Totals, bucket_part

REQUESTS, LATENCY, LOOKUPS = "api_requests_total", "api_request_latency_seconds", "cache_lookups_total"
OTHER_SOURCE_IMAGES = "api_other_source_images_total"
_PREDICT = ("/predict", "POST")


def gauge_family(metric: str, series: Iterable[tuple[Sequence[str], float]] = ()) -> GaugeMetricFamily:
    """A gauge of the catalogue: the values of its labels, and the value of each series."""
    entry = CATALOGUE[metric]
    family = GaugeMetricFamily(metric, entry.help, labels=entry.labels, unit=entry.unit)
    for labels, value in series:
        family.add_metric(labels, float(value))
    return family


def counter_family(metric: str, totals: Totals, expected: Sequence[tuple[str, ...]]) -> Family:
    """A counter of the catalogue."""
    values = dict.fromkeys(expected, 0.0) | {k.labels: v for k, v in totals.items() if k.metric == metric}
    family = CounterMetricFamily(metric, CATALOGUE[metric].help, labels=CATALOGUE[metric].labels)
    for series, value in sorted(values.items()):
        family.add_metric(series, value)
    return family


def histogram_family(metric: str, totals: Totals, expected: Sequence[tuple[str, ...]]) -> Family:
    """A histogram of the catalogue, its buckets cumulated."""
    entry = CATALOGUE[metric]
    family = HistogramMetricFamily(metric, entry.help, labels=entry.labels, unit=entry.unit)
    for labels in sorted({*expected, *(key.labels for key in totals if key.metric == metric)}):
        count, buckets = 0.0, list[tuple[str, float]]()
        for index in range(len(entry.buckets) + 1):
            part = bucket_part(entry.buckets, index)
            count += totals.get(TotalKey(metric, labels, part), 0.0)
            buckets.append((part, count))
        family.add_metric(labels, buckets, totals.get(TotalKey(metric, labels, "sum"), 0.0))
    return family


def request_families(totals: Totals, *, expects_predict: bool) -> Iterator[Family]:
    """The metrics of requests; with `expects_predict` all outcomes of POST /predict are there from the start.

    An API that is not ours has no cache and no sources, and no families of them.
    """
    outcomes = [(*_PREDICT, status_of(code), str(code)) for code in EXPECTED_CODES] if expects_predict else []
    yield counter_family(REQUESTS, totals, outcomes)
    yield histogram_family(LATENCY, totals, [_PREDICT] if expects_predict else [])
    if expects_predict or any(key.metric == LOOKUPS for key in totals):
        yield counter_family(LOOKUPS, totals, [(result,) for result in CacheResult])
    if expects_predict or any(key.metric == OTHER_SOURCE_IMAGES for key in totals):
        yield counter_family(OTHER_SOURCE_IMAGES, totals, [()])
