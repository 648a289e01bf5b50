"""`facemon serve`: the ML API."""

import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facemon.cli.command import command
from facemon.cli.reloaded_configuration import ReloadedConfiguration
from facemon.cli.session import Session
from facemon.errors import ExitCode, FacemonError, Interrupted, UsageError

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from facemon.config.document import Config
    from facemon.config.quantities import Listen
    from facemon.config.serving import ApiConfig, PredictConfig
    from facemon.model.predictor import Predictor
    from facemon.server.bearer_tokens import BearerTokens
    from facemon.server.live_predictions import LivePredictions
    from facemon.server.model_workers import ModelWorker
    from facemon.server.request_counts import RequestCounts
    from facemon.server.source_names import SourceNames
    from facemon.store.log_process import LogProcess
    from facemon.store.process_lock import ProcessLock

app = typer.Typer()
_EXTRA = ("httptools", "multipart", "starlette", "uvicorn", "uvloop")
_REMEMBERED = timedelta(days=28)
"""The longest window that drift checks compare: sources of these days keep their names."""
_OWN_SECTIONS = frozenset(("model", "store", "predict", "evaluate", "metrics", "api"))
_RELOADED = frozenset(
    f"api.{key}"
    for key in ("max_arriving", "max_arriving_bytes", "max_body", "max_in_flight", "timeout", "tokens_file")
)
"""What SIGHUP changes in a running server, of the keys that it reads."""
_STOP_SHARE = 0.8
"""Of `api.timeout`, what requests may take that have begun when the server stops; the rest is for the log."""
_UNLOGGED = frozenset(("/health", "/ready", "/metrics"))
"""Their successes leave no line in the access log: they come every few seconds, and are no news."""


@command(app, "serve")
def serve(
    session: Session,
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Where to listen (default: api.listen, 127.0.0.1:8000); port 0 takes a free one.",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, max=1024, help="Processes that predict (default: api.workers, one for each core)."
        ),
    ] = None,
    instance: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Name to count requests under (default: api.instance, host and address)."),
    ] = None,
) -> ExitCode:
    """Serve the ML API until interrupted: POST /predict, GET /health, /ready, /metrics and /docs.

    The body of a request is one image, or a form with several; ?source=NAME says which camera they come from. Every
    prediction is logged.

    SIGHUP reads the tokens and the limits of requests anew; all else changes with a restart.
    """
    address = _address(session, listen)
    _require_extra()
    configuration = ReloadedConfiguration(session, lambda config, _: server.follow(config))
    # From here on the signal is a request to reload; by itself it would end the process.
    signal.signal(signal.SIGHUP, configuration.ask_for_reload)
    tokens = _tokens(session, session.config)
    from facemon.model.predictor import Predictor
    from facemon.server.listening_socket import open_socket

    config = session.config
    predictor = Predictor(config.model, _limits(config))
    with ExitStack() as stack:
        listening = stack.enter_context(open_socket(address))
        address = address._replace(port=listening.getsockname()[1])
        name, lock = _identity(session, address, instance)
        stack.enter_context(lock)
        if tokens is None:
            _warn_if_public(session, address)
        api = _held_to(config, address)
        server = _Server(session, predictor, name, tokens, api, workers, configuration, stack)
        try:
            session.console.say(f"serving predictions on http://{address}")
            server.run(listening)
        except Interrupted:
            session.console.detail("finishing what has begun")
    if server.failure is not None:
        raise server.failure
    session.console.say("stopped; every prediction is logged")
    return ExitCode.OK


def _require_extra() -> None:
    if missing := [name for name in _EXTRA if find_spec(name) is None]:
        raise FacemonError(f"facemon serve needs {' and '.join(missing)}", "pip install 'facemon[serve]'")


def _limits(config: "Config") -> "PredictConfig":
    """The limits of one image: the API's own, and what is common to all predictions."""
    api = config.api
    own = {name: getattr(api, name) for name in ("max_pixels", "max_decode_memory", "formats")}
    # The size of a body is limited where it arrives, by a limit that may change.
    own |= {"max_bytes": sys.maxsize, "max_decode_seconds": api.decode_seconds}
    return config.predict.model_copy(update=own)


def _address(session: Session, listen: str | None) -> "Listen":
    from facemon.config.quantities import parse_listen

    try:
        return parse_listen(listen) if listen else session.config.api.listen
    except ValueError as error:
        raise UsageError(f"--listen: {error}") from error


def _tokens(session: Session, config: "Config") -> "BearerTokens | None":
    path = config.api.tokens_file
    if path is None:
        return None
    from facemon.server.bearer_tokens import BearerTokens

    return BearerTokens(config.directory / path, session.console.warn)


def _identity(session: Session, listen: "Listen", given: str | None) -> "tuple[str, ProcessLock]":
    """The name under which this API counts its requests, and the lock that holds it."""
    from facemon.config.serving import parse_instance
    from facemon.store.api_identity import default_instance, hold_identity

    try:
        name = parse_instance(given) if given is not None else session.config.api.instance
    except ValueError as error:
        raise UsageError(f"--instance: {error}") from error
    name = name or default_instance(listen)
    # The ledger is closed again: no connection may be open while other processes are forked.
    with session.open_ledger(create=True) as ledger:
        return name, hold_identity(ledger, name, listen)


def _warn_if_public(session: Session, address: "Listen") -> None:
    if not address.is_loopback:
        session.console.warn(f"{address} can be reached from other machines without a token: see api.tokens_file")


def _held_to(config: "Config", listen: "Listen") -> "ApiConfig":
    """The api section as this process can keep it: its connections, and all host names that it goes by."""
    from facemon.server.api_server import most_connections
    from facemon.server.foreign_pages import hosts_of_api

    api = config.api
    connections = most_connections(api.max_connections)
    return api.model_copy(update={"max_connections": connections, "allowed_hosts": hosts_of_api(config, listen)})


def _stored_metrics(session: Session, instance: str) -> "CollectorRegistry":
    from facemon.metrics.store_collector import build_registry

    config = session.config
    min_labels = config.evaluate.min_labels
    return build_registry(session.open_ledger, config.model, instance=instance, min_labels=min_labels)


def _source_names(session: Session, counts: "RequestCounts") -> "SourceNames":
    """The names that requests may bring; those that the API has logged lately keep their places over restarts."""
    from facemon.server.source_names import SourceNames
    from facemon.store.profiles import known_sources
    from facemon.values.prediction import Origin
    from facemon.values.times import hour_of

    api = session.config.api
    first = hour_of(datetime.now(UTC) - _REMEMBERED)
    with session.open_ledger() as ledger, ledger.reading() as connection:
        known = known_sources(connection, first, Origin.API, api.max_sources + len(api.sources))
    known = [name for name in known if name not in api.sources][: api.max_sources]
    return SourceNames(api.sources, known, api.max_sources, counts.count_other_source)


class _Server:
    """The parts of a running API, put together."""

    def __init__(
        self,
        session: Session,
        predictor: "Predictor",
        instance: str,
        tokens: "BearerTokens | None",
        api: "ApiConfig",
        workers: int | None,
        configuration: ReloadedConfiguration,
        stack: ExitStack,
    ) -> None:
        """Start all that runs beside the event loop; `stack` ends it."""
        from facemon.metrics.constant_labels import labelled_registry
        from facemon.server.access_log import AccessLog
        from facemon.server.api_gauges import ApiGauges
        from facemon.server.api_server import ApiServer
        from facemon.server.counted_requests import CountedRequests
        from facemon.server.guarded_connection import ConnectionLimits
        from facemon.server.images_in_flight import ImagesInFlight
        from facemon.server.prediction_api import PredictionApi
        from facemon.server.request_counts import RequestCounts
        from facemon.values.request_outcome import UNMATCHED

        self._session, config, self._configuration = session, session.config, configuration
        self.failure: FacemonError | None = None
        now = self._open_store(predictor)
        # Before any thread of this process begins, because the other processes are copies of it.
        model = _model_workers(session, predictor, workers, stack)
        counts = RequestCounts()
        self._log = log = stack.enter_context(self._log_process(predictor, counts, instance))
        predictions = self._live_predictions(model, counts, now, api.cache_size)
        self._in_flight = in_flight = ImagesInFlight(api.max_in_flight)
        stored = _stored_metrics(session, instance)
        gauges = ApiGauges(config.model.id, predictions, in_flight, stored, lambda: log.trouble)
        metrics = labelled_registry(gauges, config.metrics.labels)
        sources = _source_names(session, counts)
        self._most_connections = api.max_connections
        self._api = PredictionApi(api, predictions, in_flight, metrics, self._why_not_ready, sources, tokens)
        entries = stack.enter_context(AccessLog(session.console.say)) if api.access_log else None
        note = _newsworthy(entries.add) if entries else None
        self._server = ApiServer(
            CountedRequests(self._api.application(), counts, report=self._report, access_log=note),
            limits=ConnectionLimits(api.max_connections),
            patience=_STOP_SHARE * api.timeout.total_seconds(),
            refused=lambda code: counts.count(UNMATCHED, "other", code, 0.0),
            every_second=self._look_after,
        )
        log.start()
        self.run = self._server.run

    def _open_store(self, predictor: "Predictor") -> Callable[[], datetime]:
        """Make the store if there is none, and let the model go by its clock, which is returned.

        Here and never again: a store that disappears while serving is expected back.
        """
        with self._session.open_ledger(create=True) as ledger:
            self._session.warn_of_clock(ledger)
            ledger.clock.keep()
            predictor.go_by(ledger.clock.now)
            return ledger.clock.now

    def _live_predictions(
        self, model: "Sequence[ModelWorker]", counts: "RequestCounts", now: Callable[[], datetime], cache_size: int
    ) -> "LivePredictions":
        from facemon.server.live_predictions import LivePredictions
        from facemon.server.prediction_queue import PredictionQueue

        attributes, add = self._session.config.model.attributes, self._log.add
        self._queue = PredictionQueue(model, add, tell=self._session.console.warn, exhausted=self._give_up)
        return LivePredictions(self._queue, attributes, add, now, cache_size=cache_size, looked_up=counts.count_lookup)

    def follow(self, config: "Config") -> None:
        """Take from a new configuration what can change while the server runs, and warn of the rest."""
        from facemon.cli.changed_keys import changed_keys

        tokens = _tokens(self._session, config)
        if (tokens is None) != (self._session.config.api.tokens_file is None):
            raise FacemonError("api.tokens_file: whether tokens are asked for changes with a restart only")
        self._api.follow(config.api.model_copy(update={"max_connections": self._most_connections}), tokens)
        self._in_flight.limit = config.api.max_in_flight
        for key in changed_keys(self._session.config, config):
            if key.partition(".")[0] in _OWN_SECTIONS and key not in _RELOADED:
                self._session.console.warn(f"{key} changes with a restart only; it stays as it was")

    async def _look_after(self) -> None:
        import asyncio

        await self._queue.replace_dead()
        await asyncio.to_thread(self._configuration.reload_if_asked)

    def _give_up(self, error: FacemonError) -> None:
        # Whoever restarts the server gets a whole one; this one would refuse everything.
        self.failure = error
        self._server.stop()

    def _log_process(self, predictor: "Predictor", counts: "RequestCounts", instance: str) -> "LogProcess":
        from facemon.store.live_writer import LiveWriter
        from facemon.store.log_process import LogProcess
        from facemon.store.runs import RunIdentity

        session = self._session
        identity = RunIdentity(("api",), predictor.model.id, predictor.fingerprint, None)
        return LogProcess(
            lambda tell: LiveWriter(session.open_ledger, identity, tell, instance=instance),
            session.console.warn,
            take_counts=counts.take,
            # Whoever restarts the server gets a log that works; this one would forget all that it answers.
            killed=lambda: self._server.stop(),  # noqa: PLW0108 - it is not there yet
        )

    def _why_not_ready(self) -> str | None:
        try:
            self._session.open_ledger().close()
        except FacemonError as error:
            return error.message
        return self._log.trouble

    def _report(self, error: Exception, request: str) -> None:
        console = self._session.console
        if not isinstance(error, FacemonError):
            console.fault(error)
            return
        console.error(FacemonError(f"{error.message} (request {request})", error.hint))


def _newsworthy(add: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    """Adds what is worth a line in the access log."""

    def note(entry: dict[str, Any]) -> None:
        if not (entry["code"] < 400 and entry["endpoint"] in _UNLOGGED):
            add(entry)

    return note


def _model_workers(
    session: Session, predictor: "Predictor", workers: int | None, stack: ExitStack
) -> "Sequence[ModelWorker]":
    """The model in processes of its own, or in threads where it holds a device, which does not survive a fork."""
    from facemon.predict.pipeline import default_threads
    from facemon.predict.worker_processes import forking_server
    from facemon.server.image_answers import AnsweringPredictor
    from facemon.server.model_workers import InProcess, InThread

    config = session.config
    answering = AnsweringPredictor(
        lambda images, run, origin: predictor.predict(images, run, origin=origin), config.model.attributes
    )
    count = workers or config.api.workers or default_threads()
    if config.predict.providers != ("cpu",):
        return [stack.enter_context(InThread(answering)) for _ in range(count)]
    server = stack.enter_context(forking_server(answering, count))
    return [InProcess(server, process, config.api.timeout.total_seconds()) for process in server.first]
