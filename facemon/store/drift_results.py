"""Drift results: every check as it was, and what the gauges show of the last decided one."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from facemon.domain.drift_result import DriftResult

if TYPE_CHECKING:
    from facemon.store.arrivals import Arrivals
    from facemon.store.ledger.protocol import Ledger


def record_drift(
    ledger: "Ledger", result: DriftResult, *, for_gauges: bool = True, arrivals: "Arrivals | None" = None
) -> None:
    """Enter a result and, with `for_gauges`, what the gauges of its model show of it.

    With `arrivals` the rows that they count are known to a check of record from now on.
    """
    with ledger.writing():
        ledger.checks.enter(result, for_gauges=for_gauges)
        if arrivals is not None:
            ledger.arrivals.mark_checked(arrivals)


def drift_history(ledger: "Ledger", limit: int | None = 20) -> Iterator[DriftResult]:
    """The newest results, newest first, read one after the other; all of them without a limit."""
    return ledger.checks.history(limit)
