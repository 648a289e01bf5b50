"""`facemon serve`: the ML API."""

from functools import partial
from typing import Annotated

import typer

from facemon.cli.command import command
from facemon.cli.listening import parsed_listen, reloaded_at_hangup
from facemon.cli.session import Session
from facemon.errors import ExitCode, FacemonError
from facemon.terminal.console import Console

app = typer.Typer()


_ListenOption = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="Where to listen (default: api.listen, 127.0.0.1:8000); port 0 takes a free one.",
    ),
]
_WorkersOption = Annotated[
    int | None,
    typer.Option(
        metavar="N", min=1, max=1024, help="Processes that predict (default: api.workers, one for each core)."
    ),
]
_InstanceOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Name to count requests under (default: api.instance, host and address)."),
]


@command(app, "serve")
def serve(
    session: Session,
    listen: _ListenOption = None,
    workers: _WorkersOption = None,
    instance: _InstanceOption = None,
) -> ExitCode:
    """Serve the ML API until interrupted: POST /predict, GET /health, /ready, /metrics and /docs.

    The body of a request is one image, or a form with several; ?source=NAME says which camera they come from. Every
    prediction is logged.

    SIGHUP reads the tokens and the limits of requests again; all else changes with a restart.
    """
    from facemon.application.served_api import ServeRequest, serve_api

    request = ServeRequest(partial(_tell_failure, session.console), parsed_listen(listen), workers, instance)
    serve_api(session.operation, request, reloaded_at_hangup(session))
    return ExitCode.OK


def _tell_failure(console: Console, error: Exception, request: str) -> None:
    if isinstance(error, FacemonError):
        console.error(FacemonError(f"{error.message} (request {request})", error.hint))
    else:
        console.fault(error)
