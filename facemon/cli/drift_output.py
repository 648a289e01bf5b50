"""How `facemon drift-check` gives its result: on stdout in the format that was asked for, and as a page."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import get_terminal_size
from typing import assert_never

from facemon.application.last_check import recorded_checks
from facemon.cli.console import Console
from facemon.cli.drift_options import ReportFormat
from facemon.cli.session import Session
from facemon.domain.column_shape import ColumnShape
from facemon.domain.drift_result import Check, CheckResult, DriftResult, Verdict, to_document
from facemon.domain.explanation import Explanation, explanation_document
from facemon.errors import ExitCode, FacemonError, UsageError
from facemon.printable import without_commands
from facemon.reports.deciding_checks import deciding_columns

PAGE = Path("reports", "drift.html")
"""Where `--html` writes, in the store's folder."""

STEP_SUMMARY, STEP_OUTPUTS = "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"
"""The variables by which a GitHub runner names the files that a step may append to."""

_ROOM_FOR_BARS = 110
"""Characters; in a narrower terminal one more column would fold all the others."""

_MOST_SOURCES = 3
"""Sources of a drifted column that the history names; of more it tells the number."""

_Shapes = Callable[[], Mapping[tuple[Check, str], ColumnShape]]


@dataclass(frozen=True, slots=True)
class Shown:
    """How a result is to be shown: `decided` is the exit code before `--exit-zero`, `code` the one after it."""

    format_: ReportFormat
    decided: ExitCode
    code: ExitCode
    page: Path | None = None
    evidently_page: str | None = None
    """The name of Evidently's page beside it, to which it links."""


def print_result(
    console: Console,
    result: DriftResult,
    shown: Shown,
    *,
    shapes: _Shapes = dict,
    explained: Sequence[Explanation] | None = None,
) -> None:
    """Print a result, or the explanation of some of its columns, and write the page and what a runner reads.

    In quiet mode stdout stays empty where the command ends in 0. `shapes` is called only where distributions are drawn.
    """
    if shown.page is not None:
        _write_page(console, result, shown.page, shapes, shown.evidently_page)
    if shown.format_ is ReportFormat.GITHUB:
        _append_for_runner(result, shown.decided)
    if console.is_quiet and shown.code is ExitCode.OK:
        return
    if explained is not None:
        print_explanations(console, explained, shown.format_)
        return
    match shown.format_:
        case ReportFormat.TEXT:
            _print_text(console, result, shapes)
        case ReportFormat.JSON:
            console.document(to_document(result))
        case ReportFormat.GITHUB:
            from facemon.reports.github_report import annotations

            console.file(annotations(result))
        case ReportFormat.JUNIT:
            from facemon.reports.junit_report import junit_report

            console.file(junit_report(result))
        case ReportFormat.MARKDOWN:
            from facemon.reports.markdown_report import markdown_report

            console.result(markdown_report(result).rstrip("\n"))
        case _:
            assert_never(shown.format_)


def print_explanations(console: Console, explanations: Sequence[Explanation], format_: ReportFormat) -> None:
    """Print why columns got their verdicts."""
    from facemon.reports.explanation_report import HEADINGS, explanation_report

    for explanation in explanations:
        if format_ is ReportFormat.JSON:
            console.document(explanation_document(explanation))
            continue
        report = explanation_report(explanation, draws=_can_draw(console))
        console.result(without_commands(report.headline))
        for sentence in report.sentences:
            console.result(f"  {without_commands(sentence)}")
        if report.rows:
            _print_table(console, HEADINGS, report.rows)
        console.result("")


def print_history(session: Session, format_: ReportFormat) -> ExitCode:
    """List the last checks; UsageError for a format that holds only one."""
    if format_ not in (ReportFormat.TEXT, ReportFormat.JSON):
        raise UsageError(f"--history has no --format {format_.value}", "write text or json")
    results = recorded_checks(session.operation)
    if format_ is ReportFormat.JSON:
        for result in results:
            session.console.document(to_document(result))
    else:
        rows = [_history_row(result) for result in results]
        _print_table(session.console, ("at", "verdict", "reference", "rows", "drifted"), rows)
    return ExitCode.OK


def _history_row(result: DriftResult) -> Sequence[str]:
    from facemon.reports.column_figures import one_line

    name = one_line(result.reference.name or "-")
    at, drifted = f"{result.at:%Y-%m-%d %H:%M:%S}", ", ".join(_drifted(result))
    return (at, result.verdict.value, name, str(result.current.rows), drifted)


def _drifted(result: DriftResult) -> Iterator[str]:
    """The columns that drifted over all, then those that did so in some sources alone, with these."""
    from facemon.reports.column_figures import one_line
    from facemon.reports.text_report import source_name

    over_all = dict.fromkeys(_drifted_columns(result.checks))
    yield from map(one_line, over_all)
    sources: dict[str, list[str]] = {}
    for each in result.sources:
        for column in dict.fromkeys(_drifted_columns(each.checks)):
            if column not in over_all:
                sources.setdefault(column, []).append(source_name(each))
    for column, names in sources.items():
        where = ", ".join(names) if len(names) <= _MOST_SOURCES else f"{len(names)} sources"
        yield f"{one_line(column)} ({where})"


def _drifted_columns(checks: Mapping[Check, CheckResult]) -> list[str]:
    return [column.column for column in deciding_columns(checks) if column.verdict is Verdict.DRIFT]


def _print_text(console: Console, result: DriftResult, shapes: _Shapes) -> None:
    from facemon.reports.text_report import text_report

    report = text_report(result, shapes() if _can_draw(console) else None)
    for sentence in report.summary:
        console.result(without_commands(sentence))
    console.result("")
    _print_table(console, report.columns.headings, report.columns.rows)
    if report.source_summary:
        console.result("")
    for sentence in report.source_summary:
        console.result(without_commands(sentence))
    if report.source_columns.rows:
        console.result("")
        _print_table(console, report.source_columns.headings, report.source_columns.rows)
    for note in report.notes:
        console.result(without_commands(note))


def _print_table(console: Console, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    console.table(headings, [tuple(map(without_commands, row)) for row in rows])


def _can_draw(console: Console) -> bool:
    """Whether bars reach a person: not in a pipe, nor where they lack room, nor where stdout has no such characters."""
    has_room = get_terminal_size().columns >= _ROOM_FOR_BARS
    return console.is_terminal and has_room and (sys.stdout.encoding or "").lower().startswith("utf")


def _append_for_runner(result: DriftResult, decided: ExitCode) -> None:
    """Append to the files that the runner named; outside a runner, nothing."""
    from facemon.reports.github_report import step_outputs
    from facemon.reports.markdown_report import markdown_report

    for variable, text in (
        (STEP_SUMMARY, f"## Drift check\n\n{markdown_report(result)}\n"),
        (STEP_OUTPUTS, step_outputs(result, decided)),
    ):
        if path := os.environ.get(variable):
            try:
                with Path(path).open("a", encoding="utf-8") as file:
                    file.write(text)
            except OSError as error:
                raise FacemonError(
                    f"{path} cannot be written: {error.strerror}", f"it is the file that {variable} names"
                ) from error


def _write_page(console: Console, result: DriftResult, page: Path, shapes: _Shapes, evidently_page: str | None) -> None:
    from facemon.reports.html_report import html_report
    from facemon.store.report_files import write_report

    write_report(page, html_report(result, shapes(), evidently_page))
    console.say(f"report: {page}")
