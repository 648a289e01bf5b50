"""The HTTP side of `facemon serve`: which request is answered how, and what is refused before it costs anything."""

import asyncio
import json
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from facemon.config.serving import ApiConfig
from facemon.server.api_description import CONTENT_SECURITY_POLICY, describe_api, description_page
from facemon.server.bearer_tokens import BearerTokens
from facemon.server.image_answers import Answer
from facemon.server.live_predictions import LivePredictions
from facemon.server.refusal import CLIENT_GONE, refusal, refuse
from facemon.server.request_images import SentImage, read_images
from facemon.values.prediction import ErrorCode

_LONGEST_SOURCE = 200
_RETRY_AFTER = {"Retry-After": "1"}
_STATUS_OF = {ErrorCode.TOO_LARGE: 413, ErrorCode.UNREADABLE: 422}


class PredictionApi:
    """The API's endpoints over its predictions and metrics."""

    def __init__(
        self,
        config: ApiConfig,
        predictions: LivePredictions,
        registry: CollectorRegistry,
        why_not_ready: Callable[[], str | None],
        tokens: BearerTokens | None = None,
    ) -> None:
        """`registry` is what `/metrics` shows; without `tokens` nobody is asked for one."""
        self._config = config
        self._predictions = predictions
        self._registry = registry
        self._why_not_ready = why_not_ready
        self._tokens = tokens
        self._description = describe_api(config, asks_for_token=tokens is not None)
        self._in_flight = 0

    def application(self) -> Starlette:
        """The ASGI application."""
        routes = [
            Route("/predict", self.predict, methods=["POST"]),
            Route("/health", self.health),
            Route("/ready", self.ready),
            Route("/metrics", self.metrics),
            Route("/openapi.json", self.openapi),
            Route("/docs", self.docs),
        ]
        handlers: dict[Any, Any] = {HTTPException: _refused, ClientDisconnect: _left, Exception: _failed}
        application = Starlette(routes=routes, exception_handlers=handlers)
        application.router.redirect_slashes = False
        return application

    async def predict(self, request: Request) -> Response:
        """The predictions of the images of a request."""
        if self._tokens is not None and not self._tokens.allow(request.headers.get("authorization")):
            refuse(401, "send Authorization: Bearer with a token of this server", {"WWW-Authenticate": "Bearer"})
        source = _source(request)
        self._enter(1)
        taken = 1
        try:
            images = await read_images(request, self._config)
            self._enter(len(images) - 1)
            taken = len(images)
            if taken == 1:
                answers = [await self._predictions.answer(images[0].content, source)]
            else:
                answers = await asyncio.gather(*(self._predictions.answer(each.content, source) for each in images))
        finally:
            self._in_flight -= taken
        if all(answer.error is not None for answer in answers):
            first = answers[0]
            refuse(_STATUS_OF.get(first.error or ErrorCode.NAN, 500), first.message)
        return Response(_document(images, answers), media_type="application/json")

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

    async def openapi(self, _: Request) -> Response:
        """What the API understands and answers, as OpenAPI."""
        return JSONResponse(self._description)

    async def docs(self, _: Request) -> Response:
        """The same for people, as one page that loads nothing."""
        page = description_page(self._description)
        return HTMLResponse(page, headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})

    def _enter(self, images: int) -> None:
        """Count images as in flight; 503 when there are too many."""
        if images and self._in_flight + images > self._config.max_in_flight:
            refuse(503, f"{self._in_flight} images are being predicted", _RETRY_AFTER)
        self._in_flight += images


def _document(images: Sequence[SentImage], answers: Sequence[Answer]) -> str:
    """All rows in the order of the images; of several images also which rows are whose."""
    rows = ", ".join(row for answer in answers for row in answer.rows)
    if len(images) == 1:
        return f'{{"predictions": [{rows}]}}'
    parts, first = [], 0
    for image, answer in zip(images, answers, strict=True):
        parts.append({"name": image.name, "first": first, "rows": len(answer.rows)})
        first += len(answer.rows)
    return f'{{"predictions": [{rows}], "images": {json.dumps(parts, ensure_ascii=False)}}}'


def _source(request: Request) -> str | None:
    source = request.query_params.get("source")
    if source is not None and not (source.strip() and source.isprintable() and len(source) <= _LONGEST_SOURCE):
        refuse(400, f"source must be a name of at most {_LONGEST_SOURCE} printable characters")
    return source


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    message = error.detail
    if error.status_code == HTTPStatus.NOT_FOUND:
        message = "there are POST /predict and GET /health, /ready, /metrics, /docs"
    return refusal(request, error.status_code, message, error.headers)


async def _left(request: Request, _: Exception) -> Response:
    return refusal(request, CLIENT_GONE, "")


async def _failed(request: Request, _: Exception) -> Response:
    return refusal(request, 500, "the prediction failed; the server's log says why")
