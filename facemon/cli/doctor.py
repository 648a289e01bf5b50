"""`facemon doctor`: what is wrong, from the configuration to the notification, and what mends it."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from facemon.cli.command import command
from facemon.cli.completion import ALERTS
from facemon.cli.session import Session
from facemon.errors import ExitCode
from facemon.terminal.console import Verbosity

app = typer.Typer()


class _Format(StrEnum):
    """How a diagnosis is printed."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


_AlertOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        autocompletion=ALERTS,
        help="Say why this alert does not fire, with --prometheus; repeatable.",
    ),
]


@command(app, "doctor")
def doctor(
    session: Session,
    *,
    prometheus: Annotated[str | None, typer.Option(metavar="URL", help="Check this Prometheus too.")] = None,
    alertmanager: Annotated[
        str | None, typer.Option(metavar="URL", help="Check this Alertmanager (default: those that Prometheus uses).")
    ] = None,
    grafana: Annotated[str | None, typer.Option(metavar="URL", help="Check this Grafana too.")] = None,
    grafana_token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Read Grafana's token from FILE; with --grafana.")
    ] = None,
    api: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Check this ML API (default: api.listen, if it is a loopback address)."),
    ] = None,
    exporter: Annotated[
        str | None, typer.Option(metavar="URL", help="Check this exporter (default: exporter.listen, likewise).")
    ] = None,
    textfile: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Check the textfile FILE (default: schedule.export.textfile)."),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the rendered stack.")] = Path(),
    alert: _AlertOption = None,
    format_: Annotated[_Format, typer.Option("--format", help="How to print.")] = _Format.TEXT,
) -> ExitCode:
    """Check each step from the images to the alerts; print problems, evidence and fixes; exit 3 if there are any.

    doctor changes nothing. It connects only to the servers given here and to those
    that the configuration binds to this machine alone. -v prints what was checked.
    """
    from facemon.application.diagnosis import DiagnosisRequest, diagnose

    request = DiagnosisRequest(
        prometheus, alertmanager, grafana, grafana_token_file, api, exporter, textfile, out, session.config_path,
        tuple(alert or ()),
    )  # fmt: skip
    found = diagnose(lambda: session.operation, request)
    if format_ is _Format.JSON:
        session.console.document(found.document(), indent=2)
    elif format_ is _Format.MARKDOWN:
        session.console.result(found.markdown().rstrip("\n"))
    elif found.findings or not session.console.is_quiet:
        session.console.show(found.report(shows_facts=session.console.verbosity is Verbosity.VERBOSE))
    return found.code
