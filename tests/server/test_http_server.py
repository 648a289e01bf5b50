"""A server in a thread of its own: the thread that started it notices when it ends."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from prometheus_client import CollectorRegistry

from facemon.config.quantities import Listen
from facemon.errors import FacemonError
from facemon.server.foreign_pages import AllowedHosts
from facemon.server.http_server import HttpServer, serving
from facemon.server.listening_socket import open_socket
from facemon.server.metrics_server import metrics_server
from tests.patience import HANG_S, wait_until
from tests.server.raw_requests import connected, read_answer, request

TOO_LARGE = 2**46
"""A stack that no system has the memory for: a thread cannot start."""


def until_it_raises(check: Callable[[], None]) -> None:
    end = time.monotonic() + HANG_S
    while time.monotonic() < end:
        check()
        time.sleep(0.01)


def an_exporter(warn: Callable[[str], None] = lambda _: None) -> HttpServer:
    return metrics_server(CollectorRegistry, lambda: None, AllowedHosts(), warn)


@pytest.fixture
def closed() -> socket.socket:
    """A socket on which no server can start."""
    with socket.socket() as unused:
        return unused


def test_a_server_that_fails_is_noticed(closed: socket.socket) -> None:
    with (
        pytest.raises(FacemonError, match="the HTTP server failed: ") as raised,
        serving(an_exporter(), closed) as check,
    ):
        until_it_raises(check)
    assert raised.value.hint
    assert isinstance(raised.value.__cause__, OSError)


def test_a_server_that_fails_while_it_stops_is_noticed_too(closed: socket.socket) -> None:
    with pytest.raises(FacemonError, match="the HTTP server failed: "), serving(an_exporter(), closed):
        pass


def test_a_server_that_ends_without_an_error_is_noticed() -> None:
    server = an_exporter()
    with open_socket(Listen("127.0.0.1", 0)) as listening, serving(server, listening) as check:
        check()
        server.stop()
        with pytest.raises(FacemonError, match="the HTTP server has ended"):
            until_it_raises(check)


def test_scrapes_without_a_thread_cost_no_place() -> None:
    """More of them than there are places; each is reported, and the next one with a thread is answered."""
    warned = list[str]()
    with open_socket(Listen("127.0.0.1", 0)) as listening, serving(an_exporter(warned.append), listening) as check:
        port = listening.getsockname()[1]
        with without_new_threads():
            assert [scraped(port) for _ in range(20)] == [500] * 20
        assert len(warned) == 20
        assert warned[0].startswith("a request of '/metrics' failed: no thread can be started: ")
        assert scraped(port) == 200
        with without_new_threads():
            wait_until(lambda: scraped(port) == 200, "an answer by the thread that answered before")
        check()


@contextmanager
def without_new_threads() -> Iterator[None]:
    """No thread can be started; those that run go on."""
    usual = threading.stack_size(TOO_LARGE)
    try:
        yield
    finally:
        threading.stack_size(usual)


def scraped(port: int) -> int:
    with connected(port) as client:
        client.sendall(request("GET", "/metrics"))
        return read_answer(client)[0]


def test_a_host_that_is_not_known() -> None:
    with pytest.raises(FacemonError) as caught:
        open_socket(Listen("no-such-host.invalid", 0))
    assert caught.value.message == (
        "cannot listen on no-such-host.invalid:0: the host name no-such-host.invalid is not known"
    )
