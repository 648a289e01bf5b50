"""The HTTP side of `facemon serve-metrics`: /metrics, /health and /ready, one thread a request."""

import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from facemon.config.quantities import Listen
from facemon.errors import FacemonError

WSGIApplication = Callable[[dict[str, Any], Any], Iterable[bytes]]
_TEXT = ("Content-Type", "text/plain; charset=utf-8")
_SLOW_CLIENT_SECONDS = 10


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that left or dawdled, which is no fault of ours."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _ServerV6(_Server):
    address_family = socket.AF_INET6


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
                start_response("200 OK", [_TEXT])
                return [b"ok\n"]
            case "/ready":
                reason = why_not_ready()
                start_response("503 Service Unavailable" if reason else "200 OK", [_TEXT])
                return [f"{reason or 'ready'}\n".encode()]
        start_response("404 Not Found", [_TEXT])
        return [b"there are /metrics, /health and /ready\n"]

    return application


@contextmanager
def serving(listen: Listen, application: WSGIApplication) -> Iterator[int]:
    """Serve an address while the block runs, and tell its port; FacemonError when it is taken or not ours.

    Requests are taken in a thread of its own: a signal that ends the block then never falls into the
    server's own code, which would take the exception for a fault of that request and go on.
    """
    host = listen.host.strip("[]")
    try:
        server = make_server(host, listen.port, application, _ServerV6 if ":" in host else _Server, _Handler)
    except OSError as error:
        raise FacemonError(
            f"cannot listen on {listen}: {error.strerror}", "choose another address with --listen"
        ) from error
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
