"""`facemon serve-metrics`: the exporter."""

import signal
import threading
from collections.abc import Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer

from facemon.cli.command import command
from facemon.cli.session import Session
from facemon.errors import ConfigError, ExitCode, FacemonError, Interrupted, UsageError

if TYPE_CHECKING:
    from facemon.config.quantities import Listen

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
    """Serve the store's metrics: /metrics, /health and /ready, until interrupted.

    With exporter.probes and exporter.collectors also whether other services answer, and metrics of your own. SIGHUP
    reads the configuration again.
    """
    from facemon.server.metrics_server import serving

    address, console = _address(session, listen), session.console
    with ExitStack() as stack:
        exporter = stack.enter_context(_Exporter(session))
        if reason := exporter.why_not_ready():
            console.warn(f"{reason}; facemon_source_up is 0 until it can be read")
        try:
            port = stack.enter_context(serving(address, exporter.answer))
            if not address.is_loopback:
                console.warn(f"{address} can be reached from other machines, and nobody is asked for a password")
            hung_up = threading.Event()
            signal.signal(signal.SIGHUP, lambda *_: hung_up.set())
            console.say(f"serving metrics on http://{address.host}:{port}/metrics")
            while True:
                # Not for ever: the system may hand a signal to another thread, and ours has to wake up to act on it.
                if hung_up.wait(_SIGNAL_SECONDS):
                    hung_up.clear()
                    exporter.reload()
        except Interrupted:
            console.say("stopped")
    return ExitCode.OK


def _address(session: Session, listen: str | None) -> "Listen":
    from facemon.config.quantities import parse_listen

    try:
        return parse_listen(listen) if listen else session.config.exporter.listen
    except ValueError as error:
        raise UsageError(f"--listen: {error}") from error


class _Exporter:
    """What is served, as the configuration has it, which may be read again."""

    def __init__(self, session: Session) -> None:
        self._take(session, _Sources(session))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sources.close()

    def answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request by the newest configuration."""
        return self._application(environ, start_response)

    def why_not_ready(self) -> str | None:
        """Why the store cannot be read; none when it can."""
        try:
            self._session.open_ledger().close()
        except FacemonError as error:
            return error.message
        return None

    def reload(self) -> None:
        """Read the configuration again; one that is wrong changes nothing."""
        console, listen = self._session.console, self._session.config.exporter.listen
        session = Session(console, self._session.config_path)
        try:
            sources = _Sources(session)
        except FacemonError as error:
            console.error(error)
            console.warn("the configuration stays as it was")
            return
        before = self._sources
        self._take(session, sources)
        before.close()
        if session.config.exporter.listen != listen:
            console.warn("exporter.listen has changed: the address does so at the next start")
        console.say("the configuration was read again")

    def _take(self, session: Session, sources: "_Sources") -> None:
        from prometheus_client import make_wsgi_app

        from facemon.server.metrics_server import metrics_application

        self._session, self._sources = session, sources
        self._application = metrics_application(make_wsgi_app(sources.registry), self.why_not_ready)


class _Sources:
    """The store, the probes and the collectors of a configuration, as one registry."""

    def __init__(self, session: Session) -> None:
        """ConfigError where a collector cannot be made."""
        from facemon.metrics.foreign_collectors import ForeignCollectors, import_collector
        from facemon.metrics.service_probes import ServiceProbes
        from facemon.metrics.store_collector import build_registry

        settings = session.config.exporter
        try:
            collectors = [(path, import_collector(path, session.config.directory)) for path in settings.collectors]
        except FacemonError as error:
            raise ConfigError(f"exporter.collectors: {error.message}", error.hint) from error
        stored = build_registry(session.open_ledger, session.config.model)
        timeout = settings.collector_timeout.total_seconds()
        self.registry = ForeignCollectors(stored, collectors, timeout=timeout, tell=session.console.warn).registry()
        self._probes = ServiceProbes(
            ((probe.name, probe.url) for probe in settings.probes),
            interval=settings.probe_interval.total_seconds(),
            timeout=settings.probe_timeout.total_seconds(),
        )
        self.registry.register(self._probes)

    def close(self) -> None:
        """Ask no service any more."""
        self._probes.__exit__()
