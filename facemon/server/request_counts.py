"""How many requests there were and how long they took, counted in memory until the counts are taken."""

import threading
from bisect import bisect_left
from dataclasses import dataclass, field

from facemon.domain.metric_catalogue import LATENCY_BUCKETS
from facemon.domain.request_outcome import CacheResult, did_work, known_method, status_of
from facemon.store.total_families import LATENCY, LOOKUPS, OTHER_SOURCE_IMAGES, REQUESTS
from facemon.store.totals import TotalKey, Totals, bucket_part


@dataclass(slots=True)
class _Kind:
    """Requests of one endpoint, method and code."""

    seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(LATENCY_BUCKETS) + 1))


class RequestCounts:
    """Counts answered requests; any thread may count and take."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kinds: dict[tuple[str, str, int], _Kind] = {}
        self._lookups = dict.fromkeys(CacheResult, 0)
        self._other_sources = 0

    def count(self, endpoint: str, method: str, code: int, seconds: float) -> None:
        """Count an answered request; `endpoint` is its route's template."""
        key = (endpoint, known_method(method), code)
        with self._lock:
            kind = self._kinds.get(key)
            if kind is None:
                kind = self._kinds[key] = _Kind()
            kind.seconds += seconds
            kind.buckets[bisect_left(LATENCY_BUCKETS, seconds)] += 1

    def count_lookup(self, result: CacheResult) -> None:
        """Count an image by what the cache knew of it."""
        with self._lock:
            self._lookups[result] += 1

    def count_other_source(self, images: int) -> None:
        """Count images that are logged as another source than they came with."""
        with self._lock:
            self._other_sources += images

    def take(self) -> Totals:
        """What was counted since this was last called."""
        with self._lock:
            taken, self._kinds = self._kinds, {}
            lookups, self._lookups = self._lookups, dict.fromkeys(CacheResult, 0)
            other_sources, self._other_sources = self._other_sources, 0
        return _totals(taken, lookups, other_sources)

    def totals(self) -> Totals:
        """What was counted and not taken."""
        with self._lock:
            return _totals(self._kinds, self._lookups, self._other_sources)


def _totals(kinds: dict[tuple[str, str, int], _Kind], lookups: dict[CacheResult, int], other_sources: int) -> Totals:
    totals: Totals = {TotalKey(LOOKUPS, (result,), ""): float(count) for result, count in lookups.items() if count}
    if other_sources:
        totals[TotalKey(OTHER_SOURCE_IMAGES, (), "")] = float(other_sources)

    def add(metric: str, labels: tuple[str, ...], part: str, value: float) -> None:
        key = TotalKey(metric, labels, part)
        totals[key] = totals.get(key, 0.0) + value

    for (endpoint, method, code), kind in kinds.items():
        add(REQUESTS, (endpoint, method, status_of(code), str(code)), "", float(sum(kind.buckets)))
        if not did_work(endpoint, code):
            continue
        add(LATENCY, (endpoint, method), "sum", kind.seconds)
        for index, count in enumerate(kind.buckets):
            if count:
                add(LATENCY, (endpoint, method), bucket_part(LATENCY_BUCKETS, index), float(count))
    return totals
