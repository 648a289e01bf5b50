"""The parts of `facemon serve`, put together: what predicts, logs and listens, and what SIGHUP changes of them."""

import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from socket import socket
from typing import TYPE_CHECKING, Any

from facemon.application.operation import Operation
from facemon.application.reloaded_configuration import ReloadedConfiguration
from facemon.errors import FacemonError, Interrupted

if TYPE_CHECKING:
    from pathlib import Path

    from prometheus_client import CollectorRegistry

    from facemon.config.document import Config
    from facemon.config.serving import ApiConfig
    from facemon.model.predictor import Predictor
    from facemon.server.bearer_tokens import BearerTokens
    from facemon.server.live_predictions import LivePredictions
    from facemon.server.model_workers import ModelWorker
    from facemon.server.prediction_api import LogTrouble
    from facemon.server.request_counts import RequestCounts
    from facemon.server.source_names import SourceNames
    from facemon.store.log_process import LogProcess

_REMEMBERED = timedelta(days=28)
"""The longest window that drift checks compare: sources of these days keep their names."""
_OWN_SECTIONS = frozenset(("model", "store", "predict", "evaluate", "metrics", "api"))
_RELOADED = frozenset(
    f"api.{key}"
    for limit in ("max_arriving", "max_in_flight")
    for key in (limit, f"{limit}_bytes", "max_body", "timeout", "tokens_file")
)
"""What SIGHUP changes in a running server, of the keys that it reads."""
_SWITCH_SECONDS = 0.0001
_STOP_SHARE = 0.8
"""Of `api.timeout`, what requests may take that have begun when the server stops; the rest is for the log."""
_UNLOGGED = frozenset(("/health", "/ready", "/metrics", "/pages/{file}"))
"""Their successes leave no line in the access log: they come every few seconds or with a page, and say nothing new."""


def tokens_of(operation: Operation, config: "Config") -> "BearerTokens | None":
    """The tokens that a configuration asks for; none where it asks for none."""
    path = config.api.tokens_file
    if path is None:
        return None
    from facemon.server.bearer_tokens import BearerTokens

    return BearerTokens(config.directory / path, operation.reporter.warn)


def _stored_metrics(operation: Operation, instance: str) -> "CollectorRegistry":
    from facemon.metrics.store_collector import build_registry

    config = operation.config
    min_labels = config.evaluate.min_labels
    return build_registry(operation.open_ledger, config.model, instance=instance, min_labels=min_labels)


def _source_names(operation: Operation, counts: "RequestCounts") -> "SourceNames":
    """The names that requests may bring; those that the API has logged lately keep their places over restarts."""
    from facemon.domain.prediction import Origin
    from facemon.domain.times import hour_of
    from facemon.server.source_names import SourceNames

    api = operation.config.api
    first = hour_of(datetime.now(UTC) - _REMEMBERED)
    with operation.open_ledger() as ledger, ledger.reading():
        known = ledger.profiles.known_sources(first, Origin.API, api.max_sources + len(api.sources))
    known = [name for name in known if name not in api.sources][: api.max_sources]
    return SourceNames(api.sources, known, api.max_sources, counts.count_other_source)


class RunningApi:
    """The parts of a running API, put together."""

    def __init__(
        self,
        operation: Operation,
        predictor: "Predictor",
        instance: str,
        tokens: "BearerTokens | None",
        api: "ApiConfig",
        workers: int,
        configuration: ReloadedConfiguration,
        report: Callable[[Exception, str], None],
        stack: ExitStack,
    ) -> None:
        """Start all that runs beside the event loop; `stack` ends it."""
        from facemon.domain.request_outcome import UNMATCHED
        from facemon.metrics.scrape_limits import own_registry
        from facemon.server.access_log import AccessLog
        from facemon.server.api_gauges import ApiGauges
        from facemon.server.counted_requests import CountedRequests
        from facemon.server.guarded_connection import ConnectionLimits
        from facemon.server.http_server import HttpServer
        from facemon.server.images_in_flight import ImagesInFlight
        from facemon.server.prediction_api import PredictionApi
        from facemon.server.request_counts import RequestCounts

        self._operation, config, self._configuration = operation, operation.config, configuration
        self._failure: FacemonError | None = None
        now = self._open_store(predictor)
        # Before any thread of this process begins, because the other processes are copies of it.
        # One more than predict light images at once: what takes long to decode has a worker of its own.
        model = _model_workers(operation, predictor, workers + 1, stack)
        counts = RequestCounts()
        self._log = log = stack.enter_context(self._log_process(predictor, counts, instance))
        predictions = self._live_predictions(model, workers, counts, now)
        self._in_flight = in_flight = ImagesInFlight(api.max_in_flight, api.in_flight_bytes)
        stored = _stored_metrics(operation, instance)
        gauges = ApiGauges(config.model.id, predictions, in_flight, stored, lambda: log.trouble)
        metrics = own_registry(gauges, config, operation.reporter.warn)
        sources = _source_names(operation, counts)
        self._most_connections = api.max_connections
        self._api = PredictionApi(api, predictions, in_flight, metrics, self._trouble_with_log, sources, tokens)
        entries = stack.enter_context(AccessLog(operation.reporter.say)) if api.access_log else None
        note = _newsworthy(entries.add) if entries else None
        self._server = HttpServer(
            CountedRequests(self._api.application(), counts, report=report, access_log=note),
            limits=ConnectionLimits(api.max_connections),
            patience=_STOP_SHARE * api.timeout.total_seconds(),
            refused=lambda code: counts.count(UNMATCHED, "other", code, 0.0),
            every_second=self._look_after,
        )
        log.start()

    def serve(self, listening: socket, url: str) -> None:
        """Answer requests until a signal ends this; FacemonError where the server cannot go on."""
        try:
            self._operation.reporter.say(f"serving predictions on {url}")
            # The log is written by Python of another thread, which should not hold up a request for five milliseconds.
            sys.setswitchinterval(_SWITCH_SECONDS)
            self._server.run(listening)
        except Interrupted:
            self._operation.reporter.detail("finishing what has begun")
        if self._failure is not None:
            raise self._failure

    def _open_store(self, predictor: "Predictor") -> Callable[[], datetime]:
        """Make the store if there is none, and let the model go by its clock, which is returned.

        Here and never again: a store that disappears while serving is expected back.
        """
        from facemon.application.changed_model import warn_of_changed_model

        with self._operation.open_ledger(create=True) as ledger:
            self._operation.warn_of_clock(ledger)
            warn_of_changed_model(self._operation, ledger, predictor.fingerprint)
            ledger.clock.keep()
            predictor.go_by(ledger.clock.now)
            return ledger.clock.now

    def _live_predictions(
        self, model: "Sequence[ModelWorker]", lanes: int, counts: "RequestCounts", now: Callable[[], datetime]
    ) -> "LivePredictions":
        from facemon.server.live_predictions import LivePredictions
        from facemon.server.prediction_queue import PredictionQueue

        attributes, add = self._operation.config.model.attributes, self._log.add
        tell, cache_size = self._operation.reporter.warn, self._operation.config.api.cache_size
        self._queue = PredictionQueue(model, add, lanes=lanes, tell=tell, exhausted=self._give_up)
        return LivePredictions(self._queue, attributes, add, now, cache_size=cache_size, looked_up=counts.count_lookup)

    def follow(self, config: "Config", _: "Path | None" = None) -> None:
        """Take from a new configuration what can change while the server runs, and warn of the rest."""
        from facemon.config.changed_keys import changed_keys

        tokens = tokens_of(self._operation, config)
        if (tokens is None) != (self._operation.config.api.tokens_file is None):
            raise FacemonError(
                "api.tokens_file: whether tokens are asked for changes with a restart only", "restart facemon serve"
            )
        self._api.follow(config.api.model_copy(update={"max_connections": self._most_connections}), tokens)
        self._in_flight.hold_to(config.api.max_in_flight, config.api.in_flight_bytes)
        for key in changed_keys(self._operation.config, config):
            if key.partition(".")[0] in _OWN_SECTIONS and key not in _RELOADED:
                self._operation.reporter.warn(f"{key} changes with a restart only; it stays as it was")

    async def _look_after(self) -> None:
        import asyncio

        await self._queue.replace_dead()
        await asyncio.to_thread(self._configuration.reload_if_asked, self.follow)

    def _give_up(self, error: FacemonError) -> None:
        # A server that is started again has workers; this one would refuse everything.
        self._failure = error
        self._server.stop()

    def _log_process(self, predictor: "Predictor", counts: "RequestCounts", instance: str) -> "LogProcess":
        from facemon.store.live_writer import LiveWriter
        from facemon.store.log_process import LogProcess
        from facemon.store.run_state import RunIdentity

        operation = self._operation
        identity = RunIdentity(("api",), predictor.model.id, predictor.fingerprint, None)
        return LogProcess(
            lambda tell: LiveWriter(operation.open_ledger, identity, tell, instance=instance),
            operation.reporter.warn,
            take_counts=counts.take,
            # A server that is started again has a log that works; this one would forget all that it answers.
            killed=lambda: self._server.stop(),  # noqa: PLW0108 - it is not there yet
        )

    def _trouble_with_log(self) -> "LogTrouble | None":
        from facemon.server.prediction_api import LogTrouble

        reason = self._log.trouble
        try:
            self._operation.open_ledger().close()
        except FacemonError as error:
            reason = error.message
        return LogTrouble(reason, self._log.is_full) if reason else None


def _newsworthy(add: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    """Adds what is worth a line in the access log."""

    def note(entry: dict[str, Any]) -> None:
        if not (entry["code"] < 400 and entry["endpoint"] in _UNLOGGED):
            add(entry)

    return note


def _model_workers(
    operation: Operation, predictor: "Predictor", count: int, stack: ExitStack
) -> "Sequence[ModelWorker]":
    """The model in processes of its own, or in threads where it holds a device, which does not survive a fork."""
    from facemon.engines.processes import can_fork, forking_server
    from facemon.model.decoder_process import NICENESS
    from facemon.server.image_answers import AnsweringPredictor
    from facemon.server.model_workers import InProcess, InThread

    config = operation.config
    answering = AnsweringPredictor(
        lambda images, run, origin: predictor.predict(images, run, origin=origin), config.model.attributes
    )
    if not can_fork(config.predict.providers):
        return [stack.enter_context(InThread(answering)) for _ in range(count)]
    server = stack.enter_context(forking_server(answering, count))
    patience = config.api.timeout.total_seconds()
    slow, *others = server.first
    return [
        InProcess(server, slow, patience, niceness=NICENESS),
        *(InProcess(server, process, patience) for process in others),
    ]
