"""The HTTP side of `facemon serve`: which request is answered by whom."""

from collections.abc import Callable
from http import HTTPStatus
from ipaddress import ip_network
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from facemon.config.serving import ApiConfig
from facemon.server.api_description import CONTENT_SECURITY_POLICY, describe_api, description_page
from facemon.server.asgi import Application, Receive, Scope, Send, header
from facemon.server.bearer_tokens import BearerTokens
from facemon.server.client_address import ForwardedClients
from facemon.server.exposition_format import choose_exposition
from facemon.server.foreign_pages import AllowedHosts, ForeignPages
from facemon.server.images_in_flight import ImagesInFlight
from facemon.server.live_predictions import LivePredictions
from facemon.server.page_routes import file_response, page_routes, swagger_page
from facemon.server.predict_endpoint import PredictEndpoint
from facemon.server.refusal import Refused, send_refusal
from facemon.server.source_names import SourceNames

NOT_READY_SECONDS = 10.0
"""After the model has failed, requests should go elsewhere for so long."""


class LogTrouble(NamedTuple):
    """Why predictions cannot be logged at the moment."""

    reason: str
    is_full: bool
    """Whether further predictions cannot wait, so that they are lost."""


class PredictionApi:
    """The API's endpoints over its predictions and metrics."""

    def __init__(
        self,
        config: ApiConfig,
        predictions: LivePredictions,
        in_flight: ImagesInFlight,
        registry: CollectorRegistry,
        trouble_with_log: Callable[[], LogTrouble | None],
        sources: SourceNames,
        tokens: BearerTokens | None = None,
    ) -> None:
        """`registry` is what `/metrics` shows; without `tokens` none is asked for."""
        self._predictions = predictions
        self._registry = registry
        self._trouble_with_log = trouble_with_log
        self._description = describe_api(config, asks_for_token=tokens is not None)
        self._has_pages = config.pages
        self._swagger_page = swagger_page() if config.pages else None
        self._foreign_pages = ForeignPages(AllowedHosts(config.allowed_hosts))
        self._proxies = [ip_network(text) for text in config.trusted_proxies]
        self._predict = PredictEndpoint(config, predictions, in_flight, sources, tokens)

    def follow(self, config: ApiConfig, tokens: BearerTokens | None) -> None:
        """Hold the next requests to other limits and tokens."""
        self._description = describe_api(config, asks_for_token=tokens is not None)
        self._predict.follow(config, tokens)

    def application(self) -> Application:
        """The ASGI application."""
        predict = Route("/predict", self._predict, methods=["POST"])
        routes = [
            predict,
            Route("/health", self.health),
            Route("/ready", self.ready),
            Route("/metrics", self.metrics),
            Route("/openapi.json", self.openapi),
            Route("/docs", self.docs),
            *(page_routes() if self._has_pages else ()),
        ]
        handlers: dict[Any, Any] = {HTTPException: _refused}
        framework = Starlette(routes=routes, exception_handlers=handlers)
        framework.router.redirect_slashes = False

        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            is_prediction = scope["path"] == predict.path and scope["method"] == "POST"
            if is_prediction:
                scope["route"] = predict
            try:
                self._foreign_pages.check(scope)
            except Refused as refused:
                await send_refusal(scope, send, refused)
                return
            if is_prediction:
                # Past the framework, whose layers cost a twentieth of what a prediction costs.
                await self._predict(scope, receive, send)
            else:
                await framework(scope, receive, send)

        return ForwardedClients(application, self._proxies) if self._proxies else application

    async def health(self, _: Request) -> Response:
        """Whether the process is alive."""
        return PlainTextResponse("ok\n")

    async def ready(self, _: Request) -> Response:
        """Whether requests should be sent here: the model answers, and its predictions are logged or can wait."""
        trouble = await run_in_threadpool(self._trouble_with_log)
        reason = None
        if trouble is not None and trouble.is_full:
            reason = f"cannot log, and no further prediction can wait in memory: {trouble.reason}"
        # Not for good: only a request that is sent here can show that the model answers again.
        if self._predictions.failed_within(NOT_READY_SECONDS):
            reason = "the model does not answer"
        workers = self._predictions.strength
        if not workers.available:
            reason = reason or "no worker process is left; new ones are being started"
        state = "ready"
        if workers.available < workers.configured:
            state = f"ready, with {workers.available} of {workers.configured} workers; the others are being replaced"
        if trouble is not None:
            # Without this replica its images are not predicted at all, and others on the same disk cannot log either.
            state += f"; cannot log, predictions wait in memory: {trouble.reason}"
        return PlainTextResponse(f"{reason or state}\n", 503 if reason else 200)

    async def metrics(self, request: Request) -> Response:
        """All metrics, in the format that the scraper asks for."""
        exposition = choose_exposition(header(request.scope, b"accept"))
        # The store is read for it, which may take as long as a disk takes.
        text = await run_in_threadpool(exposition.encode, self._registry)
        return Response(text, headers={"Content-Type": exposition.content_type})

    async def openapi(self, _: Request) -> Response:
        """What the API understands and answers, as OpenAPI."""
        return JSONResponse(self._description)

    async def docs(self, request: Request) -> Response:
        """The same for people: by Swagger UI, or without it or without pages as one page that loads nothing."""
        if self._swagger_page is not None:
            return file_response(self._swagger_page, request)
        page = description_page(self._description)
        return HTMLResponse(page, headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})


async def _refused(_: Request, error: HTTPException) -> Application:
    message = error.detail
    if error.status_code == HTTPStatus.NOT_FOUND:
        message = "there are POST /predict and GET /health, /ready, /metrics, /docs"
    headers = [(name.lower().encode(), value.encode()) for name, value in (error.headers or {}).items()]

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        await send_refusal(scope, send, Refused(error.status_code, message, *headers))

    return answer
