"""How `facemon drift-check` gives its result: on stdout in the format that was asked for, and as a page."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated

import typer

from facemon.cli.console import Console
from facemon.cli.session import Session
from facemon.errors import ExitCode, FacemonError
from facemon.reports.deciding_checks import deciding_columns
from facemon.values.column_shape import ColumnShape
from facemon.values.drift_result import Check, DriftResult, Verdict, to_document

PAGE = Path("reports", "drift.html")
"""Where `--html` writes, in the store's folder."""

Shapes = Mapping[tuple[Check, str], ColumnShape]


class ReportFormat(StrEnum):
    """How the result is printed."""

    TEXT = "text"
    JSON = "json"


FormatOption = Annotated[
    ReportFormat, typer.Option("--format", envvar="FACEMON_DRIFT_CHECK_FORMAT", help="How to print the result.")
]
HtmlOption = Annotated[
    bool, typer.Option("--html", help="Write a report with the distributions to reports/drift.html in the store.")
]


def print_result(
    console: Console,
    result: DriftResult,
    format_: ReportFormat,
    *,
    decided: ExitCode,  # noqa: ARG001
    code: ExitCode,
    page: Path | None = None,
    shapes: Callable[[], Shapes] = dict,
) -> None:
    """Print a result, and write it to `page` too; in quiet mode stdout stays empty where the command ends in 0.

    `decided` is the exit code before `--exit-zero`, `code` the one after it. `shapes` is called only where
    distributions are drawn.
    """
    if page is not None:
        _write_page(console, result, page, shapes())
    if console.is_quiet and code is ExitCode.OK:
        return
    match format_:
        case ReportFormat.TEXT:
            _print_text(console, result)
        case ReportFormat.JSON:
            console.document(to_document(result))


def print_history(session: Session, format_: ReportFormat) -> ExitCode:
    """List the last checks."""
    from facemon.store.drift_results import drift_history

    with session.open_ledger() as ledger:
        results = list(drift_history(ledger))
    if format_ is ReportFormat.JSON:
        for result in results:
            session.console.document(to_document(result))
    else:
        rows = [_history_row(result) for result in results]
        session.console.table(("at", "verdict", "reference", "rows", "drifted"), rows)
    return ExitCode.OK


def _history_row(result: DriftResult) -> Sequence[str]:
    drifted = [column.column for column in deciding_columns(result.checks) if column.verdict is Verdict.DRIFT]
    name = result.reference.name or "-"
    return (f"{result.at:%Y-%m-%d %H:%M:%S}", result.verdict.value, name, str(result.current.rows), ", ".join(drifted))


def _print_text(console: Console, result: DriftResult) -> None:
    from facemon.reports.text_report import HEADINGS, text_report

    report = text_report(result)
    for sentence in report.summary:
        console.result(sentence)
    console.result("")
    console.table(HEADINGS, report.rows)
    for note in report.notes:
        console.result(note)


def _write_page(console: Console, result: DriftResult, page: Path, shapes: Shapes) -> None:
    from facemon.reports.html_report import html_report

    text = html_report(result, shapes)
    draft = None
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile("w", encoding="utf-8", dir=page.parent, prefix=".drift-", delete=False) as file:
            draft = Path(file.name)
            file.write(text)
        draft.chmod(0o644)
        draft.replace(page)
    except OSError as error:
        raise FacemonError(
            f"{page} cannot be written: {error.strerror}", "check the folder's rights and space"
        ) from error
    finally:
        if draft is not None:
            draft.unlink(missing_ok=True)
    console.say(f"report: {page}")
