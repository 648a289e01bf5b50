"""The scenarios of the alerts on requests: around the limit, around the least number of requests, around the window."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from facemon.config.alerts import PREDICT
from facemon.render.rule_test import milliseconds
from facemon.render.scenario import Firing, Scenario, Signal, Span, of_store
from facemon.render.traffic import (
    OTHER,
    error_counts_around,
    error_counts_at,
    fewer,
    growing,
    late,
    latencies,
    next_edge,
    not_work,
    of_others,
    requests,
    restarted,
)

_MANY = 1000


def slow_scenarios(limit: float, least: int, ignored: Sequence[str]) -> tuple[Scenario, ...]:
    """What HighLatency must do, with a limit of seconds and a least number of requests within the window."""
    return (
        *_slow_at_the_limit(limit, least),
        *_slow_with_few(limit, least),
        *_slow_in_the_window(limit, least),
        *_slow_elsewhere(limit, least, ignored),
    )


def slow_with_few_here(limit: float, least: int, labels: Mapping[str, str]) -> Iterator[Scenario]:
    """Too few slow requests in the store with these labels, and many fast ones in other stores."""
    if least and labels:
        few = of_store(latencies(limit, fast=0, slow=fewer(least)), labels)
        busy = _elsewhere(latencies(limit, fast=100 * least, slow=0, instance="api:2"), labels)
        yield Scenario("just too few requests, but many to other stores", (*few, *busy))


def failing_with_few_here(least: int, labels: Mapping[str, str]) -> Iterator[Scenario]:
    """Too few requests, all failing, in the store with these labels, and many good ones in other stores."""
    if least and labels:
        few = of_store([requests("error", fewer(least))], labels)
        busy = _elsewhere([requests("success", 100 * least, instance="api:2")], labels)
        yield Scenario("just too few requests, but many to other stores", (*few, *busy))


def _elsewhere(signals: Sequence[Signal], labels: Mapping[str, str]) -> Iterator[Signal]:
    """The same of a store for each label that differs from this one in that label alone."""
    for name, value in labels.items():
        yield from of_store(signals, {**labels, name: f"not {value}"})


def failing_scenarios(limit: float, least: int, window: timedelta, ignored: Sequence[str]) -> tuple[Scenario, ...]:
    """What HighErrorRate must do, with a limit of a share and a least number of requests within the window."""
    return (
        *_failing_at_the_limit(limit, least, window, ignored),
        *_failing_beside_others(limit, least, ignored),
        *_failing_with_few(least, ignored),
        *_failing_in_the_window(limit, least),
    )


def _slow_at_the_limit(limit: float, least: int) -> Iterator[Scenario]:
    step = _at_least(least)
    slow = (
        *latencies(limit, fast=0.6 * step, slow=0),
        *latencies(limit, fast=0.275 * step, slow=0, beyond=0.125 * step, instance="api:2"),
    )
    healthy = latencies(limit, fast=100 * step, slow=0, endpoint=OTHER)
    title = "over the limit, then no traffic; another endpoint is unaffected"
    # A quantile beyond the last edge that is finite is that edge, to the last bit.
    fires = Firing({"endpoint": PREDICT}, next_edge(limit))
    yield Scenario(title, growing(*slow, *healthy), fires, Span.HELD)
    every = 100 * step

    def around(within: float) -> tuple[Signal, ...]:
        """Two unlike instances."""
        first = latencies(limit, fast=0.6 * every, slow=0)
        return (*first, *latencies(limit, fast=within - 0.6 * every, slow=every - within, instance="api:2"))

    yield Scenario("just over the limit", around(0.95 * every - 1), fires)
    yield Scenario("just under the limit", around(0.95 * every + 1))
    beyond = [each for each in latencies(limit, fast=0, slow=step) if not _is_bucket_above(each.series, limit)]
    yield Scenario("exactly at the limit", tuple(beyond))
    yield Scenario("within the limit since a restart", restarted(*latencies(limit, fast=step, slow=0)))
    yield Scenario("no traffic", latencies(limit, fast=0, slow=0))


def _is_bucket_above(series: str, limit: float) -> bool:
    edge = series.partition('le="')[2].partition('"')[0]
    return edge not in ("", "+Inf") and float(edge) > limit


def _slow_with_few(limit: float, least: int) -> Iterator[Scenario]:
    if not least:
        yield Scenario("a single request", latencies(limit, fast=0, slow=1), Firing({"endpoint": PREDICT}))
        return

    def few(count: float) -> tuple[Signal, ...]:
        first = latencies(limit, fast=0, slow=count / 2)
        return (*first, *latencies(limit, fast=0, slow=count - count / 2, instance="api:2"))

    busy = latencies(limit, fast=100 * least, slow=0, endpoint=OTHER)
    yield Scenario("just enough requests", few(least), Firing({"endpoint": PREDICT}))
    yield Scenario("just too few requests, but many to another endpoint", (*few(fewer(least)), *busy))


def _slow_in_the_window(limit: float, least: int) -> Iterator[Scenario]:
    many = _at_least(least)
    fires = Firing({"endpoint": PREDICT})
    slow = latencies(limit, fast=0, slow=many)
    fast = late(*latencies(limit, fast=many, slow=0, instance="api:2"))
    yield Scenario("slow requests, and fast ones when those are older than the window", (*slow, *fast), fires,
                   Span.WINDOW)  # fmt: skip
    if least:
        few = late(*latencies(limit, fast=0, slow=fewer(least), instance="api:2"))
        yield Scenario("slow requests, and too few when those are older than the window", (*slow, *few), fires,
                       Span.WINDOW)  # fmt: skip


def _slow_elsewhere(limit: float, least: int, ignored: Sequence[str]) -> Iterator[Scenario]:
    many = _at_least(least)
    fast, slow = latencies(limit, fast=many, slow=0), latencies(limit, fast=0, slow=100 * many)
    yield Scenario("fast, and slow in a job of others", (*fast, *of_others(*slow)))
    for endpoint in ignored[:1]:
        yield Scenario("slow where requests are not work", latencies(limit, fast=0, slow=many, endpoint=endpoint))
    if least:
        few = latencies(limit, fast=0, slow=fewer(least))
        yield Scenario("just too few requests, but many to a job of others", (*few, *of_others(*slow)))


def _failing_at_the_limit(
    limit: float, least: int, window: timedelta, ignored: Sequence[str]
) -> Iterator[Scenario]:  # fmt: skip
    step = _at_least(least)
    good = step if limit < 0.5 else 0
    # Equal numbers, so that the share is exact whatever the rates are. What does not count would change it.
    signals = growing(
        *not_work(step, ignored),
        *of_others(requests("success", step)),
        requests("error", step),
        requests("error", step, instance="api:2"),
        requests("success", good, instance="api:2"),
        requests("success", good, instance="api:3"),
    )
    title = "over the limit on all instances together, then no traffic; one instance has no errors"
    yield Scenario(title, signals, Firing({}, step / (step + good)), Span.HELD)
    under, over, every = error_counts_around(limit, least)

    def around(errors: int) -> tuple[Signal, ...]:
        return (
            requests("error", errors // 3),
            requests("error", errors - errors // 3, instance="api:2"),
            requests("success", (every - errors) // 3),
            requests("success", every - errors - (every - errors) // 3, instance="api:2"),
        )

    at, others = error_counts_at(limit, least, milliseconds(window))
    yield Scenario("just over the limit", around(over), Firing())
    yield Scenario("just under the limit", around(under))
    yield Scenario("exactly at the limit", (requests("error", at), requests("success", others)))
    ended = restarted(requests("error", step), requests("success", good, instance="api:2"))
    yield Scenario("over the limit since a restart", ended, Firing())
    yield Scenario("no errors at all", (requests("success", step),))
    yield Scenario("no traffic", (requests("error", 0), requests("success", 0)))


def _failing_beside_others(limit: float, least: int, ignored: Sequence[str]) -> Iterator[Scenario]:
    """What is not work hides no errors and makes none, nor does what a job of others answers."""
    under, over, every = error_counts_around(limit, least)
    flood = 1000 * every
    hidden = (*not_work(flood, ignored), *of_others(requests("success", flood)))
    failing = (requests("error", over), requests("success", every - over))
    yield Scenario("over the limit beside a flood of probes, rejected requests and others' requests",
                   (*failing, *hidden), Firing())  # fmt: skip
    healthy = (requests("error", under), requests("success", every - under))
    broken = (*not_work(flood, ignored, "error", "success"), *of_others(requests("error", flood)))
    yield Scenario("under the limit beside probes and others' requests that fail", (*healthy, *broken))


def _failing_with_few(least: int, ignored: Sequence[str]) -> Iterator[Scenario]:
    if not least:
        yield Scenario("a single request", (requests("error", 1),), Firing())
        return

    def few(count: float) -> tuple[Signal, ...]:
        first = requests("error", count / 2)
        return (first, requests("error", count - count / 2, instance="api:2"))

    many = 100 * least
    others = (*not_work(many, ignored), *of_others(requests("success", many)))
    yield Scenario("just enough requests", few(least), Firing())
    yield Scenario("just too few requests, but many that are not work, or of others", (*few(fewer(least)), *others))


def _failing_in_the_window(limit: float, least: int) -> Iterator[Scenario]:
    many = _at_least(least)
    failing = requests("error", 10 * many)
    good = late(requests("success", many))
    yield Scenario("errors, and none when those are older than the window", (failing, *good), Firing(), Span.WINDOW)
    if least:
        few = late(requests("error", fewer(least), instance="api:2"))
        yield Scenario("errors, and too few requests when those are older than the window", (failing, *few), Firing(),
                       Span.WINDOW)  # fmt: skip
    flood = requests("success", many * (2 / max(limit, 1e-9)))
    errors = late(requests("error", many))
    yield Scenario("good requests, and only errors when those are older than the window", (flood, *errors), Firing(),
                   Span.NEXT_WINDOW)  # fmt: skip


def _at_least(least: int) -> int:
    """A round number of requests that is enough."""
    return _MANY * max(1, -(-least // _MANY))
