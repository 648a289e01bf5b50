"""The HTTP side of `facemon serve-metrics`: /metrics, /health and /ready, one thread a request."""

from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from facemon.config.quantities import Listen
from facemon.errors import FacemonError

WSGIApplication = Callable[[dict[str, Any], Any], Iterable[bytes]]
_TEXT = [("Content-Type", "text/plain; charset=utf-8")]
_SLOW_CLIENT_SECONDS = 10


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    timeout = _SLOW_CLIENT_SECONDS

    def log_message(self, *_: object) -> None:
        """Say nothing: a scrape every few seconds is no news."""


def metrics_application(metrics: WSGIApplication, why_not_ready: Callable[[], str | None]) -> WSGIApplication:
    """Route requests: `why_not_ready` answers None when the store can be read, else the reason."""

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        match environ["PATH_INFO"]:
            case "/metrics":
                return metrics(environ, start_response)
            case "/health":
                start_response("200 OK", _TEXT)
                return [b"ok\n"]
            case "/ready":
                reason = why_not_ready()
                start_response("503 Service Unavailable" if reason else "200 OK", _TEXT)
                return [f"{reason or 'ready'}\n".encode()]
        start_response("404 Not Found", _TEXT)
        return [b"there are /metrics, /health and /ready\n"]

    return application


def open_server(listen: Listen, application: WSGIApplication) -> WSGIServer:
    """Bind the address; FacemonError when it is taken or not ours. Serve with `serve_forever`."""
    try:
        return make_server(listen.host.strip("[]"), listen.port, application, _Server, _Handler)
    except OSError as error:
        raise FacemonError(
            f"cannot listen on {listen}: {error.strerror}", "choose another address with --listen"
        ) from error
