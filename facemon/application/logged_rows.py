"""Rows of the log that a person looks for: the newest, those whose labels were most wrong, the most unusual images."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.application.left_out import refuse_left_out
from facemon.application.named_sources import refuse_unknown_sources
from facemon.application.operation import Operation
from facemon.application.row_filter import RowFilter, conditions_of, sources_of
from facemon.application.time_window import window_of
from facemon.errors import FacemonError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from facemon.config.model import AttributeConfig
    from facemon.drift.unusual_rows import Centre
    from facemon.evaluation.joined_labels import LeftOut
    from facemon.reports.printed_parts import Part
    from facemon.store.ledger.protocol import Ledger
    from facemon.store.row_conditions import RowCondition
    from facemon.store.row_search import RowSearch
    from facemon.store.segment_files import SegmentDamagedError
    from facemon.tables.table_file import TableFile

_MOST = 100_000
"""So many rows can be asked for in their order; they are held in memory."""
_SHOWN = 20
"""How many rows are shown by default."""
_DAY = timedelta(days=1)

Take = Callable[["pa.RecordBatch"], None]
Show = Callable[["Sequence[AttributeConfig]", "pa.Field | None"], AbstractContextManager[Take]]
"""Opens what shows the rows; it is given their attributes, and the column that they have beside those of the log."""


@dataclass(frozen=True, slots=True)
class LogRequest:
    """Which rows are looked for, and how many of them."""

    since: str | datetime | timedelta | None = None
    until: str | datetime | None = None
    """When the images were observed; None for all times."""
    model: str | None = None
    """Whose predictions; None for the configured model's."""
    chosen: RowFilter = field(default_factory=RowFilter)
    limit: int | None = _SHOWN
    """None for all rows."""
    worst: int | None = None
    """How many of the predictions of each attribute that `labels` prove wrong."""
    labels: "Path | TableFile | None" = None
    unusual: int | None = None
    """How many of the most unusual images."""


@dataclass(frozen=True, slots=True)
class LogSummary:
    """How many rows were shown, and of how many."""

    model: str
    shown: int
    matched: int
    limit: int | None
    """How many rows were asked for; None where that was all."""
    compared_with: str | None = None
    """What unusual rows were compared with."""
    labelled: int | None = None
    """How many predictions had a true label; `matched` of them were wrong."""
    unused: "tuple[LeftOut, ...]" = ()
    """Labels that were compared with no prediction."""
    unjudged: tuple[str, ...] = ()
    """Attributes whose labels were not compared, because the configuration does not describe them."""
    other_models: tuple[str, ...] = ()
    """Models of which the log has rows at that time, too."""
    left_out: "tuple[SegmentDamagedError, ...]" = ()

    def report(self) -> "Iterator[Part]":
        """Remarks on what was shown and what was not."""
        from facemon.reports.log_report import log_remarks

        return log_remarks(
            self.model,
            self.shown,
            self.matched,
            labelled=self.labelled,
            unused=self.unused,
            unjudged=self.unjudged,
            compared_with=self.compared_with,
            other_models=self.other_models,
        )

    def refuse_left_out(self, operation: Operation) -> None:
        """FacemonError where rows of damaged segments are not among those that were looked at."""
        refuse_left_out(operation, self.left_out)


def row_limit(text: str | None, *, writes_file: bool, is_counted: bool) -> int | None:
    """How many rows `--limit` asks for; a file gets all of them by default. UsageError for other texts than numbers.

    With `is_counted` another option says how many rows are wanted.
    """
    if text is not None and is_counted:
        raise UsageError(
            "--limit goes with neither --worst nor --unusual, which say how many rows are shown", "leave out --limit"
        )
    if text is None:
        return None if writes_file else _SHOWN
    if text == "all":
        return None
    if text.isascii() and text.isdigit() and 0 < int(text) <= _MOST:
        return int(text)
    raise UsageError(f"--limit {text}: is not a number from 1 to {_MOST}", "--limit all takes all rows")


def read_log(operation: Operation, request: LogRequest, show: Show) -> LogSummary:
    """Show the rows that are looked for; the store is not changed.

    UsageError for options that make no sense and for sources that the log never had, before anything is shown;
    FacemonError where the log has no rows of the model.
    """
    from facemon.application.searched_attributes import searched_model

    _refuse_contradictions(request)
    model, configured = request.model or operation.config.model.id, operation.config.model
    with operation.open_ledger() as ledger, ledger.reading():
        others = _refuse_unknown_model(ledger, model)
        search = _search(request, model, (), ledger.now())
        most = None if request.worst or request.unusual else request.limit
        logged = searched_model(configured, ledger, search, request.chosen, most)
        conditions = conditions_of(request.chosen, logged, model)
        refuse_unknown_sources(ledger, sources_of(request.chosen))
        search = replace(search, conditions=conditions)
        if request.worst is not None:
            summary = _show_worst(operation, ledger, search, request, logged.attributes, show)
        elif request.unusual is not None:
            summary = _show_unusual(operation, ledger, search, request, logged.attributes, show)
        else:
            summary = _show_newest(ledger, search, request.limit, logged.attributes, show)
    return replace(summary, other_models=others)


def _show_newest(
    ledger: "Ledger", search: "RowSearch", limit: int | None, attributes: "Sequence[AttributeConfig]", show: Show
) -> LogSummary:
    from facemon.domain.prediction import log_schema
    from facemon.store.row_search import all_rows, first_rows

    schema, left_out = log_schema(attributes), list["SegmentDamagedError"]()
    if limit is None:
        shown = 0
        with show(attributes, None) as take:
            for table in all_rows(ledger, search, schema, left_out):
                shown += _hand_over(table, take)
        return LogSummary(search.model, shown, shown, None, left_out=tuple(left_out))
    found = first_rows(ledger, search, limit, schema)
    with show(attributes, None) as take:
        _hand_over(found.rows, take)
    return LogSummary(search.model, found.rows.num_rows, found.matched, limit, left_out=tuple(found.left_out))


def _show_unusual(
    operation: Operation,
    ledger: "Ledger",
    search: "RowSearch",
    request: LogRequest,
    attributes: "Sequence[AttributeConfig]",
    show: Show,
) -> LogSummary:
    from functools import partial

    from facemon.domain.prediction import log_schema
    from facemon.drift.unusual_rows import FEATURE_COLUMNS, UNUSUAL, scores_of, unusual_of
    from facemon.store.row_search import RowOrder, first_rows

    centres, compared_with = _centres(operation, ledger, search, request.chosen.sources)
    search = replace(search, order=RowOrder(FEATURE_COLUMNS, partial(scores_of, centres=centres)))
    limit = request.unusual or 0
    found = first_rows(ledger, search, limit, log_schema(attributes))
    with show(attributes, UNUSUAL) as take:
        _hand_over(found.rows.append_column(UNUSUAL, unusual_of(found.rows, centres)), take)
    return LogSummary(
        search.model, found.rows.num_rows, found.matched, limit, compared_with, left_out=tuple(found.left_out)
    )


def _centres(
    operation: Operation, ledger: "Ledger", search: "RowSearch", sources: tuple[str, ...]
) -> "tuple[dict[str, Centre], str]":
    """The middle of each feature, and what it is the middle of: the reference, or the window that is looked at.

    Where one source is asked for it is that source's, if it has rows there.
    """
    from facemon.domain.drift_result import Check
    from facemon.drift.reference_sample import choose_reference, reference_sample, usual_reference
    from facemon.drift.tables import LOG_LAYOUT
    from facemon.drift.unusual_rows import centres_of

    config = operation.config
    name = usual_reference(ledger, config.drift.reference, search.model)
    if name is not None:
        sample, _ = reference_sample(
            ledger,
            choose_reference(ledger, name, search.model),
            attributes=config.model.attributes,
            tables=config.tables,
            checks=(Check.DATA,),
            layout=LOG_LAYOUT,
        )
        by_source = {} if sample.bucketed else sample.by_source
        if centres := centres_of(by_source.get(sources[0], sample.total) if len(sources) == 1 else sample.total):
            return centres, f"the reference {name}"
    return _centres_of_window(ledger, search, sources[0] if len(sources) == 1 else None), "the median of these rows"


def _centres_of_window(ledger: "Ledger", search: "RowSearch", source: str | None) -> "dict[str, Centre]":
    from facemon.domain.profile import add_profiles
    from facemon.domain.times import from_micros
    from facemon.drift.unusual_rows import centres_of
    from facemon.store.windows import read_sources

    segments = search.segments(ledger)
    if not segments:
        return {}
    since = max(search.since, min(segment.first_observed for segment in segments))
    until = min(search.until, max(segment.last_observed for segment in segments) + 1)
    found = read_sources(ledger, from_micros(since), from_micros(until), model=search.model, source=source)
    return centres_of(add_profiles(found.by_source.values()))


def _show_worst(
    operation: Operation,
    ledger: "Ledger",
    search: "RowSearch",
    request: LogRequest,
    attributes: "Sequence[AttributeConfig]",
    show: Show,
) -> LogSummary:
    from facemon.application.undescribed_labels import undescribed_labels
    from facemon.domain.prediction import log_schema
    from facemon.evaluation.true_labels import read_true_labels
    from facemon.evaluation.worst_rows import WORST, worst_rows
    from facemon.finders.registry import finder_of
    from facemon.store.row_search import fitted
    from facemon.store.segment_files import read_rows

    assert request.labels is not None  # noqa: S101 - refused before, for mypy
    config, schema, left_out = operation.config, log_schema(attributes), list["SegmentDamagedError"]()
    labels = read_true_labels(request.labels, config.model.attributes, config.tables)
    found = worst_rows(
        read_rows(ledger, search.segments(ledger), search.since, search.until, schema.names, left_out=left_out),
        labels,
        config.model.attributes,
        request.worst or 0,
        conditions=search.conditions,
        one_face_an_input=finder_of(config.model.faces).takes_boxes,
    )
    with show(attributes, WORST) as take:
        if found.rows.num_rows:
            _hand_over(fitted(found.rows, schema.append(WORST)), take)
    return LogSummary(
        search.model,
        found.rows.num_rows,
        found.wrong,
        request.worst,
        labelled=found.labelled,
        unused=found.left_out,
        unjudged=undescribed_labels(config, attributes, labels),
        left_out=tuple(left_out),
    )


def _hand_over(table: "pa.Table", take: Take) -> int:
    for batch in table.combine_chunks().to_batches():
        take(batch)
    return int(table.num_rows)


def _search(request: LogRequest, model: str, conditions: "tuple[RowCondition, ...]", now: datetime) -> "RowSearch":
    from facemon.domain.times import micros
    from facemon.store.row_search import EARLIEST, LATEST, RowSearch

    begin, end = window_of(request.since, request.until, _DAY, now)
    since = EARLIEST if request.since is None else micros(begin)
    until = LATEST if request.until is None else micros(end)
    return RowSearch(model, since, until, conditions)


def _refuse_unknown_model(ledger: "Ledger", model: str) -> tuple[str, ...]:
    """The other models of the log; FacemonError where it has no rows of this one."""
    known = ledger.segments.models()
    if model in known:
        return tuple(name for name in known if name != model)
    there = f"it has those of {', '.join(known)}: choose with --model" if known else "run facemon predict first"
    raise FacemonError(f"the log has no predictions of {model}", there)


def _refuse_contradictions(request: LogRequest) -> None:
    """UsageError where a request asks for two orders, or for the worst rows without labels or the reverse."""
    if request.worst is not None and request.unusual is not None:
        raise UsageError("--worst and --unusual are two orders", "choose one of them")
    if (request.worst is None) != (request.labels is None):
        raise UsageError("--worst needs --labels, and --labels needs --worst", "facemon log --worst 20 --labels FILE")
    for option, count in (("limit", request.limit), ("worst", request.worst), ("unusual", request.unusual)):
        if count is not None and not 0 < count <= _MOST:
            raise UsageError(f"--{option} {count}: is not a number from 1 to {_MOST}")
