"""Which rows of a store are delivered to a shared log: they stay as they are, and may go when they are there."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from facemon.domain.row_ranges import Ranges, inside, united
from facemon.store.ledger.protocol import Ledger


def are_all_sent(ledger: Ledger, table: pa.Table) -> bool:
    """Whether each row of a table is in a delivery that is there."""
    return all(inside(ordinals, ledger.nodes.sent(run)).all() for run, ordinals in ordinals_of(table))


def held(ledger: Ledger, run: str) -> Ranges:
    """Return the ordinals of a run that are delivered, or that the next delivery holds: a retry leaves them alone."""
    state = ledger.nodes.state()
    pending = () if state is None or state.pending is None else state.pending.rows.get(run, ())
    return united(ledger.nodes.sent(run), pending)


def ordinals_of(table: pa.Table) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Yield each run of a table with the ordinals of its rows."""
    runs, ordinals = table["run"].to_numpy(), table["ordinal"].to_numpy()
    for run in table["run"].unique().to_pylist():
        yield run, ordinals[runs == run]
