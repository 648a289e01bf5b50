"""A real HTTP service to be probed, which does on each path what services in trouble do."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.serving import serving

LOCATIONS = {"/moved": "/health", "/turns": "/turns", "/to-a-file": "file:///etc/passwd"}


@dataclass
class Service:
    """A service on a port of 127.0.0.1; `asked` counts requests by path, `sent` the bytes of endless bodies."""

    port: int
    asked: dict[str, int] = field(default_factory=dict)
    sent: int = 0
    status: int = 200
    over: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    service: Service

    def handle_error(self, *_: object) -> None:
        pass


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        asked = self.server.service.asked
        asked[self.path] = asked.get(self.path, 0) + 1
        with suppress(OSError):
            self.behave(self.path.partition("?")[0])

    def behave(self, path: str) -> None:
        service = self.server.service
        match path:
            case "/hangs":
                service.over.wait()
            case "/dribbles":
                self.dribble(b"HTTP/1.0 200 OK\r\nServer: " + b"x" * 1000)
            case "/dribbles-body":
                self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: 1000\r\n\r\n")
                self.dribble(b"x" * 1000)
            case "/endless":
                self.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n")
                while not service.over.is_set():
                    self.wfile.write(b"x" * 65536)
                    service.sent += 65536
            case "/no-http":
                self.wfile.write(b"SSH-2.0-OpenSSH\r\n")
            case "/missing":
                self.send_error(404)
            case _:
                self.send_response(302 if path in LOCATIONS else service.status)
                self.send_header("Location", LOCATIONS.get(path, ""))
                self.end_headers()

    def dribble(self, text: bytes) -> None:
        for byte in text:
            self.wfile.write(bytes([byte]))
            if self.server.service.over.wait(0.1):
                return


@contextmanager
def service(port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[Service]:
    """Run a service until the block ends; what hangs then ends too."""
    server = _Server(("127.0.0.1", port), _Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    server.service = Service(server.server_address[1])
    with serving(server):
        try:
            yield server.service
        finally:
            server.service.over.set()
