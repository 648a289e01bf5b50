"""`facemon export-metrics`: the store's metrics, once."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from facemon.application.metrics_export import COMMAND, Export, ExportRequest, delete_metrics, tell_of_gateway
from facemon.application.metrics_export import export_metrics as export_store
from facemon.application.push_target import PushOptions
from facemon.cli.command import command
from facemon.cli.push_options import (
    CaFileOption,
    DeleteOption,
    GroupingOption,
    JobOption,
    PasswordFileOption,
    TimeoutOption,
    TokenFileOption,
    UserOption,
)
from facemon.cli.session import Session
from facemon.errors import ExitCode, UsageError

app = typer.Typer()


@command(app, COMMAND)
def export_metrics(
    session: Session,
    export: Annotated[Export | None, typer.Option(help="Which metrics (default: all).")] = None,
    textfile: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Write a *.prom file for node-exporter's textfile collector.")
    ] = None,
    pushgateway: Annotated[str | None, typer.Option(metavar="URL", help="Push to a Pushgateway.")] = None,
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="-", help="Write to stdout (default).")
    ] = None,
    job: JobOption = None,
    grouping: GroupingOption = None,
    user: UserOption = None,
    password_file: PasswordFileOption = None,
    token_file: TokenFileOption = None,
    ca_file: CaFileOption = None,
    timeout: TimeoutOption = None,
    delete: DeleteOption = False,
) -> ExitCode:
    """Export the store's metrics once: to a textfile, a Pushgateway or stdout."""
    if output not in (None, "-"):
        raise UsageError(f"-o {output}: only - is known, for stdout", "to write a file, use --textfile PATH")
    if sum(target is not None for target in (textfile, pushgateway, output)) > 1:
        raise UsageError("--textfile, --pushgateway and -o exclude each other", "run facemon once for each of them")
    operation = session.operation
    how = PushOptions(job, tuple(grouping or ()), user, password_file, token_file, ca_file, timeout)
    gateway = how.pushgateway(pushgateway, delete=delete, labels=session.config.metrics.labels)
    if gateway is not None:
        tell_of_gateway(operation, gateway, deletes=delete)
    if gateway is None or not delete:
        show = partial(_show, session)
        export_store(operation, ExportRequest(export or Export.ALL, textfile, gateway, show))
    elif export is not None:
        raise UsageError("--delete deletes the whole group", "leave out --export")
    else:
        delete_metrics(operation, gateway)
    return ExitCode.OK


def _show(session: Session, text: str) -> None:
    session.console.file(text.rstrip("\n"))
    session.console.flush()
