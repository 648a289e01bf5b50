"""`facemon serve-metrics` over real HTTP: what it answers, to whom it listens and how it ends."""

import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from facemon.store.layout import LEDGER_NAME
from facemon.store.ledger.opening import open_ledger
from tests.conftest import RunFacemon
from tests.patience import HANG_S
from tests.server.exporters import COMMAND, Exporter, exporter
from tests.store.log_rows import log_images

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def make_store(folder: Path) -> None:
    with open_ledger(folder / ".facemon", create=True) as ledger:
        log_images(ledger, 20)


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporter]:
    folder = tmp_path_factory.mktemp("served")
    make_store(folder)
    with exporter(folder) as running:
        yield running


def test_metrics_are_prometheus_text(serving: Exporter) -> None:
    answer = serving.get("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    samples = {(s.name, *s.labels.values()): s.value for family in parse_text(answer.text) for s in family.samples}
    assert samples["images_processed_total", "ok"] == 16
    assert samples["facemon_source_up", "store"] == 1


def test_who_asks_for_openmetrics_gets_it(serving: Exporter) -> None:
    answer = serving.get("/metrics", Accept=OPENMETRICS)
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.text.endswith("# EOF\n")
    families = {family.name: family for family in parse_openmetrics(answer.text)}  # type: ignore[no-untyped-call]
    assert sum(s.value for s in families["images_processed"].samples) == 20


def test_health_ready_and_nothing_else(serving: Exporter) -> None:
    assert [serving.get(path).status for path in ("/health", "/ready")] == [200, 200]
    for path in ("/", "/metric", "/metrics/", "/health/x", "/../etc/passwd", "/%2e%2e"):
        answer = serving.get(path)
        assert (answer.status, answer.text) == (404, "there are /metrics, /health and /ready\n")


@pytest.mark.parametrize("accept", ["text/plain", OPENMETRICS])
def test_a_scrape_may_name_what_it_wants(serving: Exporter, accept: str) -> None:
    def names_of(query: str) -> set[str]:
        text = serving.get(f"/metrics?{query}", Accept=accept).text
        return {re.split("[{ ]", line)[0] for line in text.splitlines() if not line.startswith("#")}

    latency = "model_inference_latency_seconds"
    assert names_of("name[]=facemon_source_up") == {"facemon_source_up"}
    assert names_of("name[]=images_processed_total&name[]=facemon_source_up") == {
        "images_processed_total",
        "facemon_source_up",
    }
    assert {f"{latency}_bucket", f"{latency}_sum"} < names_of(f"name[]={latency}")
    assert names_of("name[]=no_such_metric") == set()


def test_nothing_is_changed_by_asking(serving: Exporter) -> None:
    assert serving.get("/metrics", method="POST").status == 405
    assert serving.get("/metrics", method="DELETE").status == 405
    assert serving.get("/metrics").status == 200


def test_a_store_that_appears_breaks_and_returns(tmp_path: Path) -> None:
    with exporter(tmp_path) as running:
        assert "there is no store" in running.said[0]
        assert "facemon_source_up is 0" in running.said[0]
        for _ in range(2):
            assert running.get("/health").status == 200
            ready = running.get("/ready")
            assert (ready.status, "there is no store" in ready.text) == (503, True)
            metrics = running.get("/metrics")
            assert (metrics.status, 'facemon_source_up{source="store"} 0.0' in metrics.text) == (200, True)
            assert "images_processed_total" not in metrics.text
        assert not (tmp_path / ".facemon").exists()
        make_store(tmp_path)
        assert running.get("/ready").text == "ready\n"
        up = running.get("/metrics").text
        assert 'facemon_source_up{source="store"} 1.0' in up
        assert 'images_processed_total{status="ok"} 16.0' in up
        ledger = tmp_path / ".facemon" / LEDGER_NAME
        whole = ledger.read_bytes()
        ledger.write_bytes(b"no database" * 100)
        assert running.get("/ready").status == 503
        assert 'facemon_source_up{source="store"} 0.0' in running.get("/metrics").text
        ledger.write_bytes(whole)
        assert running.get("/ready").status == 200
    assert not any("Traceback" in line for line in running.said)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_0_at_once(tmp_path: Path, number: signal.Signals) -> None:
    make_store(tmp_path)
    with exporter(tmp_path, anew=True) as running:
        running.process.send_signal(number)
        assert running.process.wait(HANG_S) == 0
    assert running.said[1:] == ["stopped"]


@pytest.mark.parametrize("attempt", range(4))
def test_a_signal_is_not_lost_under_load(tmp_path: Path, attempt: int) -> None:
    with exporter(tmp_path) as running:
        over = threading.Event()

        def ask() -> None:
            while not over.is_set():
                with suppress(OSError, HTTPException):
                    running.get("/health")

        clients = [threading.Thread(target=ask) for _ in range(8)]
        for client in clients:
            client.start()
        time.sleep(0.3 + attempt * 0.003)
        try:
            running.process.terminate()
            assert running.process.wait(HANG_S) == 0
        finally:
            over.set()
            for client in clients:
                client.join()
    assert running.said[-1] == "stopped", running.said


def test_a_signal_ends_it_beside_a_client_that_waits(serving: Exporter, tmp_path: Path) -> None:
    with exporter(tmp_path) as running, socket.create_connection((running.host, running.port)) as idle:
        idle.sendall(b"GET /metrics HTTP/1.0\r\n")  # and never the rest
        assert running.get("/health").status == 200
        running.process.terminate()
        assert running.process.wait(HANG_S) == 0


def test_a_slow_client_blocks_nobody(serving: Exporter) -> None:
    idle = [socket.create_connection((serving.host, serving.port)) for _ in range(20)]
    try:
        for connection in idle:
            connection.sendall(b"GET /met")
        # Were they waited for one after the other, it would take longer than this client waits.
        assert serving.get("/metrics").status == 200
    finally:
        for connection in idle:
            connection.close()


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"])
def test_a_client_that_makes_no_sense_is_no_news(serving: Exporter, sent: bytes) -> None:
    before = list(serving.said)
    with socket.create_connection((serving.host, serving.port)) as client:
        client.sendall(sent)
        # Closing like this resets the connection while the server still reads or writes.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    assert serving.get("/health").status == 200
    time.sleep(0.2)
    assert serving.said == before


def test_an_address_in_use(facemon: RunFacemon, serving: Exporter, tmp_path: Path) -> None:
    outcome = facemon("serve-metrics", "--listen", f"127.0.0.1:{serving.port}", cwd=tmp_path)
    assert outcome.returncode == 1
    assert f"cannot listen on 127.0.0.1:{serving.port}: Address already in use" in outcome.stderr
    assert "--listen" in outcome.stderr.splitlines()[-1]
    assert "serving metrics" not in outcome.stderr


@pytest.mark.parametrize(
    ("listen", "code", "said"),
    [
        ("nonsense", 2, "write HOST:PORT"),
        ("127.0.0.1:99999", 2, "write HOST:PORT"),
        ("127.0.0.1", 2, "write HOST:PORT"),
        ("192.0.2.1:0", 1, "cannot listen on 192.0.2.1:0"),
    ],
)
def test_an_address_that_is_none(facemon: RunFacemon, tmp_path: Path, listen: str, code: int, said: str) -> None:
    outcome = facemon("serve-metrics", "--listen", listen, cwd=tmp_path)
    assert (outcome.returncode, said in outcome.stderr) == (code, True), outcome.stderr


def test_it_warns_when_others_can_reach_it(tmp_path: Path) -> None:
    make_store(tmp_path)
    with exporter(tmp_path, listen="0.0.0.0:0") as running:
        assert running.said[0].startswith("warning: 0.0.0.0:0 can be reached from other machines")
    with exporter(tmp_path) as running:
        assert not any("warning" in line for line in running.said)


def test_it_listens_on_ipv6(tmp_path: Path) -> None:
    with suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        with exporter(tmp_path, listen="[::1]:0") as running:
            assert running.get("/health").text == "ok\n"
            assert re.fullmatch(r"serving metrics on http://\[::1\]:\d+/metrics", running.said[-1])
        return
    pytest.skip("this machine has no IPv6")


def test_the_configuration_names_the_address(tmp_path: Path) -> None:
    (tmp_path / "facemon.yaml").write_text('version: 1\nexporter: {listen: "127.0.0.1:0"}\nstore: {path: log}\n')
    process = subprocess.Popen([COMMAND, "serve-metrics"], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        assert str(tmp_path / "log") in process.stderr.readline()
        assert "http://127.0.0.1:" in process.stderr.readline()
    finally:
        process.terminate()
        assert process.wait(HANG_S) == 0
