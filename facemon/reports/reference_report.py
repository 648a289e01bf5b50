"""References as tables: what they are, how two differ, and in sentences when checks can decide with one."""

from collections.abc import Iterable, Iterator, Sequence
from textwrap import fill
from typing import TYPE_CHECKING

from facemon.domain.drift_result import Check, ColumnResult
from facemon.domain.times import format_time
from facemon.printable import Lines, printable
from facemon.reports.column_figures import column_figures
from facemon.reports.plan_report import plan_facts
from facemon.reports.printed_parts import Part, Remark, Table

if TYPE_CHECKING:
    from facemon.domain.decision_plan import DecisionPlan
    from facemon.store.named_reference import Reference

    Described = tuple[Reference, str | None]
    """A reference, and the name of the table that it was given as."""

_WIDTH = 79
_TIME = "set at (UTC)"
_DIFF_HEADINGS = ("column", "kind", "shift", "verdict", "rows of A", "rows of B", "why")


def references_table(references: "Iterable[Reference]") -> Table:
    """Return a row for each reference."""
    rows = ((r.name, r.kind, str(r.rows), r.model or "-", f"{r.created:%Y-%m-%d %H:%M}", r.note) for r in references)
    return Table(
        ("name", "kind", "rows", "model", _TIME, "note"),
        tuple(rows),
        importance=("name", _TIME, "rows", "kind", "model"),
        reasons=("note",),
    )


def reference_table(described: "Described", file: str, plan: "DecisionPlan | None") -> Table:
    """Return what a reference is, the file of its rows, and how many images of current data checks need."""
    return Table(("what", "value"), (*_facts(described), ("file", file), *(plan_facts(plan) if plan else ())))


def difference_report(
    first: "Described", second: "Described", columns: Sequence[tuple[Check, ColumnResult]]
) -> Iterator[Part]:
    """Yield in what two references differ, and the columns of B as if it were current data."""
    pairs = zip(_facts(first), _facts(second), strict=True)
    facts = ((what, one, other) for (what, one), (_, other) in pairs if what == "name" or one != other)
    yield Table(("what", "A", "B"), tuple(facts))
    yield ""
    yield Table(_DIFF_HEADINGS, tuple(_column_row(check, column) for check, column in columns))


def plan_remarks(plan: "DecisionPlan | None") -> Iterator[Remark]:
    """Yield when the checks can decide."""
    for name, text in plan_facts(plan) if plan else ():
        sentence = printable(f"{name}: {text}")
        yield Remark(Lines(fill(sentence, _WIDTH, initial_indent="  ", subsequent_indent="    ")))


def _facts(described: "Described") -> list[tuple[str, str]]:
    found, given_as = described
    window = (
        "-"
        if found.since is None or found.until is None
        else f"{format_time(found.since)} to {format_time(found.until)}"
    )
    return [
        ("name", found.name),
        ("kind", found.kind),
        ("rows", str(found.rows)),
        ("model", found.model or "-"),
        ("from", found.origin),
        ("given as", given_as or "-"),
        ("window", window),
        ("set at", format_time(found.created)),
        ("note", found.note or "-"),
    ]


def _column_row(check: Check, column: ColumnResult) -> tuple[str, ...]:
    """The cells below `_DIFF_HEADINGS`, in the words and figures of the other reports."""
    name, verdict, shift, _, _, _, why = column_figures(check, column)
    return (name, column.kind, shift, verdict, f"{column.n_reference:,}", f"{column.n_current:,}", why)
