"""`facemon serve-metrics`: the exporter."""

import time
from typing import Annotated

import typer

from facemon.cli.command import command
from facemon.cli.session import Session
from facemon.errors import ConfigError, ExitCode, FacemonError, Interrupted, UsageError

app = typer.Typer()
_SIGNAL_SECONDS = 0.2


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
    """Serve the store's metrics: /metrics, /health and /ready, until interrupted."""
    from prometheus_client import make_wsgi_app

    from facemon.config.quantities import parse_listen
    from facemon.metrics.store_collector import build_registry
    from facemon.server.metrics_server import metrics_application, serving

    try:
        address = parse_listen(listen) if listen else session.config.exporter.listen
    except ValueError as error:
        raise UsageError(f"--listen: {error}") from error

    if ignored := [key for key in ("probes", "collectors") if getattr(session.config.exporter, key)]:
        # To leave them out quietly would look like services that are well.
        raise ConfigError(f"exporter.{ignored[0]}: serve-metrics has no {ignored[0]} yet", "remove the key")

    def why_not_ready() -> str | None:
        try:
            session.open_ledger().close()
        except FacemonError as error:
            return error.message
        return None

    if reason := why_not_ready():
        session.console.warn(f"{reason}; facemon_source_up is 0 until it can be read")
    metrics = make_wsgi_app(build_registry(session.open_ledger, session.config.model))
    try:
        with serving(address, metrics_application(metrics, why_not_ready)) as port:
            if not address.is_loopback:
                session.console.warn(
                    f"{address} can be reached from other machines, and nobody is asked for a password"
                )
            session.console.say(f"serving metrics on http://{address.host}:{port}/metrics")
            while True:
                # Not for ever: the system may hand a signal to another thread, and ours has to wake up to act on it.
                time.sleep(_SIGNAL_SECONDS)
    except Interrupted:
        session.console.say("stopped")
    return ExitCode.OK
