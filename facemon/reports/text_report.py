"""A drift result as tables of plain text and sentences; the console draws them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from facemon.domain.column_shape import ColumnShape
from facemon.domain.counted import counted
from facemon.domain.drift_result import Check, CheckResult, ColumnResult, DriftResult, Side, SourceResult, Verdict
from facemon.printable import without_commands
from facemon.reports.column_figures import HEADINGS, column_figures, one_line
from facemon.reports.printed_parts import Part, Prose, Table
from facemon.reports.ranking import ORDER, ranked, telling
from facemon.reports.sparkline import both_sides

Shapes = Mapping[tuple[Check, str], ColumnShape]
"""The distributions of columns, by check and column name."""

_SAID = {
    Verdict.DRIFT: "Drift.",
    Verdict.UNDECIDED: "Undecided: not enough data to decide.",
    Verdict.OK: "No drift.",
    Verdict.NOT_COMPARED: "Nothing was compared.",
}
_COUNTED = {
    Verdict.DRIFT: "drifted",
    Verdict.UNDECIDED: "undecided",
    Verdict.OK: "ok",
    Verdict.NOT_COMPARED: "not compared",
}
_IMPORTANCE = ("column", "verdict", "shift", "limit", "check", "p", "rows", "reference ▏current")


@dataclass(frozen=True, slots=True)
class TextReport:
    """What to say, the table of all columns below it, then the same by source where that was asked for."""

    summary: tuple[str, ...]
    columns: Table
    source_summary: tuple[str, ...]
    source_columns: Table
    """Drifted and undecided columns alone; none of an only source, whose rows are those of `columns`."""
    notes: tuple[str, ...]

    def parts(self) -> Iterator[Part]:
        """Yield what is printed, in which no name is a command for a workflow's runner."""
        yield from _prose(self.summary)
        yield ""
        yield self.columns.without_commands()
        if self.source_summary:
            yield ""
        yield from _prose(self.source_summary)
        if self.source_columns.rows:
            yield ""
            yield self.source_columns.without_commands()
        yield from _prose(self.notes)


def text_report(result: DriftResult, shapes: Shapes | None = None) -> TextReport:
    """Drifted columns first, then undecided ones; with `shapes`, also their distributions as small bars."""
    checks = [check_sentence(check.value, outcome) for check, outcome in result.checks.items()]
    return TextReport(
        (headline(result), *checks),
        _column_table(result.checks, shapes or {}),
        tuple(source_sentence(each) for each in result.sources),
        _source_table(() if _repeats_whole(result) else result.sources),
        result.notes,
    )


def _prose(sentences: Sequence[str]) -> Iterator[Prose]:
    return (Prose(without_commands(sentence)) for sentence in sentences)


def headline(result: DriftResult) -> str:
    """The verdict and what was compared."""
    return f"{_SAID[result.verdict]} {_side(result.current, 'Current')}, {_side(result.reference, 'reference')}."


def check_sentence(name: str, outcome: CheckResult) -> str:
    """The verdict of one check, and how many of its columns came to which."""
    counts = dict.fromkeys(ORDER, 0)
    for column in outcome.columns:
        counts[column.verdict] += 1
    parts = [f"{counts[verdict]} {_COUNTED[verdict]}" for verdict in ORDER if counts[verdict]]
    return f"{name}: {outcome.verdict.value} ({', '.join(parts) or 'no columns'})"


def source_name(each: SourceResult) -> str:
    """How a source is called, those rows too that have none."""
    return "(no source)" if each.source is None else one_line(each.source)


def source_sentence(each: SourceResult) -> str:
    """The verdict on one source, and on how many rows it rests."""
    if each.is_silent:
        rows = f"no rows in the window, {each.reference_rows:,} in the reference"
        seen = f"; last rows in the hour from {each.last_seen:%Y-%m-%d %H:%M} UTC" if each.last_seen else ""
        return f"source {source_name(each)}: silent ({rows}{seen})"
    drifted = dict.fromkeys(column.column for _, column in ranked(each.checks) if column.verdict is Verdict.DRIFT)
    names = f" of {', '.join(map(one_line, drifted))}" if drifted else ""
    rows = f"{each.current_rows:,} rows, {each.reference_rows:,} in the reference"
    return f"source {source_name(each)}: {each.verdict.value}{names} ({rows})"


def _side(side: Side, title: str) -> str:
    name = f" {one_line(side.name)}" if side.name else ""
    days = ""
    if side.since and side.until:
        days = f" from {side.since:%Y-%m-%d %H:%M} to {side.until:%Y-%m-%d %H:%M} UTC"
    return f"{title}{name}: {side.rows:,} rows{days}"


def _column_table(checks: Mapping[Check, CheckResult], shapes: Shapes) -> Table:
    entries = ranked(checks)
    whole = _table_of(entries, shapes)
    is_asked = {check: check.is_own or len(checks) == 1 for check in checks}
    telling_ones = [(check, column) for check, column in telling(checks) if is_asked[check]]
    counts = Counter(_COUNTED[column.verdict] for check, column in entries if is_asked[check])
    others = [f"{counts[name]} {name}" for name in map(_COUNTED.get, ORDER[2:]) if name and counts[name]]
    others += [
        f"{counted(len(outcome.columns), 'column')} of {check}"
        for check, outcome in checks.items()
        if not is_asked[check] and outcome.columns
    ]
    below = (f"{', '.join(others)}; --all shows them",) if others else ()
    return replace(whole, for_terminal=replace(_table_of(telling_ones, shapes), below=below))


def _table_of(entries: Sequence[tuple[Check, ColumnResult]], shapes: Shapes) -> Table:
    lines: list[tuple[str, ...]] = [("check", *HEADINGS, "reference ▏current")]
    for check, column in entries:
        shape = shapes.get((check, column.column))
        lines.append((check.value, *column_figures(check, column), both_sides(shape) if shape else ""))
    headings, *rows = lines if shapes else [line[:-1] for line in lines]
    return Table(headings, tuple(rows), importance=_IMPORTANCE, reasons=("why",))


def _repeats_whole(result: DriftResult) -> bool:
    """Whether there is one source alone, and each of its columns is that of the whole."""
    return len(result.sources) == 1 and all(
        check in result.checks and column in result.checks[check].columns
        for check, outcome in result.sources[0].checks.items()
        for column in outcome.columns
    )


def _source_table(sources: tuple[SourceResult, ...]) -> Table:
    rows = [
        (column.verdict, (source_name(each), check.value, *column_figures(check, column)))
        for each in sources
        for check, column in telling(each.checks)
    ]
    rows.sort(key=lambda row: ORDER.index(row[0]))
    headings, important = ("source", "check", *HEADINGS), ("column", "source", *_IMPORTANCE[1:])
    return Table(headings, tuple(cells for _, cells in rows), importance=important, reasons=("why",))
