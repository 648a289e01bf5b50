"""How many requests there were and how long they took, counted in memory until somebody takes the counts."""

import threading
from bisect import bisect_left

from facemon.store.total_families import LATENCY, REQUESTS
from facemon.store.totals import TotalKey, Totals, bucket_part
from facemon.values.metric_catalogue import LATENCY_BUCKETS
from facemon.values.request_outcome import known_method, status_of


class RequestCounts:
    """Counts answered requests; any thread may count and take."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._totals: Totals = {}

    def count(self, endpoint: str, method: str, code: int, seconds: float) -> None:
        """Count an answered request; `endpoint` is its route's template."""
        known = known_method(method)
        place = bucket_part(LATENCY_BUCKETS, bisect_left(LATENCY_BUCKETS, seconds))
        with self._lock:
            self._add(TotalKey(REQUESTS, (endpoint, known, status_of(code), str(code)), ""), 1.0)
            self._add(TotalKey(LATENCY, (endpoint, known), place), 1.0)
            self._add(TotalKey(LATENCY, (endpoint, known), "sum"), seconds)

    def take(self) -> Totals:
        """What was counted since this was last called."""
        with self._lock:
            taken, self._totals = self._totals, {}
        return taken

    def totals(self) -> Totals:
        """What was counted and not taken."""
        with self._lock:
            return dict(self._totals)

    def _add(self, key: TotalKey, value: float) -> None:
        self._totals[key] = self._totals.get(key, 0.0) + value
