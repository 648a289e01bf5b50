"""A sample of the log's rows, spread evenly over a window, for callers that cannot take all of them."""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute

from facemon.domain.times import micros
from facemon.store.ledger.protocol import Ledger
from facemon.store.segment_files import read_rows

_SEED = 0


def sample_rows(
    ledger: Ledger,
    since: datetime,
    until: datetime,
    *,
    model: str,
    most: int,
    source: str | None = None,
    rows_of_source: int | None = None,
) -> pa.Table | None:
    """About `most` rows of a model observed in `[since, until)`, the same ones each time; None where there are none.

    Each segment gives its share, so that no more than two are in memory at a time. With `source` only that one's, of
    which the window has `rows_of_source`.
    """
    random = np.random.default_rng(_SEED)
    with ledger.reading():
        segments = ledger.segments.within(micros(since), micros(until), model)
        held = sum(segment.rows for segment in segments) if rows_of_source is None else rows_of_source
        share = min(1.0, most / max(1, held))
        parts = []
        for whole in read_rows(ledger, segments, micros(since), micros(until)):
            table = whole if source is None else whole.filter(pa.compute.equal(whole["source"], source))
            kept = np.flatnonzero(random.random(table.num_rows) < share) if share < 1 else None
            parts.append(table if kept is None else table.take(pa.array(kept)))
    found = pa.concat_tables(parts, promote_options="default") if parts else None
    return found if found is not None and found.num_rows else None
