"""What `facemon serve-metrics` answers: /metrics, /health and /ready."""

from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from typing import Any

from facemon.server.http_connections import Answer, Application, Request, text_answer

WSGIApplication = Callable[[dict[str, Any], Any], Iterable[bytes]]
_PATHS = ("/metrics", "/health", "/ready")


def metrics_application(metrics: WSGIApplication, why_not_ready: Callable[[], str | None]) -> Application:
    """Route requests: `why_not_ready` answers None when the store can be read, else the reason.

    /health is answered without a thread or the store: it tells that the exporter lives, whatever else is stuck.
    """

    def application(request: Request) -> Answer | Callable[[], Answer]:
        if request.path not in _PATHS:
            return text_answer(HTTPStatus.NOT_FOUND, "there are /metrics, /health and /ready")
        if request.method not in ("GET", "HEAD"):
            return text_answer(HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD", Allow="GET, HEAD")
        match request.path:
            case "/metrics":
                return partial(_scraped, metrics, request)
            case "/ready":
                return partial(_readiness, why_not_ready)
        return text_answer(HTTPStatus.OK, "ok")

    return application


def _readiness(why_not_ready: Callable[[], str | None]) -> Answer:
    reason = why_not_ready()
    return text_answer(HTTPStatus.SERVICE_UNAVAILABLE if reason else HTTPStatus.OK, reason or "ready")


def _scraped(metrics: WSGIApplication, request: Request) -> Answer:
    """Ask prometheus-client's application, which negotiates the format and the compression."""
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": request.path, "QUERY_STRING": request.query}
    for header in ("accept", "accept-encoding"):
        if header in request.headers:
            environ[f"HTTP_{header.replace('-', '_').upper()}"] = request.headers[header]
    started: list[tuple[str, list[tuple[str, str]]]] = []
    body = b"".join(metrics(environ, lambda status, headers: started.append((status, headers))))
    status, headers = started[0]
    return Answer(HTTPStatus(int(status.split()[0])), body, {**dict(headers), "Vary": "Accept, Accept-Encoding"})
