"""The options of `facemon drift-check`."""

from pathlib import Path
from typing import Annotated

import typer

from facemon.application.drift_question import CheckChoice
from facemon.cli import completion
from facemon.cli.print_format import Grouping
from facemon.reports.drift_formats import ReportFormat

Checks = Annotated[CheckChoice, typer.Option(help="Which checks.")]
Threshold = Annotated[float | None, typer.Option(min=0, max=1, metavar="X")]
Reference = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE",
        autocompletion=completion.REFERENCES,
        help="The reference, or a table; ./NAME is always the table (default: drift.reference, else the newest).",
    ),
]
Current = Annotated[Path | None, typer.Option(metavar="FILE", help="A table instead of the log's rows.")]
Since = Annotated[str | None, typer.Option(metavar="24h|TIME", help="Start of the window (default: drift.window).")]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="End of the window (default: now).")]
Source = Annotated[
    str | None, typer.Option(metavar="NAME", autocompletion=completion.SOURCES, help="Only rows of this source.")
]
By = Annotated[Grouping | None, typer.Option(help="Print the verdict on each source.")]
Model = Annotated[
    str | None,
    typer.Option(
        metavar="NAME@VERSION",
        autocompletion=completion.MODELS,
        help="Only rows of this model (default: the configured model).",
    ),
]
Explain = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        autocompletion=completion.COLUMNS,
        help="Print why this column got its verdict in the last check of record.",
    ),
]
Now = Annotated[bool, typer.Option("--now", help="With --explain: compare now instead, without recording it.")]
Record = Annotated[
    bool | None,
    typer.Option(
        "--record/--no-record",
        help="Update metrics and history and run drift.on_drift, or do none of it "
        "(default: record if the options match the configuration).",
        show_default=False,
    ),
]
Format = Annotated[
    ReportFormat, typer.Option("--format", envvar="FACEMON_DRIFT_CHECK_FORMAT", help="How to print the result.")
]
Html = Annotated[
    bool, typer.Option("--html", help="Write a report with the distributions to reports/drift.html in the store.")
]
FailRule = Annotated[
    str,
    typer.Option(
        metavar="any|never|share=X|attribute=NAME",
        autocompletion=completion.FAIL_RULES,
        help="Drift that makes the command exit with 3.",
    ),
]
MinRows = Annotated[int | None, typer.Option(min=1, metavar="N", help="Least number of rows for a verdict.")]
ExitZero = Annotated[bool, typer.Option("--exit-zero", help="Exit 0 on drift and on undecided too.")]
All = Annotated[bool, typer.Option("--all", help="On a terminal: list columns that are ok or not compared, too.")]
History = Annotated[bool, typer.Option("--history", help="List the last checks instead of running one.")]
