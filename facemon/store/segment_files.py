"""How a segment's rows become bytes and back: Parquet in a file, or Arrow in the ledger."""

import errno
import hashlib
import os
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
from facemon.domain.times import from_micros
from facemon.errors import FacemonError
from facemon.files import sync_folder
from facemon.store.ledger.protocol import Ledger
from facemon.store.permissions import GIVE_BACK, make_file, make_folder
from facemon.store.recovery import draft_of
from facemon.store.segment import Segment

_ROW_GROUP_ROWS = 65_536


class SegmentGoneError(FacemonError):
    """A segment that was registered is so no more: compaction folded it, or retention removed it."""


class SegmentDamagedError(FacemonError):
    """A segment's rows cannot be had from its file or its bytes, which are missing or not what was written."""

    def __init__(self, where: Path | str, fault: str) -> None:
        super().__init__(f"the segment {where} {fault}", "facemon store repair shows how to go on without it")
        self.fault = fault
        """What is wrong with it, as the end of a sentence."""


_CHANGED = "is not the file that was written"
SIGNS_OF_DAMAGE = {None, errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.EIO}
"""Of an OSError on reading; pyarrow gives none for bytes that it cannot decode. Others, such as a permission that is
missing or too many open files, say nothing about the rows."""


def segment_path(segment: str, observed: datetime) -> str:
    """Where a segment's file lies below the store's folder."""
    return f"segments/date={observed:%Y-%m-%d}/{segment}.parquet"


def write_parquet(path: Path, table: pa.Table) -> str:
    """Write a file whole or not at all, on the disk before this returns; answer its sha256."""
    return _write_whole(path, partial(_write_table, table))


def write_parquet_bytes(path: Path, content: bytes) -> str:
    """Write the bytes of a segment from elsewhere as `write_parquet` does; answer their sha256."""
    return _write_whole(path, lambda draft: draft.write_bytes(content))


def encode_parquet(table: pa.Table) -> bytes:
    """Return the bytes of the file that `write_parquet` writes."""
    sink = pa.BufferOutputStream()
    _write_table(table, sink)
    return sink.getvalue().to_pybytes()


def _write_table(table: pa.Table, target: Path | pa.NativeFile) -> None:
    pa.parquet.write_table(table, target, compression="zstd", row_group_size=_ROW_GROUP_ROWS)


def _write_whole(path: Path, write: Callable[[Path], object]) -> str:
    draft = draft_of(path)
    try:
        make_folder(path.parent)
        make_file(draft)
        write(draft)
        with draft.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        draft.rename(path)
        sync_folder(path.parent)
        sync_folder(path.parent.parent)
    except OSError as error:
        with suppress(OSError):  # the folder may be what is wrong
            draft.unlink(missing_ok=True)
        # pyarrow puts a sentence of its own around the system's reason.
        reason = os.strerror(error.errno) if error.errno else str(error)
        hint = GIVE_BACK if isinstance(error, PermissionError) else None
        raise FacemonError(f"{path} cannot be written: {reason}", hint) from error
    return digest


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
    proven: bool = False,
) -> pa.Table:
    """A segment's rows, with those of `columns` that it has, or all, but `without`.

    With `span` at least the rows that were observed within it. With `encoded` a file's labels come as
    dictionaries, which are cheap to count. With `proven` a file's sha256 is compared first, which reads all of it:
    another segment's file, or a flipped bit, may be read without an error.

    SegmentDamagedError when its file is missing or damaged, FacemonError when it cannot be read for another reason;
    SegmentGoneError when the ledger has it no more.
    """
    return _explained(ledger, segment, _reading(ledger, segment, columns, without, span, encoded, proven))


def read_places(ledger: Ledger, segment: Segment, places: NDArray[np.intp]) -> pa.Table:
    """Some rows of a segment, with all its columns, by their ascending places in it; errors as of `read_segment`.

    No more than one row group of a file is in memory beside them.
    """
    if segment.path is None:
        read = partial(_read_inline, ledger, segment, None, ())
        return _explained(ledger, segment, read).take(pa.array(places))
    return _explained(ledger, segment, partial(_read_parquet_places, ledger.folder / segment.path, places))


def _read_parquet_places(path: Path, places: NDArray[np.intp]) -> pa.Table:
    with pa.parquet.ParquetFile(path) as file:
        sizes = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
        begins = np.cumsum([0, *sizes])
        groups = np.searchsorted(begins, places, "right") - 1
        return pa.concat_tables(
            file.read_row_group(group).take(pa.array(places[groups == group] - begins[group]))
            for group in np.unique(groups).tolist()
        )


def _reading(
    ledger: Ledger,
    segment: Segment,
    columns: Sequence[str] | None,
    without: Collection[str],
    span: tuple[int, int] | None,
    encoded: bool,
    proven: bool,
) -> Callable[[], pa.Table]:
    """What reads a segment; where that is a file, it may be called on any thread."""
    if segment.path is None:
        return partial(_read_inline, ledger, segment, columns, without)
    return partial(_read_parquet, ledger.folder / segment.path, segment, columns, without, span, encoded, proven)


def _explained(ledger: Ledger, segment: Segment, read: Callable[[], pa.Table]) -> pa.Table:
    where = segment.id if segment.path is None else ledger.folder / segment.path
    try:
        return read()
    except (OSError, pa.ArrowException, SegmentDamagedError) as error:
        if not ledger.segments.has(segment.id):
            raise SegmentGoneError(f"the segment {where} has just been replaced or removed", "run again") from error
        if isinstance(error, SegmentDamagedError):
            raise
        if isinstance(error, OSError) and error.errno not in SIGNS_OF_DAMAGE:
            raise FacemonError(
                f"the segment {where} cannot be read: {os.strerror(error.errno or 0)}",
                "run facemon as the user that the store belongs to, and check the file's permissions",
            ) from error
        fault = "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read: {error}"
        raise SegmentDamagedError(where, fault) from error


def is_as_written(path: Path, sha256: str) -> bool:
    """Whether a file has the bytes that a segment was registered with; OSError when it cannot be read."""
    if path.exists() and not path.is_file():
        return False  # a pipe would be waited for
    return sha256_of(path) == sha256


def sha256_of(path: Path) -> str:
    """A file's sha256 in hexadecimal; OSError when it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _chosen(held: Sequence[str], columns: Sequence[str] | None, without: Collection[str]) -> list[str]:
    return [name for name in (held if columns is None else columns) if name in held and name not in without]


def _read_inline(ledger: Ledger, segment: Segment, columns: Sequence[str] | None, without: Collection[str]) -> pa.Table:
    data = ledger.segments.data(segment.id)
    if data is None:
        raise FileNotFoundError(segment.id)
    table = pa.ipc.open_stream(pa.BufferReader(data)).read_all()
    if table.num_rows != segment.rows:
        raise SegmentDamagedError(segment.id, f"has {table.num_rows} rows, the ledger says {segment.rows}")
    return table.select(_chosen(table.column_names, columns, without))


def _read_parquet(
    path: Path,
    segment: Segment,
    columns: Sequence[str] | None,
    without: Collection[str],
    span: tuple[int, int] | None,
    encoded: bool,
    proven: bool,
) -> pa.Table:
    if proven and not is_as_written(path, segment.sha256):
        raise SegmentDamagedError(path, _CHANGED)
    with pa.parquet.ParquetFile(path, read_dictionary=_labels(path) if encoded else None) as file:
        if file.metadata.num_rows != segment.rows or "observed_at" not in file.schema_arrow.names:
            raise SegmentDamagedError(path, _CHANGED)
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
    proven: bool = False,
    left_out: list[SegmentDamagedError] | None = None,
) -> Iterator[pa.Table]:
    """The rows of each segment that were observed in `[since, until)` (microseconds); see `read_segment`.

    A damaged segment ends the reading, unless there is a list, `left_out`, to which its error is added.

    Files are read on a thread, which begins at once and stays one segment ahead of who takes the rows.
    """
    wanted = None if columns is None else list(dict.fromkeys([*columns, "observed_at"]))
    pool = ThreadPoolExecutor(1, "read-ahead")

    def begin(segment: Segment) -> _Begun:
        is_cut = segment.first_observed < since or segment.last_observed >= until
        read = _reading(ledger, segment, wanted, without, (since, until) if is_cut else None, encoded, proven)
        return _Begun(segment, is_cut, read if segment.path is None else pool.submit(read).result)

    begun = map(begin, segments)
    return _rows_within(ledger, since, until, pool, next(begun, None), begun, left_out)


@dataclass(frozen=True, slots=True)
class _Begun:
    """A segment that is being read, and how to get at its rows."""

    segment: Segment
    is_cut: bool
    read: Callable[[], pa.Table]


def _rows_within(
    ledger: Ledger,
    since: int,
    until: int,
    pool: ThreadPoolExecutor,
    first: _Begun | None,
    rest: Iterator[_Begun],
    left_out: list[SegmentDamagedError] | None,
) -> Iterator[pa.Table]:
    following = first
    with pool:
        while (begun := following) is not None:
            following = next(rest, None)
            try:
                table = _explained(ledger, begun.segment, begun.read)
            except SegmentDamagedError as error:
                if left_out is None:
                    raise
                left_out.append(error)
                continue
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
