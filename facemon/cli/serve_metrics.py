"""`facemon serve-metrics`: the exporter."""

import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from facemon.cli.command import command
from facemon.cli.reloaded_configuration import ReloadedConfiguration
from facemon.cli.session import Session
from facemon.errors import ExitCode, Interrupted, UsageError
from facemon.pandas_gate import let_pandas_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from facemon.config.document import Config
    from facemon.config.quantities import Listen
    from facemon.metrics.exporter import Exporter

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
    """Serve metrics: /metrics, /health and /ready, until interrupted.

    Those of the store, the status of the services in exporter.probes, and what exporter.collectors yield.

    SIGHUP reads the configuration anew.
    """
    from facemon.metrics.exporter import Exporter
    from facemon.server.foreign_pages import AllowedHosts, hosts_of_exporter
    from facemon.server.http_connections import serving
    from facemon.server.listening_socket import open_socket
    from facemon.server.metrics_server import metrics_application

    let_pandas_in()  # collectors may want it
    address = _parsed(listen) if listen else session.config.exporter.listen
    exporter = Exporter(session.console.warn, session.console.say)
    configuration = ReloadedConfiguration(session, _following(session, exporter, None if listen else address))
    # From here on the signal is a request to reload; by itself it would end the process.
    signal.signal(signal.SIGHUP, configuration.ask_for_reload)

    try:
        with open_socket(address) as listening:
            exporter.follow(session.config, configuration.path)
            if reason := exporter.why_not_ready():
                session.console.warn(f"{reason}; facemon_source_up is 0 until it can be read")
            # Each scrape gets the registry of the newest configuration.
            hosts = AllowedHosts(hosts_of_exporter(session.config, address))
            application = metrics_application(lambda: exporter.registry, exporter.why_not_ready, hosts)
            with serving(listening, application) as port:
                if not address.is_loopback:
                    session.console.warn(
                        f"{address} can be reached from other machines, and nobody is asked for a password"
                    )
                session.console.say(f"serving metrics on http://{address.host}:{port}/metrics")
                _reload_when_asked(configuration)
    except Interrupted:
        session.console.say("stopped")
    finally:
        exporter.stop()
    return ExitCode.OK


def _reload_when_asked(configuration: ReloadedConfiguration) -> NoReturn:
    """Go on until a signal ends it."""
    while True:
        configuration.reload_if_asked()
        # Not for ever: the system may hand a signal to another thread, and ours has to wake up to act on it.
        time.sleep(_SIGNAL_SECONDS)


def _following(
    session: Session, exporter: "Exporter", address: "Listen | None"
) -> "Callable[[Config, Path | None], None]":
    """What makes the exporter follow a new configuration; `address` is the one that the first configuration gave."""

    def follow(config: "Config", path: Path | None) -> None:
        exporter.follow(config, path)
        if address not in (None, config.exporter.listen):
            session.console.warn(
                f"exporter.listen: an address changes with a restart only; still listening on {address}"
            )

    return follow


def _parsed(listen: str) -> "Listen":
    from facemon.config.quantities import parse_listen

    try:
        return parse_listen(listen)
    except ValueError as error:
        raise UsageError(f"--listen: {error}") from error
