"""What a drift check compares: a reference and current data, each from the log or from a file."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.application.operation import Operation
from facemon.domain.drift_result import Check, Side
from facemon.errors import FacemonError

if TYPE_CHECKING:
    import pyarrow as pa

    from facemon.config.drift import DriftConfig
    from facemon.domain.labelled import LabelledCount
    from facemon.drift.sample import Sample
    from facemon.drift.tables import TableLayout
    from facemon.drift.window_cut import CutWindow
    from facemon.drift.window_ladder import Ladder
    from facemon.store.arrivals import Arrivals
    from facemon.store.ledger.protocol import Ledger
    from facemon.store.named_reference import Reference
    from facemon.tables.table_file import TableFile

_MICROSECOND, _HOUR = timedelta(microseconds=1), timedelta(hours=1)
_SET_TABLE = "--reference FILE names a table to compare with; facemon reference set FILE keeps one for later checks"


@dataclass(frozen=True, slots=True)
class Window:
    """A span of `observed_at`, and the one source that is wanted, if it is."""

    since: datetime
    until: datetime
    source: str | None = None


@dataclass(frozen=True, slots=True)
class ComparedSide:
    """One side: its counts, what it is, and how to get at its rows when a report needs them."""

    sample: "Sample"
    side: Side
    rows: "Callable[[], pa.Table]"
    ignored: frozenset[str] = frozenset()
    """Columns of a table that `tables.kinds` leaves out."""
    cut: "CutWindow | None" = None
    """Of a window of the log: what the reference's own window left of it."""
    arrivals: "Arrivals | None" = None
    """Of a window of the log: the rows that no check of record has read, in the same state of the ledger."""
    ladder: "Ladder | None" = None
    """Of a window of the log: it and the longer ones that were read."""


def reference_side(
    operation: Operation,
    ledger: "Ledger | None",
    given: Path | str | None,
    checks: Collection[Check],
    *,
    model: str,
    for_log: bool,
    source: str | None = None,
    keeps_counts: bool = False,
) -> "tuple[ComparedSide, TableLayout, Reference | None]":
    """The reference: a file, the one of a name, that of `drift.reference`, or the newest that was set.

    With `for_log` a table is counted in the log's bins, because the other side comes from there. Where one `source`
    is wanted, the other sources are not counted separately. With `keeps_counts` the counts of a table
    may be written to the ledger.
    """
    from facemon.drift.reference_sample import choose_reference, reference_sample, side_of
    from facemon.drift.tables import LOG_LAYOUT
    from facemon.store.references import list_references, no_reference, reference_file

    fixed = LOG_LAYOUT if for_log else None
    if isinstance(given, Path):
        side, layout = _table(operation, given, checks, layout=fixed, source=source)
        return side, layout, None
    if ledger is None and for_log:
        operation.open_ledger()  # which says that there is none, and where it was looked for
    if ledger is None or not (for_log or list_references(ledger)):
        raise no_reference(_SET_TABLE)
    config = operation.config
    reference = choose_reference(ledger, given or config.drift.reference, model)
    sample, layout = reference_sample(
        ledger,
        reference,
        attributes=config.model.attributes,
        tables=config.tables,
        checks=checks,
        layout=fixed,
        source=source,
        keeps_counts=keeps_counts,
    )
    rows = _table_rows(operation, reference_file(ledger, reference), source)
    ignored = _ignored(operation) if reference.origin == "file" else frozenset[str]()
    return ComparedSide(sample, side_of(reference), rows, ignored), layout, reference


def of_one_source(side: ComparedSide, source: str) -> ComparedSide:
    """Only the rows of one source; within it each image is a cluster of its own."""
    return replace(side, sample=side.sample.of_source(source))


def current_table(
    operation: Operation, table: "Path | TableFile", checks: Collection[Check], layout: "TableLayout"
) -> ComparedSide:
    """A table of current rows, counted in the reference's layout."""
    from facemon.drift.tables import count_sample

    if isinstance(table, Path):
        return _table(operation, table, checks, layout=layout)[0]
    attributes, tables = operation.config.model.attributes, operation.config.tables
    sample = count_sample(table, attributes=attributes, tables=tables, layout=layout, checks=checks)
    return ComparedSide(sample, Side(sample.rows), _table_rows(operation, table, None), _ignored(operation))


def current_window(
    operation: Operation,
    ledger: "Ledger",
    window: Window,
    reference: "Reference | None",
    model: str,
    *,
    normal: "Sample",
    checks: Collection[Check],
    settings: "DriftConfig",
) -> ComparedSide:
    """The log's rows of a model in a window, without those of the reference's own window.

    Where the window is of the configured length, longer ones are read as far as the number of rows asks for them.
    """
    from facemon.drift.log_windows import read_log_windows
    from facemon.drift.window_cut import cut_window

    taken, config = _span_of(reference), operation.config
    cut = cut_window(window.since, window.until, taken, name=reference.name if reference else None)
    with ledger.reading():
        arrivals = ledger.arrivals.read(model)
        ladder = read_log_windows(
            ledger,
            cut,
            normal,
            model=model,
            source=window.source,
            checks=checks,
            attributes=config.model.attributes,
            settings=settings,
            labels=_current_labels(ledger, model, cut, config.drift.accuracy_window, reference),
            widen_to=settings.widen_to if window.until - window.since == settings.window else timedelta(0),
            not_before=taken[1] if taken and taken[1] <= cut.since else None,
        )
    side = Side(0, since=ladder.longest.rung.since, until=cut.until)
    span = (ladder.longest.rung.since, cut.since if cut.empty_because else cut.until)

    def rows() -> "pa.Table":
        from facemon.store.row_samples import sample_rows

        wanted, most = window.source, config.drift.evidently.max_rows
        of_source = None if wanted is None else ladder.longest.sample.rows
        found = sample_rows(ledger, *span, model=model, most=most, source=wanted, rows_of_source=of_source)
        if found is None:
            raise FacemonError("the window has no rows that Evidently could be given", "name a longer one with --since")
        return found

    return ComparedSide(ladder.longest.sample, side, rows, cut=cut, arrivals=arrivals, ladder=ladder)


def _span_of(reference: "Reference | None") -> tuple[datetime, datetime] | None:
    """The window that the reference's rows were taken from, if they were."""
    return (reference.since, reference.until) if reference and reference.since and reference.until else None


def _current_labels(
    ledger: "Ledger", model: str, cut: "CutWindow", span: timedelta, reference: "Reference | None"
) -> "list[LabelledCount]":
    """The labels up to the end of what is left of the window, as far back as `span` says, none of the reference's."""
    from facemon.domain.times import hour_of
    from facemon.drift.reference_sample import hours_of

    if cut.empty_because is not None:
        return []
    end, taken = hour_of(cut.until - _MICROSECOND) + 1, _span_of(reference)
    first_taken, end_taken = hours_of(reference) or (end, 0)
    if taken is not None and cut.until <= taken[0]:
        end, end_taken = min(end, first_taken), 0
    first = max(end + -span // _HOUR, end_taken)  # rounded away from the end, so that half an hour is one
    return ledger.evaluations.labelled(model, first, end)


def _table(
    operation: Operation,
    path: Path,
    checks: Collection[Check],
    *,
    layout: "TableLayout | None",
    source: str | None = None,
) -> "tuple[ComparedSide, TableLayout]":
    from facemon.drift.tables import read_reference, read_sample

    attributes, tables = operation.config.model.attributes, operation.config.tables
    if layout is None:
        sample, layout = read_reference(path, attributes=attributes, tables=tables, checks=checks)
    else:
        sample = read_sample(path, attributes=attributes, tables=tables, layout=layout, checks=checks, source=source)
    side, rows = Side(sample.rows, path.name, "predictions"), _table_rows(operation, path, source)
    return ComparedSide(sample, side, rows, _ignored(operation)), layout


def _ignored(operation: Operation) -> frozenset[str]:
    return frozenset(name for name, kind in operation.config.tables.kinds.items() if kind == "ignore")


def _table_rows(operation: Operation, table: "Path | TableFile", source: str | None) -> "Callable[[], pa.Table]":
    def rows() -> "pa.Table":
        from facemon.drift.table_sample import sampled_rows

        config = operation.config
        most, attributes = config.drift.evidently.max_rows, config.model.attributes
        return sampled_rows(table, attributes=attributes, tables=config.tables, most=most, source=source)

    return rows
