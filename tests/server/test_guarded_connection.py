"""What a sender can do to a connection before the application sees it, and after it has answered."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from facemon.server.guarded_connection import ConnectionLimits
from tests.server.served_api import Api, picture, served

LIMITS = ConnectionLimits(
    connections=20, head_seconds=0.6, head_bytes=4000, linger_seconds=0.5, linger_bytes=2_000_000, stalled_seconds=0.6
)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Api]:
    with served(tmp_path, limits=LIMITS, timeout="5s") as api:
        yield api


def connect(api: Api) -> socket.socket:
    return socket.create_connection(("127.0.0.1", api.port), timeout=5)


def read_all(connection: socket.socket) -> bytes:
    """What comes until the other side ends."""
    answer = b""
    with suppress(ConnectionError):
        while piece := connection.recv(65536):
            answer += piece
    return answer


def test_half_a_head_is_given_up(guarded: Api) -> None:
    with connect(guarded) as half:
        half.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nX-")
        began = time.monotonic()
        assert read_all(half).startswith(b"HTTP/1.1 408 ")
        assert 0.3 < time.monotonic() - began < 3
    assert guarded.requests("unmatched") == {"408": 1}


def test_a_head_that_goes_on_by_the_byte_is_given_up(guarded: Api) -> None:
    with connect(guarded) as slow:
        began = time.monotonic()
        with suppress(OSError):
            while time.monotonic() - began < 5:
                slow.sendall(b"G")
                time.sleep(0.05)
        assert time.monotonic() - began < 3


def test_a_connection_that_says_nothing_is_closed_and_no_request(guarded: Api) -> None:
    with connect(guarded) as silent:
        assert read_all(silent) == b""
    assert guarded.requests("unmatched") == {}


@pytest.mark.parametrize(
    "head",
    [
        b"GET /health HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % number for number in range(1000)) + b"\r\n",
        b"GET /health HTTP/1.1\r\nX-Long: " + b"y" * 20_000 + b"\r\n\r\n",
        b"GET /" + b"y" * 20_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /health HTTP/1.1\r\nX-Endless: " + b"y" * 200_000,
    ],
)
def test_floods_of_headers_are_refused(guarded: Api, head: bytes) -> None:
    with connect(guarded) as flood, suppress(ConnectionError):
        flood.sendall(head)
        assert read_all(flood).startswith(b"HTTP/1.1 431 ")
    assert guarded.requests("unmatched") == {"431": 1}
    assert guarded.ask("GET", "/health")[0] == 200


def test_more_connections_than_there_may_be_are_refused(guarded: Api) -> None:
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(connect(guarded)).sendall(b"GET /hea")
        time.sleep(0.1)
        assert read_all(stack.enter_context(connect(guarded))).startswith(b"HTTP/1.1 503 ")
    time.sleep(0.2)
    assert guarded.ask("GET", "/health")[0] == 200


@pytest.mark.parametrize("with_length", [True, False])
def test_a_body_that_goes_on_after_the_answer(guarded: Api, with_length: bool) -> None:
    """Its sender can read the answer, and is cut off soon."""
    length = b"Content-Length: 1000000000" if with_length else b"Transfer-Encoding: chunked"
    with connect(guarded) as endless:
        endless.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\n" + length + b"\r\n\r\n")
        began, chunk = time.monotonic(), b"2000\r\n" + b"x" * 0x2000 + b"\r\n"
        answer = b""
        endless.settimeout(0.01)
        with suppress(ConnectionError):
            while time.monotonic() - began < 5:
                with suppress(TimeoutError):
                    endless.sendall(chunk)
                with suppress(TimeoutError):
                    if not (piece := endless.recv(65536)):
                        break
                    answer += piece
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"too_large" in answer
        assert time.monotonic() - began < 4
    assert guarded.requests("/predict") == {"413": 1}


def test_connections_are_kept_for_the_next_request(guarded: Api) -> None:
    body = picture()
    request = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with connect(guarded) as kept:
        for _ in range(3):
            kept.sendall(request)
            head = kept.recv(65536)
            assert head.startswith(b"HTTP/1.1 200 ")
            time.sleep(0.8)  # longer than a head may take
        kept.sendall(request + request + b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert read_all(kept).count(b"HTTP/1.1 200 ") == 3


def test_a_client_that_does_not_read_is_dropped(guarded: Api) -> None:
    with connect(guarded) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        began = time.monotonic()
        with suppress(ConnectionError, TimeoutError):
            while time.monotonic() - began < 8:
                deaf.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
        assert time.monotonic() - began < 7
    assert guarded.ask("GET", "/health")[0] == 200
