"""The images whose rows lie where a column has grown most beside the reference, with thumbnails of their files."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facemon.application.operation import Operation
from facemon.domain.column_shape import ColumnShape
from facemon.domain.drift_result import Verdict
from facemon.domain.image_input import ImageProblem
from facemon.domain.period_report import ColumnBeside, PeriodReport, Thumbnail
from facemon.domain.times import micros

if TYPE_CHECKING:
    import pyarrow as pa

    from facemon.model.thumbnails import Thumbnails
    from facemon.store.ledger.protocol import Ledger

_MOST_COLUMNS, _MOST_IMAGES = 4, 6
_DERIVED = ("image_failed", "image_no_face", "image_faces")
"""Columns of profiles that the log does not have."""
_NOT_THE_SAME = "the file has changed"
_NO_HASH = "no hash was logged: the file may have changed"
_NAMES = ("image", "image_sha256", "source")


@dataclass(frozen=True, slots=True)
class _Group:
    """The label or the range of a column that has grown most, and by which share."""

    column: str
    name: str
    growth: float
    label: str | None = None
    low: float | None = None
    high: float | None = None


def moved_images(operation: Operation, ledger: "Ledger", report: PeriodReport) -> tuple[Thumbnail, ...]:
    """The newest images of the groups that grew most in the report's last window, of drifted columns first.

    Rows are read, the newest first, until there are enough. Paths are those that were logged, relative to the present
    folder; a file whose hash is not the logged one is not shown.
    """
    from facemon.model.thumbnails import Thumbnails

    groups = _groups(report)
    made = Thumbnails(operation.config.predict)
    found: dict[_Group, list[Thumbnail]] = {group: [] for group in groups}
    for table in _newest_tables(ledger, report, [group.column for group in groups]):
        for group, thumbnails in found.items():
            if group.column in table.column_names:
                taken = {each.image for each in thumbnails}
                rows = (row for row in _rows_of(table, group, report.source) if row["image"] not in taken)
                for row, _ in zip(rows, range(_MOST_IMAGES - len(thumbnails)), strict=False):
                    thumbnails.append(_thumbnail(made, group, row))
        if all(len(each) >= _MOST_IMAGES for each in found.values()):
            break
    return tuple(each for thumbnails in found.values() for each in thumbnails)


def _groups(report: PeriodReport) -> list[_Group]:
    """The groups that grew most, one for each column: of columns that the last check found drifted first."""
    last = report.checks[-1] if report.checks else None
    drifted = {
        column.column
        for outcome in (last.checks.values() if last else ())
        for column in outcome.columns
        if column.verdict is Verdict.DRIFT
    }
    grown = [_most_grown(each, each.shape) for each in report.beside.columns if each.shape is not None]
    kept = [each for each in grown if each is not None and each.growth > 0]
    return sorted(kept, key=lambda each: (each.column not in drifted, -each.growth))[:_MOST_COLUMNS]


def _most_grown(column: ColumnBeside, shape: ColumnShape) -> _Group | None:
    """The label or range of a column that has grown most; None for a column that the log does not have."""
    if column.column in _DERIVED:
        return None
    first = len(shape.groups) - len(shape.cuts) if shape.is_ordered else 0
    growth = [now - before for before, now in zip(shape.reference, shape.current, strict=True)]
    places = range(first, len(shape.groups))
    if not places:
        return None
    at = max(places, key=lambda place: growth[place])
    if not shape.is_ordered:
        return _Group(column.column, shape.groups[at], growth[at], label=shape.groups[at])
    cut = at - first
    low = shape.cuts[cut] if cut else None
    high = shape.cuts[cut + 1] if cut + 1 < len(shape.cuts) else None
    return _Group(column.column, shape.groups[at], growth[at], low=low, high=high)


def _newest_tables(ledger: "Ledger", report: PeriodReport, columns: list[str]) -> "Iterator[pa.Table]":
    """The rows of the report's last window, segment by segment, the newest first; damaged segments are left out."""
    from facemon.store.segment_files import SegmentDamagedError, read_rows

    since, until = micros(report.beside.since), micros(report.beside.until)
    segments = ledger.segments.within(since, until, report.model)
    segments.sort(key=lambda each: each.last_observed, reverse=True)
    left_out: list[SegmentDamagedError] = []
    for segment in segments:
        yield from read_rows(ledger, [segment], since, until, [*_NAMES, *columns], left_out=left_out)


def _rows_of(table: "pa.Table", group: _Group, source: str | None) -> "Iterator[dict[str, Any]]":
    """The rows of a group, the newest first, each image once."""
    import pyarrow as pa
    import pyarrow.compute

    column = table[group.column]
    if group.label is not None:
        inside = pa.compute.equal(column.cast(pa.string()), group.label)
    else:
        inside = pa.compute.is_valid(column)
        if group.low is not None:
            inside = pa.compute.and_(inside, pa.compute.greater_equal(column, group.low))
        if group.high is not None:
            inside = pa.compute.and_(inside, pa.compute.less(column, group.high))
    if source is not None:
        inside = pa.compute.and_(inside, pa.compute.equal(table["source"], source))
    kept = table.filter(pa.compute.fill_null(inside, False)).sort_by([("observed_at", "descending")])
    seen: set[str] = set()
    for row in kept.slice(0, 16 * _MOST_IMAGES).to_pylist():
        if row["image"] not in seen:
            seen.add(row["image"])
            yield row


def _thumbnail(made: "Thumbnails", group: _Group, row: dict[str, Any]) -> Thumbnail:
    value = row[group.column]
    shown = f"{value:.3g}" if isinstance(value, float) else str(value)
    facts = (group.column, group.name, row["image"], row["observed_at"], shown)
    content = made.read(Path(row["image"]))
    if isinstance(content, ImageProblem):
        return Thumbnail(*facts, None, content.message)
    known = row["image_sha256"]
    if known is not None and hashlib.sha256(content).hexdigest() != known:
        return Thumbnail(*facts, None, _NOT_THE_SAME)
    small = made.make(content)
    if isinstance(small, ImageProblem):
        return Thumbnail(*facts, None, small.message)
    return Thumbnail(*facts, small, None if known is not None else _NO_HASH)
