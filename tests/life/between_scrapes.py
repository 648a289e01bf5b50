"""When no target is being scraped: a Prometheus that ends in the middle of a scrape counts it as missed."""

import time
from collections.abc import Sequence

from tests.servers import query

Scrape = tuple[float, float]
"""When it begins and how long it takes, in seconds."""


def wait_until_nothing_is_scraped(url: str, interval_s: float) -> None:
    """Return in the middle of the longest time between two scrapes of a Prometheus, each of which is made so often.

    Targets that are down, or hang, do not count: their scrapes are missed anyway.
    """
    begun = {_target(labels): value for labels, value in query(url, "timestamp(up) and (up == 1)")}
    lasted = {_target(labels): value for labels, value in query(url, "scrape_duration_seconds")}
    moment = quiet_moment([(at, lasted.get(target, 0.0)) for target, at in begun.items()], interval_s)
    time.sleep((moment - time.time()) % interval_s)


def quiet_moment(scrapes: Sequence[Scrape], interval_s: float) -> float:
    """The middle of the longest time without a scrape, in seconds after any multiple of the interval."""
    busy = sorted((begins % interval_s, lasts) for begins, lasts in scrapes)
    again = [(begins + interval_s, lasts) for begins, lasts in busy]
    longest, moment, ends = 0.0, 0.0, max((begins + lasts for begins, lasts in busy), default=0.0)
    for begins, lasts in again:
        if begins - ends > longest:
            longest, moment = begins - ends, (begins + ends) / 2
        ends = max(ends, begins + lasts)
    return moment % interval_s


def _target(labels: dict[str, str]) -> tuple[str, str]:
    return labels["job"], labels["instance"]
