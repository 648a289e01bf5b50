"""Evidently's part of a drift check: whether it has rows enough, what it found, and its page."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from facemon.application.compared_sides import ComparedSide, Window
from facemon.application.drift_question import CheckChoice, DriftQuestion
from facemon.application.operation import Operation
from facemon.domain.drift_result import CheckResult, DriftResult, Verdict
from facemon.errors import ConfigError, FacemonError
from facemon.pandas_gate import let_pandas_in

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class EvidentlyPart:
    """What Evidently found, the name of its page, and why it found nothing where no column says so."""

    outcome: CheckResult
    page: str | None = None
    note: str | None = None


def refuse_unknown_methods(question: DriftQuestion) -> None:
    """ConfigError for a method that Evidently does not have, also on nights on which it is not needed."""
    if question.may_run_evidently:
        from facemon.drift.evidently_report import checked_methods

        checked_methods(question.settings.evidently)


def run_evidently_part(
    operation: Operation,
    question: DriftQuestion,
    result: DriftResult,
    normal: ComparedSide,
    latest: ComparedSide,
    *,
    writes_pages: bool,
) -> EvidentlyPart:
    """Ask Evidently about the rows of both sides.

    Too few rows are undecided. Where Evidently was not asked for by name, its failure decides nothing either.
    """
    from facemon.drift.untested_columns import too_few_rows

    settings = question.settings
    nothing = CheckResult(Verdict.UNDECIDED, settings.evidently.share, ())
    if latest.cut is not None and latest.cut.empty_because is not None:
        return EvidentlyPart(nothing, note=f"Evidently compared nothing: {latest.cut.empty_because}.")
    too_few = too_few_rows(normal.sample.rows, latest.sample.rows, settings.min_rows)
    if not (normal.sample.rows and latest.sample.rows):
        return EvidentlyPart(nothing, note=f"Evidently compared nothing: {too_few}.")
    try:
        outcome, report = _asked(operation, question, result, normal, latest, too_few, writes_pages=writes_pages)
    except ConfigError:
        raise
    except FacemonError as error:
        if question.choice is CheckChoice.EVIDENTLY:
            raise
        return EvidentlyPart(nothing, note=f"{error.message.removesuffix('.')}.")
    if report is not None:
        operation.reporter.say(f"Evidently's report: {report}")
    return EvidentlyPart(outcome, None if report is None else report.name)


def _asked(
    operation: Operation,
    question: DriftQuestion,
    result: DriftResult,
    normal: ComparedSide,
    latest: ComparedSide,
    too_few: str | None,
    *,
    writes_pages: bool,
) -> "tuple[CheckResult, Path | None]":
    if too_few is None:
        let_pandas_in()  # Evidently wants data frames
    from facemon.drift.evidently_report import run_evidently
    from facemon.reports.html_report import verdict_table_html
    from facemon.store.report_files import FOLDER

    return run_evidently(
        normal.rows(),
        latest.rows(),
        settings=question.settings.evidently,
        attributes=operation.config.model.attributes,
        folder=operation.config.store.path / FOLDER if writes_pages else None,
        at=result.at,
        preface=verdict_table_html(result) if result.checks else "",
        ignored=normal.ignored | latest.ignored,
        of_log=isinstance(question.current, Window),
        too_few=too_few,
    )
