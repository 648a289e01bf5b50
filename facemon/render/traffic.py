"""Requests to the API as series of tests: how many, how slow, how many failed, on which instance."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor

from facemon.config.alerts import PREDICT
from facemon.domain.metric_catalogue import LATENCY_BUCKETS
from facemon.render import promql
from facemon.render.our_series import FOREIGN
from facemon.render.promql import Series
from facemon.render.scenario import Burst, Growth, series_text

LATENCY = promql.series("api_request_latency_seconds")
REQUESTS = promql.series("api_requests_total")

OTHER = "/tag"
"""An endpoint that does work, beside that of predictions."""
P95_PLACE = 0.6
"""Where between two edges the P95 lies when one request in eight is between them, and the others are faster."""
FEW_PER_SECOND = 0.005
"""Less traffic than an increase that is extrapolated over the window shows of one request in minutes."""
_CODES = {"error": "500", "success": "200", "rejected": "422"}
_MOST_EXACT = 2**52
_TRIES = 20_000


def requests(status: str, count: float, *, endpoint: str = PREDICT, instance: str = "api:1") -> Burst:
    """So many requests that ended so."""
    labels = {"endpoint": endpoint, "method": "POST", "status": status, "code": _CODES[status]}
    return Burst(series_text(REQUESTS.name, {**labels, "job": "api", "instance": instance}), count)


def not_work(count: float, ignored: Sequence[str], *statuses: str) -> tuple[Burst, ...]:
    """So many requests that were rejected, and to an endpoint that is ignored so many that ended so."""
    probes = (requests(status, count, endpoint=each) for each in ignored[:1] for status in statuses or ("success",))
    return (requests("rejected", count, instance="api:2"), *probes)


def of_others(*bursts: Burst) -> tuple[Burst, ...]:
    """The same requests to an API in a job that is not ours."""
    return tuple(replace(burst, series=burst.series.replace('job="api"', f'job="{FOREIGN}"', 1)) for burst in bursts)


def latencies(
    limit: float, *, fast: float, slow: float, beyond: float = 0, endpoint: str = PREDICT, instance: str = "api:1"
) -> tuple[Burst, ...]:
    """A histogram of requests, `fast` of them within `limit` and `slow` of them not; some beyond the last bucket."""
    labels = {"endpoint": endpoint, "method": "POST", "job": "api", "instance": instance}
    return observations(LATENCY, labels, limit, fast=fast, slow=slow, beyond=beyond)


def observations(
    metric: Series, labels: dict[str, str], limit: float, *, fast: float, slow: float, beyond: float = 0
) -> tuple[Burst, ...]:
    """A histogram with so many observations in the bucket up to an edge, in the one after it, and after the last."""
    place = LATENCY_BUCKETS.index(limit)
    counts = {edge_label(edge): 0.0 for edge in LATENCY_BUCKETS[max(place - 1, 0) : place]}
    counts[edge_label(limit)] = fast
    counts |= {edge_label(edge): fast + slow for edge in LATENCY_BUCKETS[place + 1 : place + 2]}
    counts["+Inf"] = fast + slow + beyond
    buckets = (
        Burst(series_text(f"{metric.name}_bucket", {**labels, "le": edge}), count) for edge, count in counts.items()
    )
    return (*buckets, Burst(series_text(f"{metric.name}_count", labels), fast + slow + beyond))


def edge_label(edge: float) -> str:
    """A bucket's edge as the label `le` has it, which is never without a point."""
    return repr(float(edge))


def next_edge(limit: float) -> float:
    """The edge after this one."""
    return LATENCY_BUCKETS[LATENCY_BUCKETS.index(limit) + 1]


def above_by(place: float, limit: float) -> float:
    """So far between a bucket's edge and the next."""
    return limit + (next_edge(limit) - limit) * place


def growing(*bursts: Burst) -> tuple[Growth, ...]:
    """The same requests with every sample."""
    return tuple(Growth(burst.series, burst.count) for burst in bursts)


def late(*bursts: Burst) -> tuple[Burst, ...]:
    """The same requests, when those before are older than the window."""
    return tuple(replace(burst, late=True) for burst in bursts)


def restarted(*bursts: Burst) -> tuple[Burst, ...]:
    """The same requests since a restart, before which there were more."""
    return tuple(replace(burst, before=10 * burst.count + 10) for burst in bursts)


def fewer(least: int) -> float:
    """Just too few: increases of a counter are extrapolated, so that there are parts of a request."""
    return least - min(1.0, least * 0.005)


def error_counts_at(limit: float, least: int, window: int) -> tuple[int, int]:
    """Errors and other requests, at least `least`, whose rates over so many milliseconds give exactly `limit`.

    They are reckoned as Prometheus does, to the last bit. Where none fit, they give the share that is next below.
    """
    share, window_s = Fraction(repr(limit)), window // 1000 + window % 1000 / 1000
    start = max(1, -(-least // share.denominator))
    for times in range(start, start + _TRIES):
        errors, every = share.numerator * times, share.denominator * times
        if every > _MOST_EXACT:
            break
        if _ratio(errors, every - errors, window_s) == limit:
            return errors, every - errors
    every = max(least, 10**9)
    errors = int(limit * every)
    while errors and _ratio(errors, every - errors, window_s) > limit:
        errors -= 1
    return errors, every - errors


def error_counts_around(limit: float, least: int) -> tuple[int, int, int]:
    """Errors just too few, errors just too many, and the requests of both: at least `least`."""
    share, every = Fraction(repr(limit)), 1000
    while every < least or (limit and share * every < 1000 and every < _MOST_EXACT // 10):
        every *= 10
    return max(0, ceil(share * every) - 1), floor(share * every) + 1, every


def _ratio(errors: int, others: int, window_s: float) -> float:
    per_second = 1.0 / window_s
    failing = errors * per_second
    return failing / (failing + others * per_second)
