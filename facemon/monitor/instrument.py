"""`facemon.instrument`: the API metrics, `/metrics` and `/health` around an application of one's own."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import REGISTRY
from prometheus_client.registry import Collector

from facemon.errors import FacemonError
from facemon.monitor.application_metrics import ApplicationMetrics
from facemon.server.asgi import Application, Receive, Scope, Send, header, send_response
from facemon.server.counted_requests import CountedRequests
from facemon.server.exposition_format import choose_exposition
from facemon.server.request_counts import RequestCounts
from facemon.server.route_templates import declares, template_of
from facemon.store.ledger.opening import open_ledger

if TYPE_CHECKING:
    from facemon.config.document import Config

_TEXT = "text/plain; charset=utf-8"


def instrument(
    app: Application,
    *,
    config: "Config | Path | str | None" = None,
    registry: Collector | None = REGISTRY,
    endpoint_of: Callable[[Scope], str | None] | None = None,
    metrics_path: str | None = "/metrics",
    health_path: str | None = "/health",
) -> Application:
    """Any ASGI application, with `api_requests_total`, `api_request_latency_seconds`, `/metrics` and `/health`.

    Served is what this answers, in place of `app`:

        api = Starlette(routes=[Route("/predict", predict, methods=["POST"])])
        app = facemon.instrument(api, config="facemon.yaml")   # uvicorn module:app

    `/metrics` shows the requests, all of `registry` (prometheus_client's own, unless another or None is given) and,
    with a configuration or the path of one, the metrics of its store. Endpoints are templates of routes, as Starlette
    and FastAPI know them, and `unmatched` where there is no route. For other frameworks `endpoint_of` makes an endpoint
    of a request's scope: one of few, for each becomes series; None leaves it to the routes. A path that is None is left
    to the application, and `/health` also where the application has that route; one for `/metrics` is a FacemonError.

    Counters begin at 0 with each process. Every answer has an `X-Request-ID`: the client's if it sent one, else the
    application's, else a new one.
    """
    paths = [path for path in (metrics_path, health_path) if path is not None]
    if wrong := [path for path in paths if not path.startswith("/")]:
        raise FacemonError(f"{wrong[0]!r} is not a path", "begin it with a slash")
    if metrics_path is not None and metrics_path == health_path:
        raise FacemonError(f"{metrics_path} cannot be both metrics and health")
    counts = RequestCounts()
    loaded = None if config is None else _loaded(config)
    metrics = ApplicationMetrics(counts, registry, None if loaded is None else _stored(loaded), loaded)
    pages = _Pages(app, metrics, metrics_path, health_path)
    pages.check()

    def endpoint(scope: Scope) -> str:
        # A page of ours is no route of the application, whatever that is mounted in.
        if isinstance(page := scope.get("route"), _Page):
            return page.path
        return (endpoint_of(scope) if endpoint_of is not None else None) or template_of(scope)

    return CountedRequests(pages, counts, endpoint_of=endpoint)


def _loaded(config: "Config | Path | str") -> "Config":
    from facemon.config.document import Config
    from facemon.config.loader import load_config

    return config if isinstance(config, Config) else load_config(Path(config))


def _stored(config: "Config") -> Collector:
    """The metrics of a configuration's store, which is made here if there is none, and never again."""
    from facemon.metrics.store_collector import build_registry

    open_ledger(config.store.path, create=True, mode=config.store.mode).close()
    return build_registry(lambda: open_ledger(config.store.path), config.model, min_labels=config.evaluate.min_labels)


@dataclass(frozen=True, slots=True)
class _Page:
    """A page of facemon's, as the route that a request took."""

    path: str


class _Pages:
    """Answers GET and HEAD on the paths of the pages, and leaves everything else to the application."""

    def __init__(
        self, application: Application, metrics: Collector, metrics_path: str | None, health_path: str | None
    ) -> None:
        self._application = application
        self._metrics = metrics
        self._metrics_path = metrics_path
        self._health_path = health_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(scope.get("root_path", "")) if scope["type"] == "http" else None
        if path is None or scope["method"] not in ("GET", "HEAD"):
            await self._application(scope, receive, send)
        elif path == self._metrics_path:
            self.check()
            scope["route"] = _Page(path)
            await self._show_metrics(scope, send)
        elif path == self._health_path and not declares(self._application, path):
            scope["route"] = _Page(path)
            await _show(scope, send, _TEXT, b"ok\n")
        else:
            await self._application(scope, receive, send)

    def check(self) -> None:
        """FacemonError where the application has a page of metrics itself; routes may be added at any time."""
        if self._metrics_path is not None and declares(self._application, self._metrics_path):
            raise FacemonError(
                f"the application has a route {self._metrics_path} of its own, which would be hidden",
                "remove it, facemon shows the same registry; or give metrics_path another path, or None",
            )

    async def _show_metrics(self, scope: Scope, send: Send) -> None:
        exposition = choose_exposition(header(scope, b"accept"))
        # The store is read for it, which may take as long as a disk takes.
        body = await asyncio.to_thread(exposition.encode, self._metrics)
        await _show(scope, send, exposition.content_type, body)


async def _show(scope: Scope, send: Send, content_type: str, body: bytes) -> None:
    kind = (b"content-type", content_type.encode())
    await send_response(send, 200, body, kind, without_body=scope["method"] == "HEAD")
