"""The totals of the store: counters and histograms that only grow, as the ledger keeps them."""

import math
from collections.abc import Mapping, Sequence
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
