"""The HTTP side of `facemon serve`: which request is answered how, and what is refused before it costs anything."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import NoReturn

from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from facemon.config.serving import ApiConfig
from facemon.server.api_metrics import ApiMetrics, CountedRequests
from facemon.server.live_predictions import LivePredictions
from facemon.values.prediction import ErrorCode

CLIENT_GONE = 499
"""What nginx made the custom for a client that left before it was answered."""
_LONGEST_SOURCE = 200
_RETRY_AFTER_SECONDS = "1"
_ERROR_NAMES = {
    400: "bad_request", 404: "not_found", 405: "method_not_allowed", 408: "timeout", 413: "too_large",
    415: "unsupported_type", 422: "unreadable", CLIENT_GONE: "client_gone", 500: "failed", 503: "busy",
}  # fmt: skip
_STATUS_OF = {ErrorCode.TOO_LARGE: 413, ErrorCode.UNREADABLE: 422}


class PredictionApi:
    """The endpoints; predictions run on `pool`, everything else on the event loop or Starlette's own threads."""

    def __init__(
        self,
        config: ApiConfig,
        predictions: LivePredictions,
        pool: ThreadPoolExecutor,
        metrics: ApiMetrics,
        why_not_ready: Callable[[], str | None],
    ) -> None:
        self._config = config
        self._predictions = predictions
        self._pool = pool
        self._metrics = metrics
        self._registry = metrics.registry()
        self._why_not_ready = why_not_ready
        self._in_flight = 0

    def application(self, report: Callable[[Exception], None]) -> CountedRequests:
        """The ASGI application; `report` hears of every error that ends a request in 500."""
        routes = [
            Route("/predict", self.predict, methods=["POST"]),
            Route("/health", self.health),
            Route("/ready", self.ready),
            Route("/metrics", self.metrics),
        ]
        handlers = {HTTPException: _refused, ClientDisconnect: _left, Exception: _failed}
        application = Starlette(routes=routes, exception_handlers=handlers)
        application.router.redirect_slashes = False
        self._metrics.expect("/predict", "POST")
        return CountedRequests(application, self._metrics, {route.endpoint: route.path for route in routes}, report)

    async def predict(self, request: Request) -> Response:
        """The predictions of the image that is the request's body."""
        source = _source(request)
        if self._in_flight >= self._config.max_in_flight:
            _refuse(503, f"{self._in_flight} requests are being answered", {"Retry-After": _RETRY_AFTER_SECONDS})
        self._in_flight += 1
        try:
            content = await self._body(request)
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(self._pool, self._predictions.answer, content, source)
        finally:
            self._in_flight -= 1
        if answer.error is not None:
            _refuse(_STATUS_OF.get(answer.error, 500), answer.message)
        return Response(answer.document, media_type="application/json")

    async def health(self, _: Request) -> Response:
        """Whether the process is alive."""
        return PlainTextResponse("ok\n")

    async def ready(self, _: Request) -> Response:
        """Whether requests should be sent here: the model answers and the store can be written."""
        reason = await run_in_threadpool(self._why_not_ready)
        if not self._predictions.model_answers:
            reason = "the model does not answer"
        return PlainTextResponse(f"{reason or 'ready'}\n", 503 if reason else 200)

    async def metrics(self, request: Request) -> Response:
        """All metrics, in the format that the scraper asks for."""
        encoder, content_type = choose_encoder(request.headers.get("accept", ""))
        # The store is read for it, which may take as long as a disk takes.
        text = await run_in_threadpool(encoder, self._registry)
        return Response(text, headers={"Content-Type": content_type})

    async def _body(self, request: Request) -> bytes:
        """The request's body; refused as soon as it is known to be too large, too slow or no single image."""
        if request.headers.get("content-type", "").startswith("multipart/"):
            _refuse(415, "send the image itself as the body, one in each request: curl --data-binary @face.jpg")
        limit = self._config.max_body
        if int(request.headers.get("content-length", 0)) > limit:
            _refuse(413, _too_large(limit))
        content = bytearray()
        try:
            async with asyncio.timeout(self._config.timeout.total_seconds()):
                async for chunk in request.stream():
                    content += chunk
                    if len(content) > limit:
                        _refuse(413, _too_large(limit))
        except TimeoutError:
            seconds = self._config.timeout.total_seconds()
            _refuse(408, f"the body had not arrived after {seconds:g} s", {"Connection": "close"})
        if not content:
            _refuse(400, "the body is empty: send an image")
        return bytes(content)


def _source(request: Request) -> str | None:
    source = request.query_params.get("source")
    if source is not None and not (source.strip() and source.isprintable() and len(source) <= _LONGEST_SOURCE):
        _refuse(400, f"source must be a name of at most {_LONGEST_SOURCE} printable characters")
    return source


def _too_large(limit: int) -> str:
    return f"the body is larger than {limit} bytes"


def _refuse(code: int, message: str, headers: dict[str, str] | None = None) -> NoReturn:
    raise HTTPException(code, message, headers)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    message = error.detail
    if error.status_code == HTTPStatus.NOT_FOUND:
        message = "there are POST /predict and GET /health, /ready, /metrics"
    return _error(error.status_code, message, error.headers)


async def _left(_: Request, __: Exception) -> Response:
    return _error(CLIENT_GONE, "")


async def _failed(_: Request, __: Exception) -> Response:
    return _error(500, "the prediction failed; the server's log says why")


def _error(code: int, message: str, headers: object = None) -> Response:
    given = dict(headers) if isinstance(headers, dict) else None
    return JSONResponse({"error": _ERROR_NAMES.get(code, "refused"), "message": message}, code, given)
