"""The report of a period: what the ledger tells of a model in production, as one page."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.application.named_sources import refuse_unknown_sources
from facemon.application.operation import Operation
from facemon.application.time_window import window_of
from facemon.errors import FacemonError, UsageError

if TYPE_CHECKING:
    from facemon.domain.period_report import PeriodReport
    from facemon.store.ledger.protocol import Ledger

USUAL_SPAN = "30d"
_PAGE = Path("reports", "report.html")
"""Where the page is written in the store's folder, unless a file is named."""
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """Which period, whose rows, and where the page is written; None takes the default."""

    out: Path | None = None
    since: str | datetime | timedelta | None = None
    until: str | datetime | None = None
    source: str | None = None
    model: str | None = None
    images: bool = False
    """Whether to add thumbnails of the images that moved most, which reads rows and files."""


def make_report(operation: Operation, request: ReportRequest) -> Path:
    """Write the page of a period and return where; FacemonError where the ledger has nothing of the model in it."""
    from facemon.reports.other_models import report_of_other
    from facemon.reports.period_page import period_page
    from facemon.store.report_files import refuse_place, write_report

    out = request.out or operation.config.store.path / _PAGE
    refuse_place(out)
    report = _gather_report(operation, request)
    page = write_report(out, period_page(report))
    operation.reporter.say(f"report: {page}")
    for each in report.others:
        operation.reporter.notice(f"the page is of {report.model} alone: {report_of_other(report, each)}")
    return page


def _gather_report(operation: Operation, request: ReportRequest) -> "PeriodReport":
    """Read what the ledger has of a period, in whole UTC hours, in one transaction that changes nothing."""
    from facemon.application.period_records import read_period

    model = request.model or operation.config.model.id
    with operation.open_ledger() as ledger, ledger.reading():
        since, until = _whole_hours(request, ledger.now())
        _refuse_unknown(ledger, request.source, model)
        report = read_period(operation, ledger, since, until, model=model, source=request.source)
        if not (report.volumes or report.checks or report.accuracy):
            whose = model if request.source is None else f"{model} and the source {request.source}"
            raise FacemonError(
                f"the store has no records of {whose} from {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC",
                _way_out(report),
            )
        if request.images:
            from facemon.application.moved_images import moved_images

            report = replace(report, thumbnails=moved_images(operation, ledger, report))
    return report


def _way_out(report: "PeriodReport") -> str:
    from facemon.reports.other_models import report_of_other

    if report.others:
        return "; ".join(report_of_other(report, each) for each in report.others)
    return "name a longer period with --since 90d; facemon store info says which models the log has"


def _whole_hours(request: ReportRequest, now: datetime) -> tuple[datetime, datetime]:
    """The hours that the period touches: the ledger counts by the hour. It ends with the present hour at the latest."""
    from facemon.config.durations import parse_duration
    from facemon.domain.times import hour_of, start_of_hour

    since, until = window_of(request.since, request.until, parse_duration(USUAL_SPAN), now)
    if since >= now:
        raise UsageError(
            f"the period begins in the future, at {since:%Y-%m-%d %H:%M:%S} UTC", "name an earlier time with --since"
        )
    last = min(until, now) - timedelta(microseconds=1)
    return start_of_hour(hour_of(since)), start_of_hour(hour_of(last)) + _HOUR


def _refuse_unknown(ledger: "Ledger", source: str | None, model: str) -> None:
    """UsageError for a source, or FacemonError for a model, that the log never had rows of."""
    refuse_unknown_sources(ledger, () if source is None else (source,))
    models = ledger.segments.models()
    if models and model not in models and not any(each.model == model for each in ledger.references.all()):
        raise FacemonError(f"the log has no rows of the model {model}", f"--model takes one of {', '.join(models)}")
