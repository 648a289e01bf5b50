"""What a report of one model says of the other models of its period, and the command for the page of each."""

import re
from datetime import datetime
from shlex import quote

from facemon.domain.counted import counted
from facemon.domain.period_report import OtherModel, PeriodReport
from facemon.reports.page_parts import table_html
from facemon.reports.printed_parts import Table

_HEADINGS = ("model", "images", "recorded checks", "evaluations", "late rows", "command for its page")


def report_of_other(report: PeriodReport, other: OtherModel) -> str:
    """What another model has in the period, with the command that makes its page."""
    counts = [(other.images, "image"), (other.checks, "check"), (other.evaluations, "evaluation")]
    held = ", ".join(counted(count, noun, grouped=True) for count, noun in counts if count)
    return f"{other.model} has {held} in this period: {_command(report, other)}"


def other_models_html(report: PeriodReport) -> str:
    """The other models of the period as a section of the page; nothing where there are none."""
    if not report.others:
        return ""
    rows = tuple(
        (each.model, f"{each.images:,}", f"{each.checks:,}", f"{each.evaluations:,}", f"{each.late_rows:,}",
         _command(report, each))
        for each in report.others
    )  # fmt: skip
    note = "This page is of one model. The ledger has records of others in the same period, which are not on it."
    table = table_html(Table(_HEADINGS, rows), "Other models in this period")
    return f"<h2>Other models in this period</h2><p>{note}</p>{table}"


def _command(report: PeriodReport, other: OtherModel) -> str:
    words = ["facemon", "report", "--model", other.model, "--since", _hour(report.since)]
    words += ["--until", _hour(report.until)]
    if report.source is not None:
        words += ["--source", report.source]
    if report.thumbnails is not None:
        words.append("--images")
    name = re.sub(r"[^\w.@-]", "_", other.model).lstrip(".-")
    return " ".join(map(quote, [*words, "-o", f"{name}.html"]))


def _hour(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%MZ}"
