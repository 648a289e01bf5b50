"""`facemon serve-metrics`: the exporter."""

import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facemon.cli.command import command
from facemon.cli.pandas_gate import let_pandas_in
from facemon.cli.session import Session
from facemon.errors import ExitCode, FacemonError, Interrupted, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    from prometheus_client import make_wsgi_app

    from facemon.metrics.exporter import Exporter
    from facemon.server.http_connections import serving
    from facemon.server.listening_socket import open_socket
    from facemon.server.metrics_server import metrics_application

    let_pandas_in()  # collectors may want it
    address = _parsed(listen) if listen else session.config.exporter.listen
    exporter = Exporter(session.console.warn, session.console.say)
    configuration = _Configuration(session, exporter, None if listen else address)
    # From here on the signal is a request to reload; by itself it would end the process.
    signal.signal(signal.SIGHUP, configuration.ask_for_reload)

    def metrics(environ: dict[str, Any], start_response: Any) -> "Iterable[bytes]":
        return make_wsgi_app(exporter.registry)(environ, start_response)  # the registry of the newest configuration

    try:
        with open_socket(address) as listening:
            exporter.follow(session.config, configuration.path)
            if reason := exporter.why_not_ready():
                session.console.warn(f"{reason}; facemon_source_up is 0 until it can be read")
            with serving(listening, metrics_application(metrics, exporter.why_not_ready)) as port:
                if not address.is_loopback:
                    session.console.warn(
                        f"{address} can be reached from other machines, and nobody is asked for a password"
                    )
                session.console.say(f"serving metrics on http://{address.host}:{port}/metrics")
                configuration.reload_when_asked()
    except Interrupted:
        session.console.say("stopped")
    finally:
        exporter.stop()
    return ExitCode.OK


def _parsed(listen: str) -> "Listen":
    from facemon.config.quantities import parse_listen

    try:
        return parse_listen(listen)
    except ValueError as error:
        raise UsageError(f"--listen: {error}") from error


@dataclass
class _Configuration:
    """The configuration that the exporter follows, read anew at SIGHUP."""

    session: Session
    exporter: "Exporter"
    listen: "Listen | None"
    """The address that the configuration gave; None where the command line did."""
    path: Path | None = field(init=False)
    _is_asked: bool = False

    def __post_init__(self) -> None:
        self.path = self._found()

    def ask_for_reload(self, *_: object) -> None:
        self._is_asked = True

    def reload_when_asked(self) -> None:
        """Never returns: a signal ends it."""
        while True:
            if self._is_asked:
                self._is_asked = False
                self._reload()
            # Not for ever: the system may hand a signal to another thread, and ours has to wake up to act on it.
            time.sleep(_SIGNAL_SECONDS)

    def _found(self) -> Path | None:
        """The file there is; one that was there and has gone is missed, not replaced by defaults."""
        from facemon.config.loader import DEFAULT_FILE

        default = Path(DEFAULT_FILE)
        return self.session.config_path or (default if default.exists() else None)

    def _reload(self) -> None:
        from facemon.config.loader import load_config

        console = self.session.console
        path = self.path or self._found()
        try:
            config = load_config(path)
            self.exporter.follow(config, path)
        except FacemonError as error:
            for line in error.message.splitlines():
                console.warn(line)
            console.warn("the configuration was not reloaded; the one before stays")
            return
        self.path = path
        if self.listen not in (None, config.exporter.listen):
            console.warn(f"exporter.listen: an address changes with a restart only; still listening on {self.listen}")
        console.say("reloaded the configuration")
