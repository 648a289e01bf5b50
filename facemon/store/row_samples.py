"""A sample of the log's rows, spread evenly over a window, for whoever cannot take all of them."""

from datetime import datetime

import numpy as np
import pyarrow as pa

from facemon.store.ledger import Ledger
from facemon.store.segment_files import list_segments, read_rows
from facemon.values.times import micros

_SEED = 0


def sample_rows(ledger: Ledger, since: datetime, until: datetime, *, model: str, most: int) -> pa.Table | None:
    """About `most` rows of a model observed in `[since, until)`, the same ones each time; None where there are none.

    Each segment gives its share, so that only one is in memory at a time.
    """
    random = np.random.default_rng(_SEED)
    with ledger.reading() as connection:
        segments = list_segments(connection, micros(since), micros(until), model)
        share = min(1.0, most / max(1, sum(segment.rows for segment in segments)))
        parts = []
        for table in read_rows(ledger, segments, micros(since), micros(until)):
            kept = np.flatnonzero(random.random(table.num_rows) < share) if share < 1 else None
            parts.append(table if kept is None else table.take(pa.array(kept)))
    return pa.concat_tables(parts, promote_options="default") if parts else None
