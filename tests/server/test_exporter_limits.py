"""A real `facemon serve-metrics` and clients that try it: it stays up, answers scrapes, and holds nothing for ever."""

import gzip
import resource
import socket
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from facemon.store.layout import LEDGER_NAME
from tests.patience import HANG_S, wait_until
from tests.server.exporters import Answer, Exporter, exporter
from tests.server.raw_requests import read_all
from tests.server.test_metrics_server import make_store

pytestmark = pytest.mark.slow

SLOW = """
import time
from pathlib import Path
from prometheus_client.core import GaugeMetricFamily

class Slow:
    def collect(self):
        Path("collecting").touch()
        while not Path("go").exists():
            time.sleep(0.01)
        yield GaugeMetricFamily("slow", "Help.", value=1)

class Large:
    def collect(self):
        family = GaugeMetricFamily("large", "Help.", labels=["x"])
        for index in range(30_000):
            family.add_metric(["x" * 200 + str(index)], 1)
        yield family
"""

BREAKS_THE_SERVER = """
import ctypes
import threading

class Broken(SystemExit):
    def __init__(self):
        super().__init__("the loop broke")

Broken.__name__ = "SystemExit"

class Breaks:
    def collect(self):
        (server,) = (thread for thread in threading.enumerate() if thread.name == "http")
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(server.ident), ctypes.py_object(Broken))
        return []
"""
"""An exception that ends the loop wherever its thread is."""


def configure(folder: Path, name: str) -> None:
    (folder / "slow.py").write_text(SLOW)
    (folder / "facemon.yaml").write_text(f'exporter: {{collectors: ["slow:{name}"], collector_timeout: 9900ms}}\n')


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporter]:
    folder = tmp_path_factory.mktemp("limits")
    make_store(folder)
    with exporter(folder) as running:
        yield running
    assert running.said[1:] in ([], ["stopped"]), "no client is news"


def listens(running: Exporter) -> bool:
    with socket.socket() as client:
        return client.connect_ex((running.host, running.port)) == 0


def threads_of(running: Exporter) -> int:
    return len(list(Path(f"/proc/{running.process.pid}/task").iterdir()))


def said_to(running: Exporter, sent: bytes, *, timeout_s: float = HANG_S) -> bytes:
    with socket.create_connection((running.host, running.port), timeout=timeout_s) as client:
        # The server closes before it has read a refused request.
        with suppress(ConnectionResetError, BrokenPipeError):
            client.sendall(sent)
        return read_all(client)


@pytest.mark.parametrize("path", ["/metrics", "/health", "/ready", "/nothing"])
def test_head_is_get_without_the_body(serving: Exporter, path: str) -> None:
    get, head = serving.get(path), serving.get(path, method="HEAD")
    assert head.text == ""
    assert head.status == get.status
    differing = {"content-length": "", "date": ""}
    assert {**head.headers, **differing} == {**get.headers, **differing}
    assert int(head.headers["content-length"]) > 0


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(serving: Exporter, method: str) -> None:
    for path in ("/metrics", "/health", "/ready"):
        answer = serving.get(path, method=method)
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert serving.get("/nothing", method=method).status == 404


def test_a_refused_body_does_not_cost_the_answer(serving: Exporter) -> None:
    connection = HTTPConnection(serving.host, serving.port, timeout=HANG_S)
    connection.request("POST", "/metrics", body=b"x" * 200_000)
    assert connection.getresponse().status == 405
    connection.close()


def test_gzip_is_sent_to_who_asks_for_it(serving: Exporter) -> None:
    connection = HTTPConnection(serving.host, serving.port, timeout=HANG_S)
    connection.request("GET", "/metrics", headers={"Accept-Encoding": "gzip", "Accept": "text/plain"})
    answer = connection.getresponse()
    assert answer.getheader("Content-Encoding") == "gzip"
    assert b"images_processed_total" in gzip.decompress(answer.read())
    connection.close()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /health HTTP/1.0\r\n\r\n", b"200"),
        (b"GET /health HTTP/1.0\n\n", b"400"),
        (b"GET http://somewhere/health HTTP/1.1\r\nHost: somewhere\r\nConnection: close\r\n\r\n", b"200"),
        (b"BREW /health HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /health\r\n\r\n", b"400"),
        (b"GET / HTTP/2.0\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\n\n", b"400"),
        (b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 50_000 + b"\r\n", b"431"),
    ],
)
def test_heads_of_every_kind(serving: Exporter, sent: bytes, status: bytes) -> None:
    assert said_to(serving, sent).split()[1] == status


def test_a_second_host_header_hides_nothing(serving: Exporter) -> None:
    own, foreign = f"Host: {serving.host}:{serving.port}\r\n", "Host: evil.example\r\n"
    for hosts, status in ((own, b"200"), (foreign, b"403"), (own + foreign, b"403"), (foreign + own, b"403")):
        sent = f"GET /metrics HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n".encode()
        assert said_to(serving, sent).split()[1] == status


@pytest.mark.parametrize("framing", [b"Content-Length: 1000", b"Transfer-Encoding: chunked"])
def test_a_body_that_never_comes_is_not_waited_for(serving: Exporter, framing: bytes) -> None:
    heard = said_to(serving, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n" + framing + b"\r\n\r\n")
    assert heard.split()[1] == b"200"
    assert b"images_processed_total" in heard, "the connection has ended, after the whole answer"


def test_half_requests_are_given_up(serving: Exporter) -> None:
    began = time.monotonic()
    assert said_to(serving, b"GET /metrics HTTP/1.1\r\nHost: a\r\n").split()[1] == b"408"
    assert said_to(serving, b"\r\n") == b"", "no request has begun"
    assert time.monotonic() - began > 18, "not before its time"
    with socket.create_connection((serving.host, serving.port), timeout=HANG_S) as dribbling:
        end = time.monotonic() + HANG_S
        with suppress(ConnectionError):
            while time.monotonic() < end:
                dribbling.sendall(b"X")
                time.sleep(0.5)
            pytest.fail("it was never given up")


def test_two_thousand_connections(serving: Exporter) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4096:
        pytest.skip("this machine allows too few open files")
    before = threads_of(serving)
    with ExitStack() as open_connections:
        for index in range(2000):
            client = open_connections.enter_context(
                socket.create_connection((serving.host, serving.port), timeout=HANG_S)
            )
            client.sendall(b"GET /metrics HTTP/1.1\r\n")
            if index % 250 == 249:
                assert serving.get("/metrics").status == 200
                assert threads_of(serving) <= before + 4
                assert len(list(Path(f"/proc/{serving.process.pid}/fd").iterdir())) < 200
    assert serving.get("/health").status == 200


def test_scrapes_beyond_the_limit_are_told_to_come_back(tmp_path: Path) -> None:
    configure(tmp_path, "Slow")
    with exporter(tmp_path) as running:
        before = threads_of(running)
        answers = list[Answer]()
        clients = [threading.Thread(target=lambda: answers.append(running.get("/metrics"))) for _ in range(60)]
        for client in clients:
            client.start()
        wait_until(lambda: len(answers) == 60 - 16)
        assert threads_of(running) <= before + 16 + 2
        assert running.get("/health").status == 200, "alive, however many scrapes are under way"
        (tmp_path / "go").touch()
        for client in clients:
            client.join()
    assert Counter(answer.status for answer in answers) == {200: 16, 503: 60 - 16}
    assert {answer.headers["retry-after"] for answer in answers if answer.status == 503} == {"1"}
    assert all("slow 1.0" in answer.text for answer in answers if answer.status == 200)


def test_an_exporter_whose_server_fails_ends(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(BREAKS_THE_SERVER)
    (tmp_path / "facemon.yaml").write_text('exporter: {collectors: ["broken:Breaks"]}\n')
    with exporter(tmp_path) as running:

        def has_ended() -> bool:
            # An exception from another thread may fall into code that drops it.
            with suppress(HTTPException, OSError):
                running.get("/metrics")
            return running.process.poll() is not None

        wait_until(has_ended)
        assert running.process.returncode == 1
    assert "error: the HTTP server failed: SystemExit: the loop broke" in running.said
    assert running.said[-1].startswith("  hint: start it again")


def test_who_does_not_read_is_dropped(tmp_path: Path) -> None:
    configure(tmp_path, "Large")
    with exporter(tmp_path) as running, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect((running.host, running.port))
        client.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        assert running.get("/metrics").text.count("\nlarge{") == 30_000
        descriptors = Path(f"/proc/{running.process.pid}/fd")
        held = len(list(descriptors.iterdir()))
        wait_until(lambda: len(list(descriptors.iterdir())) < held)


def test_a_scrape_on_its_way_is_finished_at_the_end(tmp_path: Path) -> None:
    configure(tmp_path, "Slow")
    with exporter(tmp_path) as running:
        answers = list[Answer]()
        client = threading.Thread(target=lambda: answers.append(running.get("/metrics")))
        client.start()
        wait_until((tmp_path / "collecting").exists)
        running.process.terminate()
        wait_until(lambda: not listens(running))
        (tmp_path / "go").touch()
        assert running.process.wait(HANG_S) == 0
        client.join()
        assert "slow 1.0" in answers[0].text


def test_the_end_waits_for_a_scrape_some_seconds_only(tmp_path: Path) -> None:
    configure(tmp_path, "Slow")
    with exporter(tmp_path) as running, socket.create_connection((running.host, running.port)) as client:
        client.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        wait_until((tmp_path / "collecting").exists)
        began = time.monotonic()
        running.process.terminate()
        assert running.process.wait(HANG_S) == 0
        assert time.monotonic() - began > 4


def test_a_locked_store_costs_only_its_own_metrics(tmp_path: Path) -> None:
    make_store(tmp_path)
    (tmp_path / "slow.py").write_text(SLOW)
    (tmp_path / "go").touch()
    (tmp_path / "facemon.yaml").write_text('exporter: {collectors: ["slow:Slow"]}\n')
    with exporter(tmp_path) as running:
        assert 'facemon_source_up{source="store"} 1.0' in running.get("/metrics").text
        with closing(sqlite3.connect(tmp_path / ".facemon" / LEDGER_NAME, isolation_level=None)) as other:
            other.execute("PRAGMA locking_mode = EXCLUSIVE")
            other.execute("BEGIN EXCLUSIVE")
            began = time.monotonic()
            locked = running.get("/metrics").text
            assert time.monotonic() - began > 4
            assert 'facemon_source_up{source="store"} 0.0' in locked
            assert "\nslow 1.0" in locked
            assert "images_processed_total" not in locked
            assert running.get("/ready").status == 503
            assert running.get("/ready").text == f"the store in {tmp_path / '.facemon'} does not answer\n"
            assert running.get("/health").status == 200
        wait_until(lambda: 'facemon_source_up{source="store"} 1.0' in running.get("/metrics").text, every_s=0.2)
        wait_until(lambda: running.get("/ready").status == 200, every_s=0.2)
    assert "warning: no metrics of store: it did not end within 5 s" in running.said
    assert "the metrics of store are back" in running.said
