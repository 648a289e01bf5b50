"""What `facemon serve-metrics` answers: /metrics, /health and /ready."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from urllib.parse import parse_qs

from prometheus_client import CollectorRegistry

from facemon.server.exposition_format import accepts_gzip, choose_exposition, compressed
from facemon.server.foreign_pages import AllowedHosts
from facemon.server.http_connections import Answer, Application, Request, text_answer

_PATHS = ("/metrics", "/health", "/ready")


def metrics_application(
    registry: Callable[[], CollectorRegistry], why_not_ready: Callable[[], str | None], hosts: AllowedHosts
) -> Application:
    """Route requests: `registry` gives what /metrics shows now, `why_not_ready` None when the store can be read.

    /metrics is for requests to one of `hosts`: a page whose name was made to resolve to here may not read it.

    /health is answered without a thread or the store: it tells that the exporter lives, whatever else is stuck.
    """

    def application(request: Request) -> Answer | Callable[[], Answer]:
        if request.path not in _PATHS:
            return text_answer(HTTPStatus.NOT_FOUND, "there are /metrics, /health and /ready")
        if request.method not in ("GET", "HEAD"):
            return text_answer(HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD", Allow="GET, HEAD")
        match request.path:
            case "/metrics":
                if not hosts.allows(host := request.headers.get("host", "")):
                    return text_answer(HTTPStatus.FORBIDDEN, f"{host[:100]!a} is not a host of this exporter")
                return partial(_scraped, registry(), request)
            case "/ready":
                return partial(_readiness, why_not_ready)
        return text_answer(HTTPStatus.OK, "ok")

    return application


def _readiness(why_not_ready: Callable[[], str | None]) -> Answer:
    reason = why_not_ready()
    return text_answer(HTTPStatus.SERVICE_UNAVAILABLE if reason else HTTPStatus.OK, reason or "ready")


def _scraped(registry: CollectorRegistry, request: Request) -> Answer:
    """All metrics, or those that `?name[]=` names, in the format and the compression that the scraper asks for."""
    names = parse_qs(request.query).get("name[]")
    exposition = choose_exposition(request.headers.get("accept", ""))
    body = exposition.encode(registry.restricted_registry(names) if names else registry)
    headers = {"Content-Type": exposition.content_type, "Vary": "Accept, Accept-Encoding"}
    if accepts_gzip(request.headers.get("accept-encoding", "")):
        return Answer(HTTPStatus.OK, compressed(body), headers | {"Content-Encoding": "gzip"})
    return Answer(HTTPStatus.OK, body, headers)
