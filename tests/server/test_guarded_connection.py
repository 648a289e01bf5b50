"""What senders do to a connection, over real sockets: each ends in time, and is counted in no series of its own."""

import resource
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from facemon.server.guarded_connection import ConnectionLimits
from tests.patience import HANG_S, wait_until
from tests.server.raw_requests import connected, read_all, read_answer, request
from tests.server.served_api import Api, picture, served

QUICK = ConnectionLimits(
    connections=8, head_seconds=0.3, head_bytes=4096, linger_seconds=0.3, linger_bytes=2**20, pipelined=1000,
    stalled_seconds=0.3,
)  # fmt: skip
HEALTH = request("GET", "/health")
KNOWN = {("unmatched", "other"), ("unmatched", "GET")}


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Api]:
    with served(tmp_path, limits=QUICK) as api:
        yield api
        assert api.ask("GET", "/health")[0] == 200
        labels = {key.labels[:2] for key in api.counts.totals()}
        assert labels <= {*KNOWN, ("/predict", "POST"), ("/health", "GET"), ("/metrics", "GET"), ("miss",)}
        assert api.reported == []


def status(answer: bytes) -> int:
    return int(answer.split(b" ")[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def drip(connection: socket.socket, piece: bytes, *, every_s: float = 0.05) -> None:
    """Send pieces until the other side ends the connection."""
    end = time.monotonic() + HANG_S
    connection.settimeout(every_s)
    while time.monotonic() < end:
        try:
            connection.sendall(piece)
            if not connection.recv(65536):
                break
        except TimeoutError:
            continue
        except ConnectionError:
            break
    else:
        pytest.fail(f"the connection was held for {HANG_S:.0f} s")


@pytest.mark.parametrize("begun", [b"G", b"GET /health HTTP/1.1\r\nHost: x\r\nX-A: b"])
def test_half_a_request_is_answered_408_and_closed(guarded: Api, begun: bytes) -> None:
    with connected(guarded.port) as half:
        half.sendall(begun)
        answer = read_all(half)
    assert status(answer) == 408
    assert answer.endswith(b"\r\n\r\nRequest Timeout\n")
    assert guarded.requests("unmatched") == {"408": 1}


def test_who_says_nothing_is_let_go(guarded: Api) -> None:
    with connected(guarded.port) as silent:
        assert read_all(silent) == b""
    assert guarded.requests("unmatched") == {}


def test_a_head_that_drips_in_does_not_last_longer(guarded: Api) -> None:
    with connected(guarded.port) as slow:
        slow.sendall(b"GET /health HTTP/1.1\r\n")
        drip(slow, b"X")
    assert guarded.requests("unmatched") == {"408": 1}


@pytest.mark.parametrize("after", [b"GET /he", b"\r\n", b"GET /he\r\n\r\n"[:5]])
def test_nor_does_one_that_begins_behind_another_request(guarded: Api, after: bytes) -> None:
    with connected(guarded.port) as slow:
        slow.sendall(HEALTH + after)
        assert read_answer(slow) == (200, b"ok\n")
        drip(slow, b"\n" if after == b"\r\n" else b"x")


def test_empty_lines_between_requests_hold_no_connection(guarded: Api) -> None:
    with connected(guarded.port) as slow:
        slow.sendall(HEALTH)
        assert read_answer(slow) == (200, b"ok\n")
        drip(slow, b"\r\n")


@pytest.mark.parametrize(
    "head",
    [
        request("GET", "/health", *(f"X-{number}: {number}" for number in range(2000))),
        request("GET", "/health", f"X-Long: {'x' * 50_000}"),
        request("GET", f"/health?{'x' * 50_000}"),
        b"GET /health HTTP/1.1\r\nX-Endless: " + b"x" * 50_000,
    ],
    ids=["many", "long", "url", "endless"],
)
def test_a_flood_of_headers_is_refused(guarded: Api, head: bytes) -> None:
    with connected(guarded.port) as flood, suppress(ConnectionError):
        flood.sendall(head)
        assert status(read_all(flood)) == 431
    assert guarded.requests("unmatched") == {"431": 1}
    assert guarded.requests("/health") == {}


def test_a_head_that_is_large_in_small_pieces_is_refused_too(guarded: Api) -> None:
    with connected(guarded.port) as flood, suppress(ConnectionError):
        flood.sendall(b"GET /health HTTP/1.1\r\n")
        for number in range(60):
            flood.sendall(f"X-{number}: {'x' * 100}\r\n".encode())
            time.sleep(0.001)
    wait_until(lambda: guarded.requests("unmatched") == {"431": 1})


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize(
    ("begin", "flood"),
    [(b"0\r\n", b"X-Trailer: 1\r\n"), (b"0\r\nX-Trailer: ", b"x" * 100), (b"1;", b"x" * 100)],
    ids=["trailers", "trailer", "extension"],
)
def test_what_is_no_body_is_no_way_in(tmp_path: Path, method: str, begin: bytes, flood: bytes) -> None:
    """An application may wait for the rest of a body, or have answered without it; it is a flood in either case."""
    patient = ConnectionLimits(connections=8, head_bytes=4096, linger_seconds=30)
    with served(tmp_path, limits=patient, timeout=timedelta(seconds=30)) as api, connected(api.port) as sending:
        path = "/predict" if method == "POST" else "/health"
        sending.sendall(request(method, path, "Transfer-Encoding: chunked") + begin)
        with suppress(ConnectionError):
            for _ in range(2000):
                sending.sendall(flood)
                time.sleep(0.0001)
            pytest.fail("it may be sent for ever")
        wait_until(lambda: api.requests(path) == {"499" if method == "POST" else "200": 1})


@pytest.mark.parametrize(
    "noise",
    [
        b"\x16\x03\x01\x02\x00\x01",
        b"HELO mail\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"GET /health\r\n\r\n",
        b"GET /health HTTP/2.0\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_and_counted(guarded: Api, noise: bytes) -> None:
    with connected(guarded.port) as strange:
        strange.sendall(noise)
        assert status(read_all(strange)) == 400
    assert guarded.requests("unmatched") == {"400": 1}


def test_of_too_many_connections_the_one_goes_that_has_waited_longest_for_a_request(tmp_path: Path) -> None:
    with served(tmp_path, limits=ConnectionLimits(connections=3)) as api, ExitStack() as stack:
        half, idle, last = (stack.enter_context(connected(api.port)) for _ in range(3))
        for connection in (half, idle, last):
            connection.sendall(HEALTH)
            assert read_answer(connection)[0] == 200
        half.sendall(b"GET /hea")
        assert [api.ask("GET", "/health")[0] for _ in range(2)] == [200, 200]
        assert status(read_all(half)) == 408, "it had waited longest, although bytes of a request had come"
        last.sendall(HEALTH)
        assert read_answer(last)[0] == 200


def test_more_connections_than_the_limit_are_turned_away_while_all_are_being_answered(tmp_path: Path) -> None:
    body = request("POST", "/predict", "Content-Length: 1000")
    with served(tmp_path, limits=ConnectionLimits(connections=3), timeout=timedelta(seconds=HANG_S)) as api:
        with ExitStack() as stack:
            for _ in range(3):
                stack.enter_context(connected(api.port)).sendall(body)
            wait_until(lambda: status(turned_away(api)) == 503)
        wait_until(lambda: status(turned_away(api)) == 200)


def turned_away(api: Api) -> bytes:
    """What a new connection is told."""
    with connected(api.port) as client, suppress(ConnectionError):
        client.sendall(request("GET", "/health", "Connection: close"))
        return read_all(client)
    return b""


@pytest.mark.parametrize("framing", [f"Content-Length: {2**30}", "Transfer-Encoding: chunked"])
def test_a_body_that_goes_on_after_its_answer_ends_soon_and_is_kept_nowhere(guarded: Api, framing: str) -> None:
    piece = b"x" * 2**16
    if "chunked" in framing:
        piece = b"%x\r\n%s\r\n" % (len(piece), piece)
    over = threading.Event()
    sent = 0

    def send() -> None:
        nonlocal sent
        with suppress(OSError):
            while not over.is_set():
                sending.sendall(piece)
                sent += len(piece)
        over.set()

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with connected(guarded.port) as sending:
        sending.sendall(request("POST", "/predict", framing))
        thread = threading.Thread(target=send)
        thread.start()
        try:
            code, body = read_answer(sending)
            assert (code, b"the body is larger than 100000 bytes" in body) == (413, True)
            assert over.wait(HANG_S), "its sender was never cut off"
        finally:
            over.set()
            with suppress(OSError):
                sending.shutdown(socket.SHUT_RDWR)
            thread.join()
    assert sent < 2**25
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000
    assert guarded.requests("/predict") == {"413": 1}


def test_a_body_that_drips_on_after_its_answer_is_cut_off_too(guarded: Api) -> None:
    with connected(guarded.port) as sending:
        sending.sendall(request("POST", "/predict", f"Content-Length: {2**30}"))
        assert read_answer(sending)[0] == 413
        drip(sending, b"x")


def test_a_refused_body_that_ends_in_time_leaves_the_connection_usable(guarded: Api) -> None:
    with connected(guarded.port) as sending:
        sending.sendall(request("POST", "/predict", "Content-Length: 100001"))
        assert read_answer(sending)[0] == 413
        sending.sendall(b"x" * 100_001 + HEALTH)
        assert read_answer(sending) == (200, b"ok\n")
        # And is closed like any other when nothing more comes, or no whole request.
        drip(sending, b"\r\n")


def test_keep_alive_and_pipelined_requests_are_answered_in_their_order(guarded: Api) -> None:
    content = picture()
    with connected(guarded.port) as client:
        client.sendall(request("POST", "/predict", body=content) + HEALTH + request("GET", "/nothing") + HEALTH)
        assert [read_answer(client)[0] for _ in range(4)] == [200, 200, 404, 200]
        client.sendall(HEALTH)
        assert read_answer(client) == (200, b"ok\n")
    assert guarded.requests("/health") == {"200": 3}


@pytest.mark.parametrize("sent", [1, 3, 4, 5, 100])
def test_of_many_pipelined_requests_the_last_one_that_is_seen_ends_the_connection(tmp_path: Path, sent: int) -> None:
    """A client that asks again for what was not answered loses nothing."""
    limits = ConnectionLimits(connections=8, pipelined=3)
    with served(tmp_path, limits=limits) as api, connected(api.port) as client:
        client.sendall(request("GET", "/ready") * sent)
        answered = min(sent, 1 + limits.pipelined)
        heads = [read_answer(client)[0] for _ in range(answered)]
        assert heads == [200] * answered
        if sent > answered:
            assert read_all(client) == b""
            assert api.requests("/ready") == {"200": answered}
        else:
            client.sendall(HEALTH)
            assert read_answer(client) == (200, b"ok\n")
        assert api.requests("unmatched") == {}


def test_a_pipelined_body_has_its_own_time(tmp_path: Path) -> None:
    """The answer to the first request must not begin the end of the second."""
    content = picture()
    with served(tmp_path, limits=QUICK, timeout=timedelta(seconds=5)) as api, connected(api.port) as client:
        second = request("POST", "/predict", body=content)
        client.sendall(request("POST", "/predict", body=picture((1, 2, 3))) + second[:-10])
        assert read_answer(client)[0] == 200
        time.sleep(3 * QUICK.linger_seconds)
        client.sendall(second[-10:])
        assert read_answer(client)[0] == 200


@pytest.mark.parametrize("last", [b"", request("GET", "/metrics", "Connection: close"), b"GET /me"])
def test_a_client_that_does_not_read_is_dropped(guarded: Api, last: bytes) -> None:
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", guarded.port))
        deaf.settimeout(HANG_S)
        deaf.sendall(request("GET", "/metrics") * 400 + last)
        port = deaf.getsockname()[1]
        wait_until(lambda: not is_held(port, guarded.port))


def is_held(client: int, server: int) -> bool:
    """Whether the server's end of a connection is still open, as the system sees it."""
    ours = f":{server:04X} 0100007F:{client:04X} "
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines() if ours in line]
    return any(row[3] == "01" for row in rows)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_who_waits_for_100_continue_is_told_at_once(guarded: Api, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 5_000_000)
    (tmp_path / "image.png").write_bytes(picture())
    for name, expected in (("image.png", "200 0"), ("large", "413 0")):
        command = ["curl", "-s", "-o", str(tmp_path / "answer"), "-w", "%{http_code} %{exitcode}", "--noproxy", "*"]
        # curl waits that long before it sends the body without having been told to.
        outcome = subprocess.run(
            [*command, "-H", "Expect: 100-continue", "--expect100-timeout", str(10 * HANG_S), "--data-binary",
             f"@{tmp_path / name}", f"http://127.0.0.1:{guarded.port}/predict"],
            capture_output=True, text=True, check=False, timeout=HANG_S,
        )  # fmt: skip
        assert (outcome.stdout, outcome.returncode) == (expected, 0)
    assert guarded.requests("/predict") == {"200": 1, "413": 1}


def test_an_answer_comes_in_one_piece(guarded: Api) -> None:
    with connected(guarded.port) as client:
        for _ in range(50):
            client.sendall(HEALTH)
            assert client.recv(65536).endswith(b"\n\r\nok\n"), "head and body wake the client once"
