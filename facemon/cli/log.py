"""`facemon log`: the rows of the prediction log, chosen and ordered."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from facemon.application.log_output import shown_rows
from facemon.application.logged_rows import LogRequest, read_log, row_limit
from facemon.application.prediction_output import chosen_format
from facemon.application.row_filter import RowFilter
from facemon.cli.command import command
from facemon.cli.completion import MODELS, SOURCES
from facemon.cli.print_format import CsvSafeOption, OutputOption, RowFormatOption
from facemon.cli.session import Session
from facemon.errors import ExitCode

app = typer.Typer()
_Since = Annotated[str | None, typer.Option(metavar="24h|TIME", help="Start of the window (default: all rows).")]
_Until = Annotated[str | None, typer.Option(metavar="TIME", help="End of the window (default: now).")]
_Source = Annotated[
    list[str] | None, typer.Option(metavar="NAME", autocompletion=SOURCES, help="Rows of this source; may be repeated.")
]
_Where = Annotated[
    list[str] | None,
    typer.Option(metavar="COLUMN=VALUE", help="Rows such as gender=female or 'age<18'; may be repeated."),
]
_Below = Annotated[
    float | None, typer.Option(metavar="P", help="Rows with an attribute of lower confidence, from 0 to 1.")
]
_Error = Annotated[list[str] | None, typer.Option(metavar="CODE", help="Rows such as no_face; may be repeated.")]
_Failed = Annotated[bool, typer.Option("--failed", help="Images that could not be predicted.")]
_Image = Annotated[str | None, typer.Option(metavar="NAME", help="Images by name; * and ? match any letters.")]
_Limit = Annotated[
    str | None, typer.Option("--limit", "-n", metavar="N|all", help="How many rows (default: 20; with -o all).")
]
_Worst = Annotated[
    int | None, typer.Option(metavar="N", help="The N most wrong predictions of each attribute; with --labels.")
]
_Labels = Annotated[Path | None, typer.Option(metavar="FILE", help="A table of true labels, as for evaluate.")]
_Unusual = Annotated[int | None, typer.Option(metavar="N", help="The N images that differ most from the reference.")]
_Model = Annotated[
    str | None,
    typer.Option(
        metavar="NAME@VERSION", autocompletion=MODELS, help="Rows of this model (default: the configured model)."
    ),
]


@command(app, "log")
def log(
    session: Session,
    since: _Since = None,
    until: _Until = None,
    source: _Source = None,
    where: _Where = None,
    confidence_below: _Below = None,
    error: _Error = None,
    failed: _Failed = False,
    image: _Image = None,
    limit: _Limit = None,
    worst: _Worst = None,
    labels: _Labels = None,
    unusual: _Unusual = None,
    model: _Model = None,
    output: OutputOption = None,
    format_: RowFormatOption = None,
    csv_safe: CsvSafeOption = False,
) -> ExitCode:
    """Show rows of the prediction log, the newest first; nothing is changed.

    All conditions must hold; of several --where COLUMN=VALUE of one column, of several --source and of several --error
    one is enough. Rows without a value fulfil no condition. An --image without a slash is the name without its folders.
    """
    is_terminal = sys.stdout.isatty()
    chosen = chosen_format(output, format_, csv_safe=csv_safe, is_terminal=is_terminal, inputs=[labels])
    rows = RowFilter(tuple(source or ()), tuple(where or ()), confidence_below, tuple(error or ()), failed, image)
    is_counted = worst is not None or unusual is not None
    most = row_limit(limit, writes_file=output is not None, is_counted=is_counted)
    request = LogRequest(since, until, model, rows, most, worst, labels, unusual)
    show = partial(shown_rows, session.console, output, chosen)
    summary = read_log(session.operation, request, show)
    session.console.show(summary.report())
    summary.refuse_left_out(session.operation)
    return ExitCode.OK
