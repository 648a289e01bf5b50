"""A served API over real sockets, with a real small model, whose log and counts a test can look at."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from http.client import HTTPConnection
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from prometheus_client.parser import text_string_to_metric_families as read_text

from facemon.config.quantities import Listen
from facemon.config.serving import ApiConfig, PredictConfig
from facemon.domain.prediction import PredictedBatch
from facemon.domain.request_outcome import UNMATCHED
from facemon.metrics.store_collector import build_registry
from facemon.model.predictor import Predictor
from facemon.server.api_gauges import ApiGauges
from facemon.server.bearer_tokens import BearerTokens
from facemon.server.counted_requests import CountedRequests
from facemon.server.guarded_connection import ConnectionLimits
from facemon.server.http_server import HttpServer
from facemon.server.image_answers import AnsweringPredictor
from facemon.server.images_in_flight import ImagesInFlight
from facemon.server.listening_socket import open_socket
from facemon.server.live_predictions import LivePredictions
from facemon.server.model_workers import InThread
from facemon.server.prediction_api import LogTrouble, PredictionApi
from facemon.server.prediction_queue import PredictionQueue
from facemon.server.request_counts import RequestCounts
from facemon.server.source_names import SourceNames
from facemon.store.ledger.opening import open_ledger
from tests.patience import HANG_S
from tests.predict.predicted import small_model

LIMITS: dict[str, Any] = {
    "max_body": 100_000,
    "max_pixels": 10_000,
    "max_in_flight": 2,
    "timeout": timedelta(seconds=0.3),
}
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


@dataclass
class Api:
    """A served API, what it logged, and what it reported."""

    port: int
    logged: list[PredictedBatch] = field(default_factory=list)
    reported: list[tuple[Exception, str]] = field(default_factory=list)
    access: list[dict[str, Any]] = field(default_factory=list)
    counts: RequestCounts = field(default_factory=RequestCounts)

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **options: Any
    ) -> tuple[int, str, dict[str, str]]:
        """Status, text and headers of an answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=HANG_S)
        try:
            connection.request(method, path, body, headers or {}, **options)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), {name.lower(): text for name, text in answer.getheaders()}
        finally:
            connection.close()

    def refusal(self, *request: Any, **options: Any) -> tuple[int, str]:
        """Status and error of an answer that says what was wrong."""
        status, text, _ = self.ask(*request, **options)
        document = json.loads(text)
        assert document.keys() == {"error", "message", "request"}
        assert "Traceback" not in text
        return status, document["error"]

    def series(self) -> Series:
        """What /metrics shows."""
        _, text, _ = self.ask("GET", "/metrics")
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in read_text(text)
            for sample in family.samples
        }

    def requests(self, endpoint: str) -> dict[str, float]:
        """How many requests there were, by code."""
        return {
            key.labels[3]: value
            for key, value in self.counts.totals().items()
            if key.metric == "api_requests_total" and key.labels[0] == endpoint
        }


Predicting = Callable[[Predictor], Any]


@contextmanager
def served(
    folder: Path,
    predicting: Predicting = lambda predictor: predictor,
    *,
    tokens: BearerTokens | None = None,
    limits: ConnectionLimits | None = None,
    trouble_with_log: Callable[[], LogTrouble | None] = lambda: None,
    **options: Any,
) -> Iterator[Api]:
    """An API with a real small model on a free port, whose log is a list."""
    config = ApiConfig.model_validate(LIMITS | options)
    model = small_model(folder)
    predictor = predicting(Predictor(model, PredictConfig(max_bytes=config.max_body, max_pixels=config.max_pixels)))
    answering = AnsweringPredictor(
        lambda images, run, origin: predictor.predict(images, run, origin=origin), model.attributes
    )
    api = Api(0)
    with ExitStack() as stack:
        workers = [stack.enter_context(InThread(answering)) for _ in range(4)]
        queue = PredictionQueue(workers, api.logged.append)
        predictions = LivePredictions(
            queue,
            model.attributes,
            api.logged.append,
            partial(datetime.now, UTC),
            cache_size=config.cache_size,
            looked_up=api.counts.count_lookup,
        )
        in_flight = ImagesInFlight(config.max_in_flight, config.in_flight_bytes)
        sources = SourceNames(config.sources, (), config.max_sources, api.counts.count_other_source)
        stored = build_registry(lambda: open_ledger(folder / "store", create=True), model, instance="here")
        registry = ApiGauges(model.id, predictions, in_flight, stored, lambda: None).registry()
        listening = stack.enter_context(open_socket(Listen("127.0.0.1", 0)))
        api.port = listening.getsockname()[1]
        server = HttpServer(
            CountedRequests(
                PredictionApi(
                    config, predictions, in_flight, registry, trouble_with_log, sources, tokens
                ).application(),
                api.counts,
                report=lambda error, request: api.reported.append((error, request)),
                access_log=api.access.append,
            ),
            limits=limits or ConnectionLimits(100),
            patience=1,
            refused=lambda code: api.counts.count(UNMATCHED, "other", code, 0.0),
        )
        thread = threading.Thread(target=server.run, args=(listening,))
        thread.start()
        try:
            yield api
        finally:
            server.stop()
            thread.join()


def picture(colour: tuple[int, int, int] = (200, 30, 30), size: tuple[int, int] = (8, 8)) -> bytes:
    file = BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()
