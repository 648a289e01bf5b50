"""The HTTP side of `facemon serve-metrics`: /metrics, /health and /ready, one thread a request."""

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from facemon.config.quantities import Listen
from facemon.errors import FacemonError

WSGIApplication = Callable[[dict[str, Any], Any], Iterable[bytes]]
_TEXT = ("Content-Type", "text/plain; charset=utf-8")
_SLOW_CLIENT_SECONDS = 10
_HEAD_SECONDS, _FINISH_SECONDS, _POLL_SECONDS = 10.0, 3.0, 0.02
_MOST_WAITING, _MOST_ANSWERING = 64, 32


class _Server(ThreadingMixIn, WSGIServer):
    """A thread for each connection, at most so many: of those that have asked nothing yet the oldest goes."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, *args: Any, **options: Any) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[socket.socket, float] = {}
        """Connections whose request is not complete, and when each has to be."""
        self._answering: set[socket.socket] = set()
        super().__init__(*args, **options)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Take a connection."""
        with self._lock:
            if len(self._waiting) >= _MOST_WAITING:
                oldest = next(iter(self._waiting))
                del self._waiting[oldest]
                _drop(oldest)
            self._waiting[request] = time.monotonic() + _HEAD_SECONDS
        super().process_request(request, client_address)

    def may_answer(self, request: Any) -> bool:
        """Whether the complete request of a connection is answered now, or there are too many."""
        with self._lock:
            self._waiting.pop(request, None)
            if len(self._answering) >= _MOST_ANSWERING:
                return False
            self._answering.add(request)
        return True

    def shutdown_request(self, request: Any) -> None:
        """Let go of a connection."""
        with self._lock:
            self._waiting.pop(request, None)
            self._answering.discard(request)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Drop connections whose request does not become complete, however slowly it goes on."""
        now = time.monotonic()
        with self._lock:
            late = [request for request, deadline in self._waiting.items() if deadline < now]
        for request in late:
            _drop(request)

    def finish(self, seconds: float) -> None:
        """Wait until what is being answered is, but not longer than that."""
        deadline = time.monotonic() + seconds
        while self._answering and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that left or dawdled, which is no fault of ours."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _ServerV6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    timeout = _SLOW_CLIENT_SECONDS
    server: _Server

    def parse_request(self) -> bool:
        """Read the head of a request; a complete one is answered, unless there are too many."""
        if not super().parse_request():
            return False
        if self.server.may_answer(self.connection):
            return True
        self.send_error(503, "too many requests")
        return False

    def log_message(self, *_: object) -> None:
        """Say nothing: a scrape every few seconds is no news."""


def _drop(connection: socket.socket) -> None:
    with suppress(OSError):  # it may have ended by itself
        connection.shutdown(socket.SHUT_RDWR)


def metrics_application(metrics: WSGIApplication, why_not_ready: Callable[[], str | None]) -> WSGIApplication:
    """Route requests: `why_not_ready` answers None when the store can be read, else the reason."""

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            start_response("405 Method Not Allowed", [_TEXT, ("Allow", "GET, HEAD")])
            return [b"there is only GET here\n"]
        body = answer(environ | {"REQUEST_METHOD": "GET"}, start_response)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else body

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
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
            server.finish(_FINISH_SECONDS)
