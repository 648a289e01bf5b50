"""The options of `facemon drift-check`."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from facemon.application.drift_question import CheckChoice
from facemon.errors import UsageError


class Grouping(StrEnum):
    """What verdicts can be split by."""

    SOURCE = "source"


class ReportFormat(StrEnum):
    """How the result is printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    JUNIT = "junit"
    MARKDOWN = "markdown"


Checks = Annotated[CheckChoice, typer.Option(help="Which checks.")]
Threshold = Annotated[float | None, typer.Option(min=0, max=1, metavar="X")]
Reference = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE",
        help="The reference, or a table; ./NAME is always the table (default: drift.reference, else the newest).",
    ),
]
Current = Annotated[Path | None, typer.Option(metavar="FILE", help="A table instead of the log's rows.")]
Since = Annotated[str | None, typer.Option(metavar="24h|TIME", help="Where the window begins (default: drift.window).")]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Where the window ends (default: now).")]
Source = Annotated[str | None, typer.Option(metavar="NAME", help="Only rows of this source.")]
By = Annotated[Grouping | None, typer.Option(help="Print the verdict on each source.")]
Model = Annotated[
    str | None, typer.Option(metavar="NAME@VERSION", help="Whose rows (default: the configured model's).")
]
Explain = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="Print why this column got its verdict in the last check of record."),
]
Now = Annotated[bool, typer.Option("--now", help="With --explain: compare now instead, without recording it.")]
Record = Annotated[
    bool | None,
    typer.Option(
        "--record/--no-record",
        help="Update metrics and history and run drift.on_drift, or do not "
        "(default: only if the check asks what the configuration asks).",
        show_default=False,
    ),
]
Format = Annotated[
    ReportFormat, typer.Option("--format", envvar="FACEMON_DRIFT_CHECK_FORMAT", help="How to print the result.")
]
Html = Annotated[
    bool, typer.Option("--html", help="Write a report with the distributions to reports/drift.html in the store.")
]
FailRule = Annotated[str, typer.Option(metavar="any|never|share=X|attribute=NAME", help="Which drift ends in exit 3.")]
MinRows = Annotated[int | None, typer.Option(min=1, metavar="N", help="Fewer rows than this decide nothing.")]
ExitZero = Annotated[bool, typer.Option("--exit-zero", help="Exit 0 on drift and on undecided too.")]
History = Annotated[bool, typer.Option("--history", help="List the last checks instead of running one.")]


_OF_A_CHECK = ("reference", "current", "since", "until", "source", "by", "model", "explain", "html", "record")
_CONTRADICTIONS = (
    ("history", _OF_A_CHECK, "--history lists the checks that were; the other option belongs to a new one"),
    ("current", ("since", "until", "source"), "it chooses rows of the log, and --current brings its own"),
    ("by", ("source",), "one source needs no verdict for each"),
)
_OF_A_NEW_CHECK = ("record", "html")


def refuse_for_last_check(given: Mapping[str, Any]) -> None:
    """UsageError for options that belong to a new check, where `--explain` is about the last one of record."""
    if other := next((name for name in _OF_A_NEW_CHECK if given[name]), None):
        raise UsageError(
            f"--explain and --{other} exclude each other: the last check of record is over", "add --now for a new one"
        )


def refuse_contradictions(given: Mapping[str, Any]) -> None:
    """UsageError for options that exclude each other; `given` maps the command's parameters to their values."""
    if given["reference"] == "":
        raise UsageError("--reference is empty", "name a reference or a file, or leave the option out")
    for first, others, why in _CONTRADICTIONS:
        if given[first] and (other := next((name for name in others if given[name]), None)):
            raise UsageError(f"--{first} and --{other} exclude each other: {why}")
    if given["now"] and given["explain"] is None:
        raise UsageError("--now says what --explain explains", "name a column with --explain")
    if given["by"] and given["check"] is CheckChoice.EVIDENTLY:
        raise UsageError("--by source judges by our own checks, and --check evidently leaves them out")
    if given["explain"] and given["format_"] not in (ReportFormat.TEXT, ReportFormat.JSON):
        raise UsageError(f"--explain has no --format {given['format_'].value}", "write text or json")
