"""A drift result as a page of HTML in a file that the caller names."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from facemon.application.operation import Reporter
from facemon.domain.column_shape import ColumnShape
from facemon.domain.drift_result import Check, DriftResult


def write_page(
    reporter: Reporter,
    result: DriftResult,
    shapes: Mapping[tuple[Check, str], ColumnShape],
    page: Path,
    evidently_page: str | None,
    earlier: Sequence[DriftResult],
) -> None:
    """Write the page, with a link to Evidently's beside it if there is one, and say where it is."""
    from facemon.reports.html_report import html_report
    from facemon.store.report_files import write_report

    write_report(page, html_report(result, shapes, evidently_page, earlier))
    reporter.say(f"report: {page}")
