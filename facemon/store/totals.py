"""The totals of the store: counters and histograms that only grow, as the ledger keeps them."""

import json
import math
import sqlite3
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple


class TotalKey(NamedTuple):
    """Which number: a metric, its label values in the catalogue's order, and the part of a histogram.

    `part` is empty for a counter, `sum` for a histogram's sum, else the upper edge of one bucket, whose
    count is its own (not cumulated).
    """

    metric: str
    labels: tuple[str, ...]
    part: str


Totals = dict[TotalKey, float]


def bucket_part(edges: Sequence[float], index: int) -> str:
    """How a bucket is named: by its upper edge."""
    return repr(float(edges[index])) if index < len(edges) else "+Inf"


def add_totals(connection: sqlite3.Connection, totals: Mapping[TotalKey, float], table: str = "totals") -> None:
    """Add to the totals, or with `table="departed"` to the counts of rows that are no longer there."""
    connection.executemany(
        f"INSERT INTO {table} VALUES (?, ?, ?, ?) "  # noqa: S608 - one of two names of ours
        "ON CONFLICT (metric, labels, part) DO UPDATE SET value = value + excluded.value",
        [(key.metric, json.dumps(key.labels, ensure_ascii=False), key.part, value) for key, value in totals.items()],
    )


def read_totals(connection: sqlite3.Connection, table: str = "totals") -> Totals:
    """All totals as committed."""
    rows = connection.execute(f"SELECT metric, labels, part, value FROM {table}")  # noqa: S608 - one of two names of ours
    try:
        return {TotalKey(metric, _decoded(labels), part): value for metric, labels, part, value in rows}
    except (ValueError, TypeError) as error:
        raise sqlite3.DatabaseError(f"a total cannot be decoded: {error}") from error


@lru_cache(maxsize=4096)
def _decoded(labels: str) -> tuple[str, ...]:
    """The label values of a total; a scrape reads the same ones each time, and a histogram's many times."""
    return tuple(json.loads(labels))


def sum_totals(*all_totals: Mapping[TotalKey, float]) -> Totals:
    """Totals added up."""
    sums: Totals = {}
    for totals in all_totals:
        for key, value in totals.items():
            sums[key] = sums.get(key, 0.0) + value
    return sums


def differences(left: Mapping[TotalKey, float], right: Mapping[TotalKey, float]) -> list[TotalKey]:
    """The keys whose values differ; sums of floats may differ by rounding."""
    return sorted(
        key
        for key in left.keys() | right.keys()
        if not math.isclose(
            left.get(key, 0.0), right.get(key, 0.0), rel_tol=1e-6 if key.part == "sum" else 0, abs_tol=1e-6
        )
    )
