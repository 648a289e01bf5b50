"""`facemon serve-metrics`: the exporter."""

from typing import Annotated

import typer

from facemon.cli.command import command
from facemon.cli.listening import parsed_listen, reloaded_at_hangup
from facemon.cli.session import Session
from facemon.errors import ExitCode

app = typer.Typer()


@command(app, "serve-metrics")
def serve_metrics(
    session: Session,
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Where to listen (default: exporter.listen, 127.0.0.1:8001); port 0 takes a free one.",
        ),
    ] = None,
) -> ExitCode:
    """Serve metrics: /metrics, /health and /ready, until interrupted.

    Those of the store, the status of the services in exporter.probes, and what exporter.collectors yield.

    SIGHUP reads the configuration again.
    """
    from facemon.application.served_metrics import serve_metrics as serve

    address = parsed_listen(listen)
    serve(session.operation, address, reloaded_at_hangup(session))
    return ExitCode.OK
