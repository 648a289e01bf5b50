"""How a segment's rows become bytes and back: Parquet in a file, or Arrow in the ledger."""

import hashlib
import os
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.ipc
import pyarrow.parquet
from numpy.typing import NDArray

from facemon.config.model import LOG_COLUMNS
from facemon.errors import FacemonError
from facemon.store.ledger import Ledger
from facemon.store.recovery import draft_of
from facemon.values.times import from_micros

ROW_GROUP_ROWS = 65_536


@dataclass(frozen=True, slots=True)
class Segment:
    """A registered segment: a Parquet file below the store's folder, or, without a path, bytes in the ledger."""

    id: str
    path: str | None
    rows: int
    model: str
    first_observed: int
    """Microseconds since 1970, as is `last_observed`; both lie in the segment."""
    last_observed: int
    sha256: str
    last_predicted: int | None = None
    """None where a version of facemon wrote it that did not keep this: its rows tell."""


class SegmentGoneError(FacemonError):
    """A segment that was registered is so no more: compaction folded it, or retention removed it."""


_COLUMNS = "id, path, rows, model, first_observed, last_observed, sha256, last_predicted"


def list_segments(
    connection: sqlite3.Connection, since: int | None = None, until: int | None = None, model: str | None = None
) -> list[Segment]:
    """The segments with rows in `[since, until)` (microseconds), oldest first."""
    conditions, values = ["1"], list[object]()
    for condition, value in (("last_observed >= ?", since), ("first_observed < ?", until), ("model = ?", model)):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    query = f"SELECT {_COLUMNS} FROM segments WHERE {' AND '.join(conditions)} ORDER BY first_observed, id"  # noqa: S608
    return [Segment(*row) for row in connection.execute(query, values)]


def segment_path(segment: str, observed: datetime) -> str:
    """Where a segment's file lies below the store's folder."""
    return f"segments/date={observed:%Y-%m-%d}/{segment}.parquet"


def write_parquet(path: Path, table: pa.Table) -> str:
    """Write a file whole or not at all, on the disk before this returns; answer its sha256."""
    draft = draft_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        pa.parquet.write_table(table, draft, compression="zstd", row_group_size=ROW_GROUP_ROWS)
        with draft.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        draft.rename(path)
        _sync_folder(path.parent)
        _sync_folder(path.parent.parent)
    except OSError as error:
        with suppress(OSError):  # the folder may be what is wrong
            draft.unlink(missing_ok=True)
        # pyarrow puts a sentence of its own around the system's reason.
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise FacemonError(f"{path} cannot be written: {reason}") from error
    return digest


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def encode_inline(table: pa.Table) -> bytes:
    """A small table as one compressed Arrow stream."""
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def read_segment(
    ledger: Ledger,
    segment: Segment,
    columns: Sequence[str] | None = None,
    *,
    without: Collection[str] = (),
    span: tuple[int, int] | None = None,
    encoded: bool = False,
) -> pa.Table:
    """A segment's rows, with those of `columns` that it has, or all, but `without`.

    With `span` at least the rows that were observed within it. With `encoded` a file's labels come as
    dictionaries, which are cheap to count.

    FacemonError when its file is gone or damaged; SegmentGoneError when the ledger has it no more.
    """
    return _explained(ledger, segment, _reading(ledger, segment, columns, without, span, encoded))


def _reading(
    ledger: Ledger,
    segment: Segment,
    columns: Sequence[str] | None,
    without: Collection[str],
    span: tuple[int, int] | None,
    encoded: bool,
) -> Callable[[], pa.Table]:
    """What reads a segment; where that is a file, it may be called on any thread."""
    if segment.path is None:
        return partial(_read_inline, ledger, segment, columns, without)
    return partial(_read_parquet, ledger.folder / segment.path, columns, without, span, encoded)


def _explained(ledger: Ledger, segment: Segment, read: Callable[[], pa.Table]) -> pa.Table:
    where = segment.id if segment.path is None else ledger.folder / segment.path
    try:
        return read()
    except (OSError, pa.ArrowException) as error:
        if not ledger.connection.execute("SELECT 1 FROM segments WHERE id = ?", (segment.id,)).fetchone():
            raise SegmentGoneError(f"the segment {where} has just been replaced or removed", "run again") from error
        raise FacemonError(
            f"the segment {where} cannot be read: {error}", "facemon store verify tells what else is damaged"
        ) from error


def _chosen(held: Sequence[str], columns: Sequence[str] | None, without: Collection[str]) -> list[str]:
    return [name for name in (held if columns is None else columns) if name in held and name not in without]


def _read_inline(ledger: Ledger, segment: Segment, columns: Sequence[str] | None, without: Collection[str]) -> pa.Table:
    row = ledger.connection.execute("SELECT data FROM segments WHERE id = ?", (segment.id,)).fetchone()
    if row is None:
        raise FileNotFoundError(segment.id)
    table = pa.ipc.open_stream(pa.BufferReader(row[0])).read_all()
    return table.select(_chosen(table.column_names, columns, without))


def _read_parquet(
    path: Path,
    columns: Sequence[str] | None,
    without: Collection[str],
    span: tuple[int, int] | None,
    encoded: bool,
) -> pa.Table:
    with pa.parquet.ParquetFile(path, read_dictionary=_labels(path) if encoded else None) as file:
        known = _chosen(file.schema_arrow.names, columns, without)
        if span is None:
            return file.read(columns=known)
        return file.read_row_groups(_groups_within(file, *span), columns=known)


def _labels(path: Path) -> list[str]:
    return [
        field.name
        for field in pa.parquet.read_schema(path)
        if pa.types.is_string(field.type) and field.name not in LOG_COLUMNS
    ]


def _groups_within(file: pa.parquet.ParquetFile, since: int, until: int) -> list[int]:
    """The row groups that may hold rows observed in `[since, until)`."""
    groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
    kept = []
    for number, group in enumerate(groups):
        chunks = (group.column(at) for at in range(group.num_columns))
        bounds = next(chunk.statistics for chunk in chunks if chunk.path_in_schema == "observed_at")
        if bounds is None or not bounds.has_min_max or (bounds.max_raw >= since and bounds.min_raw < until):
            kept.append(number)
    return kept


def read_rows(
    ledger: Ledger,
    segments: Iterable[Segment],
    since: int,
    until: int,
    columns: Sequence[str] | None = None,
    *,
    without: Collection[str] = (),
    encoded: bool = False,
) -> Iterator[pa.Table]:
    """The rows of each segment that were observed in `[since, until)` (microseconds); see `read_segment`.

    Files are read on a thread, which begins at once and stays one segment ahead of who takes the rows.
    """
    wanted = None if columns is None else list(dict.fromkeys([*columns, "observed_at"]))
    pool = ThreadPoolExecutor(1, "read-ahead")

    def begin(segment: Segment) -> _Begun:
        is_cut = segment.first_observed < since or segment.last_observed >= until
        read = _reading(ledger, segment, wanted, without, (since, until) if is_cut else None, encoded)
        return _Begun(segment, is_cut, read if segment.path is None else pool.submit(read).result)

    begun = map(begin, segments)
    return _rows_within(ledger, since, until, pool, next(begun, None), begun)


@dataclass(frozen=True, slots=True)
class _Begun:
    """A segment that is being read, and how to get at its rows."""

    segment: Segment
    is_cut: bool
    read: Callable[[], pa.Table]


def _rows_within(
    ledger: Ledger, since: int, until: int, pool: ThreadPoolExecutor, first: _Begun | None, rest: Iterator[_Begun]
) -> Iterator[pa.Table]:
    following = first
    with pool:
        while (begun := following) is not None:
            following = next(rest, None)
            table = _explained(ledger, begun.segment, begun.read)
            if begun.is_cut:
                observed = table["observed_at"].cast(pa.int64()).to_numpy()
                table = _only(table, (observed >= since) & (observed < until))
            if table.num_rows:
                yield table


def _only(table: pa.Table, inside: NDArray[np.bool_]) -> pa.Table:
    """The rows inside; without a copy where they lie together, as they do in order of time."""
    places = np.flatnonzero(inside)
    if len(places) and places[-1] - places[0] + 1 == len(places):
        return table.slice(int(places[0]), len(places))
    return table.filter(pa.array(inside))


def observed_range(table: pa.Table) -> tuple[int, int]:
    """The first and the last `observed_at` of a table, in microseconds."""
    bounds = pa.compute.min_max(table["observed_at"].cast(pa.int64())).as_py()
    return bounds["min"], bounds["max"]


def last_predicted(table: pa.Table) -> int:
    """When the last row of a table was predicted, in microseconds; when it was observed where no row tells."""
    last = pa.compute.max(table["predicted_at"].cast(pa.int64())).as_py()
    return observed_range(table)[1] if last is None else int(last)


def split_by_date(table: pa.Table) -> Iterator[tuple[datetime, pa.Table]]:
    """The table in one piece for each UTC date of `observed_at`, rows in order."""
    day = 86_400_000_000
    # Rounds down before 1970 too, where Arrow's division would round up.
    days = table["observed_at"].cast(pa.int64()).to_numpy() // day
    for number in dict.fromkeys(days.tolist()):
        yield from_micros(number * day), table.filter(pa.array(days == number))
