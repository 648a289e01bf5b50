"""Counts of requests: whole numbers of what happened, taken once, and added up in the store."""

import threading

import pytest

from facemon.domain.request_outcome import CacheResult
from facemon.server.request_counts import RequestCounts
from facemon.store.total_families import LOOKUPS
from facemon.store.totals import TotalKey, sum_totals

LATENCY = "api_request_latency_seconds"


def test_a_request_is_a_count_a_bucket_and_its_seconds() -> None:
    counts = RequestCounts()
    for seconds in (0.5, 0.5000001, 1e9):
        counts.count("/predict", "POST", 200, seconds)
    counts.count("/predict", "BREW", 503, 0.0)
    totals = counts.totals()
    requests = {key.labels: value for key, value in totals.items() if key.metric == "api_requests_total"}
    assert requests == {("/predict", "POST", "success", "200"): 3, ("/predict", "other", "error", "503"): 1}
    assert totals[TotalKey(LATENCY, ("/predict", "POST"), "0.5")] == 1, "an edge belongs to its bucket"
    assert totals[TotalKey(LATENCY, ("/predict", "POST"), "+Inf")] == 1
    assert totals[TotalKey(LATENCY, ("/predict", "POST"), "sum")] == 1e9 + 1.0000001
    buckets = [value for key, value in totals.items() if key.metric == LATENCY and key.part != "sum"]
    assert sum(buckets) == 4


def test_codes_of_one_endpoint_share_its_latencies() -> None:
    counts = RequestCounts()
    for code in (200, 413, 413):
        counts.count("/predict", "POST", code, 0.25)
    totals = counts.totals()
    assert totals[TotalKey(LATENCY, ("/predict", "POST"), "sum")] == 0.75
    assert totals[TotalKey("api_requests_total", ("/predict", "POST", "rejected", "413"), "")] == 2


@pytest.mark.parametrize(
    ("endpoint", "code", "has_latency"),
    [("/predict", 200, True), ("/predict", 499, True), ("/predict", 408, False), ("unmatched", 408, False),
     ("unmatched", 404, False), ("unmatched", 200, True), ("unmatched", 500, True), ("/items/{id}", 404, True)],
)  # fmt: skip
def test_only_requests_that_an_application_worked_on_have_a_latency(
    endpoint: str, code: int, has_latency: bool
) -> None:
    counts = RequestCounts()
    counts.count(endpoint, "POST", code, 0.25)
    totals = counts.totals()
    assert sum(value for key, value in totals.items() if key.metric == "api_requests_total") == 1
    assert any(key.metric == LATENCY for key in totals) is has_latency


def test_lookups_are_counted_by_what_the_cache_knew() -> None:
    counts = RequestCounts()
    for result in (CacheResult.HIT, CacheResult.MISS, CacheResult.HIT):
        counts.count_lookup(result)
    assert counts.take() == {TotalKey(LOOKUPS, ("hit",), ""): 2, TotalKey(LOOKUPS, ("miss",), ""): 1}
    assert counts.take() == {}


def test_what_is_taken_while_others_count_is_taken_once() -> None:
    counts, taken = RequestCounts(), list[dict[TotalKey, float]]()

    def count() -> None:
        for _ in range(2000):
            counts.count("/health", "GET", 200, 0.25)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        taken.append(counts.take())
    taken.append(counts.take())
    assert counts.take() == {}
    assert sum_totals(*taken)[TotalKey("api_requests_total", ("/health", "GET", "success", "200"), "")] == 8000
