"""HTTP servers that stand where a Pushgateway would: they keep what they were asked, and behave as a test wants."""

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.serving import serving


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


@dataclass
class Gateway:
    """A server at `url`; `asked` grows by what it is asked."""

    url: str
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def gateway(
    *,
    status: int = 200,
    text: str = "",
    location: str = "",
    authorization: str | None = None,
    certificate: Path | None = None,
) -> Iterator[Gateway]:
    """Answer every request with a status, or with 401 where the authorization is not the one that is wanted."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            served.asked.append(Asked(self.command, self.path, dict(self.headers), body))
            is_known = authorization is None or self.headers.get("Authorization") == authorization
            self.send_response(status if is_known else 401)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        do_PUT = do_DELETE = do_GET = do_POST = answer

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing: what was asked is kept."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that does not like the certificate leaves, which is what some tests want."""

    server = Server(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        server.socket = context.wrap_socket(server.socket, server_side=True)
    served = Gateway(f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}")
    with serving(server):
        yield served


@contextmanager
def dawdling_gateway(*, drips: bool) -> Iterator[str]:
    """A server that takes connections and never answers, or answers a byte at a time for ever."""
    over = threading.Event()

    def talk(client: socket.socket) -> None:
        with client:
            while not over.wait(0.1):
                if drips:
                    try:
                        client.send(b"H")
                    except OSError:
                        return

    def accept() -> None:
        while not over.is_set():
            try:
                client, _ = listener.accept()
            except TimeoutError:
                continue
            threading.Thread(target=talk, args=(client,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            over.set()
            thread.join()
            time.sleep(0.1)


def write_certificate(folder: Path, host: str = "127.0.0.1") -> Path:
    """A private authority of one: a certificate for `host` that signs itself, with its key beside it."""
    certificate = folder / f"{host}.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", f"/CN={host}",
            "-addext", f"subjectAltName={'IP' if host[0].isdigit() else 'DNS'}:{host}",
            "-keyout", certificate.with_suffix(".key"), "-out", certificate,
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate
