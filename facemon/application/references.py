"""References: setting one from a table or a window of the log, describing it, and comparing two."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facemon.application.changed_model import mixed_window
from facemon.application.decision_plans import plan_of_reference
from facemon.application.operation import Operation
from facemon.application.time_window import window_of
from facemon.domain.drift_result import Check, ColumnResult
from facemon.domain.times import format_time
from facemon.errors import ExitCode, FacemonError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from facemon.domain.decision_plan import DecisionPlan
    from facemon.reports.printed_parts import Part
    from facemon.store.ledger.protocol import Ledger
    from facemon.store.named_reference import Reference
    from facemon.tables.table_file import TableFile

_SHOW_SCHEMA = "facemon.reference/1"
_DIFF_SCHEMA = "facemon.reference_diff/1"


@dataclass(frozen=True, slots=True)
class ReferenceRequest:
    """What becomes a reference: a table, or the rows that the log has in a window."""

    table: "Path | TableFile | None" = None
    """None for a window, which `since` then begins."""
    since: str | datetime | timedelta | None = None
    until: str | datetime | None = None
    name: str | None = None
    """None for the time at which it is set."""
    kind: str = "predictions"
    note: str = ""
    plans: bool = True
    """Whether to plan when checks can decide with it."""


@dataclass(frozen=True, slots=True)
class MadeReference:
    """A reference that was set."""

    reference: "Reference"
    lost_rows: int
    """Rows of its window that a repair dropped, at most."""
    plan: "DecisionPlan | None"


@dataclass(frozen=True, slots=True)
class DescribedReference:
    """A reference, where it came from and how much current data a check with it needs."""

    reference: "Reference"
    given_as: str | None
    file: Path
    plan: "DecisionPlan | None" = None

    def document(self) -> dict[str, Any]:
        """The object of `facemon.reference/1`."""
        plan = None if self.plan is None else self.plan.document()
        return {"schema": _SHOW_SCHEMA} | self.facts() | {"file": str(self.file), "plan": plan}

    def report(self) -> "Iterator[Part]":
        """The reference and the plan of its checks as one table."""
        from facemon.reports.reference_report import reference_table

        yield reference_table((self.reference, self.given_as), str(self.file), self.plan)

    def facts(self) -> dict[str, Any]:
        """What is known of the reference itself, ready for JSON."""
        found = self.reference
        return {
            "name": found.name,
            "kind": found.kind,
            "rows": found.rows,
            "model": found.model,
            "from": found.origin,
            "given_as": self.given_as,
            "since": found.since and format_time(found.since),
            "until": found.until and format_time(found.until),
            "set_at": format_time(found.created),
            "note": found.note,
        }


@dataclass(frozen=True, slots=True)
class ReferenceDifference:
    """How reference B differs from reference A."""

    first: DescribedReference
    second: DescribedReference
    columns: "list[tuple[Check, ColumnResult]]"
    """Column by column, as if B were current data."""

    def report(self) -> "Iterator[Part]":
        """What differs, and the columns, as tables."""
        from facemon.reports.reference_report import difference_report

        first, second = ((each.reference, each.given_as) for each in (self.first, self.second))
        return difference_report(first, second, self.columns)

    def document(self) -> dict[str, Any]:
        """The object of `facemon.reference_diff/1`."""
        return {
            "schema": _DIFF_SCHEMA,
            "a": self.first.facts(),
            "b": self.second.facts(),
            "columns": [_column_document(column) for _, column in self.columns],
        }


def set_reference(operation: Operation, request: ReferenceRequest) -> MadeReference:
    """Make logged predictions, or a table, the reference that later checks compare with."""
    from facemon.drift.reference_sample import count_once
    from facemon.store.references import set_from_table, set_from_window

    config, table = operation.config, request.table
    _refuse_contradictions(request)
    # A file that cannot be read is a failed run of the command; rows of a program are refused before there is a store.
    read = None if table is None or isinstance(table, Path) else _read(operation, table)
    with operation.open_ledger(create=table is not None) as ledger:
        now = ledger.now()
        name, note = request.name or f"{now:%Y-%m-%dT%H:%M:%SZ}", request.note
        with operation.recorded(ledger, "reference") as outcome:
            if table is not None:
                rows, given = read or _read(operation, table)
                made = set_from_table(ledger, name, rows, kind=request.kind, note=note, now=now, given_as=given)
                for said in count_once(ledger, made, attributes=config.model.attributes, tables=config.tables):
                    operation.reporter.warn(said)
            else:
                begin, end = window_of(request.since, request.until, config.drift.window, now)
                made = set_from_window(ledger, name, begin, end, model=config.model.id, note=note, now=now)
                if mixed := mixed_window(ledger, config.model.id, begin, end):
                    operation.reporter.warn(mixed)
            outcome.code = ExitCode.OK
        plan = None
        if request.plans:
            with suppress(FacemonError):  # a plan that cannot be made hides nothing of what was done
                plan = plan_of_reference(operation, ledger, made, now)
        return MadeReference(made, _lost_rows(ledger, made), plan)


def list_references(operation: Operation) -> "list[Reference]":
    """All references, newest first."""
    from facemon.store.references import list_references

    with operation.open_ledger() as ledger:
        return list_references(ledger)


def describe_reference(operation: Operation, name: str | None) -> DescribedReference:
    """The named reference, or that of `drift.reference`, or the newest; with the plan of its checks."""
    from facemon.store.references import find_reference

    with operation.open_ledger() as ledger:
        found = find_reference(ledger, name or operation.config.drift.reference)
        plan = plan_of_reference(operation, ledger, found, ledger.now())
        return _described(ledger, found, plan)


def compare_references(operation: Operation, first: str, second: str) -> ReferenceDifference:
    """How the reference `second` differs from `first`: in what they are, and column by column."""
    from facemon.drift.reference_diff import diff_references
    from facemon.store.references import find_reference

    config = operation.config
    with operation.open_ledger() as ledger:
        a, b = find_reference(ledger, first), find_reference(ledger, second)
        columns = diff_references(
            ledger, a, b, attributes=config.model.attributes, tables=config.tables, settings=config.drift
        )
        return ReferenceDifference(_described(ledger, a), _described(ledger, b), list(columns))


def _described(ledger: "Ledger", found: "Reference", plan: "DecisionPlan | None" = None) -> DescribedReference:
    from facemon.store.references import given_as, reference_file

    return DescribedReference(found, given_as(ledger, found), reference_file(ledger, found), plan)


def _refuse_contradictions(request: ReferenceRequest) -> None:
    """UsageError where a request names neither a table nor a window, or both, or has an empty name."""
    if request.name is not None and not request.name.strip():
        raise UsageError("--name is empty", "name the reference or leave the option out")
    if (request.table is None) == (request.since is None):
        raise UsageError("name either a FILE or a window with --since", "facemon reference set --since 24h")
    if request.table is None and request.kind == "labels":
        raise UsageError(
            "the log holds predictions; true labels come from a FILE", "name it, or leave out --kind labels"
        )


def _read(operation: Operation, given: "Path | TableFile") -> "tuple[pa.Table, str]":
    """All rows, and what the reference records of where they came from."""
    from facemon.domain.image_input import shown_name
    from facemon.drift.column_kinds import refuse_unclear_columns
    from facemon.tables.sourced_table import open_with_sources

    config = operation.config
    if isinstance(given, Path):
        file = open_with_sources(given, config.tables)
        origin = shown_name(str(file.path))
    else:
        file, origin = given, "facemon.Monitor"
    table = file.read()
    refuse_unclear_columns(table, str(file.path), config.model.attributes, config.tables)
    return table, origin


def _lost_rows(ledger: "Ledger", made: "Reference") -> int:
    from facemon.store.set_aside import lost_rows

    if made.since is None or made.until is None or made.model is None:
        return 0
    return lost_rows(ledger, made.since, made.until, made.model)


def _column_document(column: ColumnResult) -> dict[str, Any]:
    return {
        "column": column.column,
        "kind": column.kind,
        "score": column.score,
        "verdict": column.verdict.value,
        "n_a": column.n_reference,
        "n_b": column.n_current,
        "reason": column.reason,
    }
