"""A real HTTP service to be probed, which does on each path what services in trouble do."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Service:
    """A service on a port of 127.0.0.1; `asked` counts requests by path, `sent` the bytes of endless bodies."""

    port: int
    asked: dict[str, int] = field(default_factory=dict)
    sent: int = 0
    status: int = 200

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@contextmanager
def service(port: int = 0) -> Iterator[Service]:
    """Run a service until the block ends; what hangs then ends too."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            running.asked[self.path] = running.asked.get(self.path, 0) + 1
            with suppress(OSError):
                self.behave(self.path.partition("?")[0])

        def behave(self, path: str) -> None:
            match path:
                case "/hangs":
                    over.wait()
                case "/dribbles":
                    self.dribble(b"HTTP/1.0 200 OK\r\nServer: " + b"x" * 1000)
                case "/dribbles-body":
                    self.dribble(b"", head=b"HTTP/1.0 200 OK\r\nContent-Length: 1000\r\n\r\n")
                case "/endless":
                    self.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n")
                    while not over.is_set():
                        self.wfile.write(b"x" * 65536)
                        running.sent += 65536
                case "/no-http":
                    self.wfile.write(b"SSH-2.0-OpenSSH\r\n")
                case "/moved":
                    self.redirect("/health")
                case "/turns":
                    self.redirect("/turns")
                case "/to-a-file":
                    self.redirect("file:///etc/passwd")
                case "/missing":
                    self.send_error(404)
                case _:
                    self.send_response(running.status)
                    self.end_headers()

        def redirect(self, location: str) -> None:
            self.send_response(302)
            self.send_header("Location", location)
            self.end_headers()

        def dribble(self, text: bytes, head: bytes = b"") -> None:
            self.wfile.write(head)
            for byte in text or b"x" * 1000:
                self.wfile.write(bytes([byte]))
                if over.wait(0.1):
                    return

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass

    with Server(("127.0.0.1", port), Handler) as server:
        running = Service(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield running
        finally:
            over.set()
            server.shutdown()
            thread.join()
