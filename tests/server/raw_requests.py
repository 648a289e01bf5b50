"""Requests written byte by byte on a socket, for senders that no HTTP library would be."""

import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from tests.patience import HANG_S

BOUNDARY = "a-boundary"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


@contextmanager
def connected(port: int, *, timeout_s: float = HANG_S) -> Iterator[socket.socket]:
    """A connection to a server of this machine."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as connection:
        yield connection


def read_all(connection: socket.socket) -> bytes:
    """What comes until the other side ends the connection, in whatever way."""
    answer = b""
    try:
        while piece := connection.recv(65536):
            answer += piece
    except ConnectionError:
        pass
    return answer


def read_answer(connection: socket.socket) -> tuple[int, bytes]:
    """Status and body of one answer that says its length."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = connection.recv(1)
        assert piece, f"it ended after {head!r}"
        head += piece
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    length, body = int(lengths[0].split(b":")[1]) if lengths else 0, b""
    while len(body) < length:
        body += connection.recv(length - len(body))
    return int(head.split(b" ")[1]), body


def request(method: str, path: str, *headers: str, body: bytes = b"") -> bytes:
    """A whole request; its length is among the headers if it has a body."""
    lines = [f"{method} {path} HTTP/1.1", "Host: x", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode() + body


def form(
    *parts: tuple[str, str | None, bytes], end: bytes = b"--\r\n", headers: Mapping[str, str] | None = None
) -> bytes:
    """A form of parts, each with the name of its field and of its file, if it is one, and the last with `headers`."""
    last = "".join(f"\r\n{name}: {value}" for name, value in (headers or {}).items()).encode()
    pieces: Sequence[bytes] = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'.encode()
        + (b"" if filename is None else f'; filename="{filename}"'.encode())
        + (last if number == len(parts) else b"")
        + b"\r\n\r\n"
        + content
        + b"\r\n"
        for number, (name, filename, content) in enumerate(parts, 1)
    ]
    return b"".join((*pieces, f"--{BOUNDARY}".encode(), end))
