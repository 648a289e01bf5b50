"""The rows of one run, read back from the log in the order of its inputs."""

from collections.abc import Generator, Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from facemon.errors import FacemonError
from facemon.store.ledger.protocol import Ledger
from facemon.store.runs import Run, state_of
from facemon.store.segment import Segment
from facemon.store.segment_files import SegmentDamagedError, read_segment

_CLOCK_MARGIN = timedelta(days=1) // timedelta(microseconds=1)
"""Rows may be dated up to a day before the start of their run, where the clock was set back."""
_BATCH_ROWS = 4096


class _Part(NamedTuple):
    """A segment with rows of the run: the first and the last of their ordinals."""

    first: int
    last: int
    segment: Segment


def rows_of_run(ledger: Ledger, run: Run, schema: pa.Schema) -> Generator[pa.RecordBatch, None, None]:
    """Yield the rows of a run's inputs from the first on, all of them once, faces of an image in their order.

    Rows come with the columns of `schema`; one that the log does not have is null. Memory is needed for the segments
    whose ordinals overlap: of a run at one time few, of images from many days all. One state of the log is read, in a
    transaction that lasts until the last row is taken: close the generator when it is left before.

    FacemonError when the log has lost rows of the run, by retention or by damage; SegmentDamagedError names the damage.
    """
    damaged: list[SegmentDamagedError] = []
    done = 0
    with ledger.reading():
        for group in _overlapping(_parts(ledger, run, damaged)):
            table = _sorted(pa.concat_tables([_rows(ledger, part.segment, run, schema) for part in group]))
            ordinals = np.unique(table["ordinal"].to_numpy())
            if ordinals[0] != done or ordinals[-1] != done + len(ordinals) - 1:
                break
            done += len(ordinals)
            yield from table.to_batches(max_chunksize=_BATCH_ROWS)
    if done != run.done:
        raise damaged[0] if damaged else _lost(run)


def _parts(ledger: Ledger, run: Run, damaged: list[SegmentDamagedError]) -> Iterator[_Part]:
    state = state_of(ledger, run.id)
    for segment in ledger.segments.within(model=state.model):
        if segment.last_predicted is not None and segment.last_predicted < state.started - _CLOCK_MARGIN:
            continue
        try:
            table = read_segment(ledger, segment, ("run", "ordinal"))
        except SegmentDamagedError as error:
            damaged.append(error)
            continue
        bounds = pc.min_max(table["ordinal"].filter(pc.equal(table["run"], run.id))).as_py()
        if bounds["min"] is not None:
            yield _Part(bounds["min"], bounds["max"], segment)


def _overlapping(parts: Iterator[_Part]) -> Iterator[Sequence[_Part]]:
    """The parts in order of their ordinals; those with the same ordinals are together."""
    group: list[_Part] = []
    last = -1
    for part in sorted(parts, key=lambda each: each[:2]):
        if group and part.first > last:
            yield group
            group = []
        group.append(part)
        last = max(last, part.last)
    if group:
        yield group


def _rows(ledger: Ledger, segment: Segment, run: Run, schema: pa.Schema) -> pa.Table:
    table = read_segment(ledger, segment)
    table = table.filter(pc.equal(table["run"], run.id))
    columns = [
        table[field.name].cast(field.type) if field.name in table.column_names else pa.nulls(len(table), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _sorted(table: pa.Table) -> pa.Table:
    order = pc.sort_indices(table, [("ordinal", "ascending"), ("face", "ascending")])
    return table.take(order).combine_chunks()


def _lost(run: Run) -> FacemonError:
    instead = "finish the run with --resume and without -o, or begin a new one without --resume"
    if run.is_finished:
        instead = "what was retried is logged: leave out -o, or begin a new run without --retry-failed"
    return FacemonError(
        f"the log has lost rows of the {run.done} images that run {run.id} has predicted, so the file would lack them",
        instead,
    )
