"""Probes of a real `facemon serve-metrics`: what counts as up, and what a service in trouble cannot do to others."""

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse_text

from tests.patience import HANG_S, wait_until
from tests.server.exporters import Exporter, exporter
from tests.server.probed_services import service
from tests.servers import free_port

pytestmark = pytest.mark.slow


def configure(folder: Path, probes: Mapping[str, str], *, interval: str = "500ms", timeout: str = "400ms") -> None:
    listed = "".join(f'    - {{name: {name}, url: "{url}"}}\n' for name, url in probes.items())
    text = f"exporter:\n  probe_interval: {interval}\n  probe_timeout: {timeout}\n  probes:\n{listed}"
    (folder / "facemon.yaml").write_text(text)


def statuses(running: Exporter) -> dict[str, float]:
    families = {family.name: family for family in parse_text(running.get("/metrics").text)}
    family = families.get("external_service_status")
    return {s.labels["service"]: s.value for s in family.samples} if family else {}


def test_a_service_that_goes_down_and_comes_back(tmp_path: Path) -> None:
    port = free_port()
    configure(tmp_path, {"labels": f"http://127.0.0.1:{port}/health"})
    with exporter(tmp_path) as running:
        wait_until(lambda: statuses(running) == {"labels": 0})
        with service(port) as probed:
            wait_until(lambda: statuses(running) == {"labels": 1})
            probed.status = 503
            wait_until(lambda: statuses(running) == {"labels": 0})
            probed.status = 204
            wait_until(lambda: statuses(running) == {"labels": 1})
            time.sleep(1.2)
        wait_until(lambda: statuses(running) == {"labels": 0})
    told = [line for line in running.said if "labels" in line]
    assert told == [
        "warning: the service labels is down: connection refused",
        "the service labels is up again",
        "warning: the service labels is down: it answered 503",
        "the service labels is up again",
        "warning: the service labels is down: connection refused",
    ]


def test_what_counts_as_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A proxy that is not there: one that was asked would make all of them fail.
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    expected = {
        "plain": ("/health", 1),
        "query": ("/health?deep=1", 1),
        "moved": ("/moved", 1),
        "endless": ("/endless", 1),
        "turns": ("/turns", 0),
        "file": ("/to-a-file", 0),
        "missing": ("/missing", 0),
        "ssh": ("/no-http", 0),
    }
    with service() as probed:
        configure(tmp_path, {name: probed.url(path) for name, (path, _) in expected.items()}, interval="1m")
        with exporter(tmp_path) as running:
            wait_until(lambda: len(statuses(running)) == len(expected))
            assert statuses(running) == {name: status for name, (_, status) in expected.items()}
        assert probed.asked["/health?deep=1"] == 1
        assert probed.asked["/turns"] == 6
        assert probed.sent < 16 * 2**20
    assert "warning: the service turns is down: it redirects more than 5 times" in running.said
    assert (
        "warning: the service file is down: it redirects to an address that is not plain http or https" in running.said
    )


def test_a_status_that_is_not_known_yet_is_absent(tmp_path: Path) -> None:
    with service() as probed:
        configure(tmp_path, {"slow": probed.url("/hangs")}, interval="2h", timeout="1h")
        with exporter(tmp_path) as running:
            assert "external_service_status" not in running.get("/metrics").text
        configure(tmp_path, {"slow": probed.url("/hangs")})
        with exporter(tmp_path) as running:
            wait_until(lambda: statuses(running) == {"slow": 0})
            assert "warning: the service slow is down: no answer in time" in running.said


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
def test_certificates_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    request = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        str(key),
        "-out",
        str(certificate),
    ]
    named = ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*request, *named], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with service(tls=context) as probed, socket.create_server(("127.0.0.1", 0)) as mute:
        urls = {"tls": f"https://localhost:{probed.port}/health", "mute": f"https://localhost:{mute.getsockname()[1]}/"}
        configure(tmp_path, urls, interval="1m", timeout="2s")
        with exporter(tmp_path) as running:
            wait_until(lambda: statuses(running) == {"tls": 0, "mute": 0})
        assert "warning: the service tls is down: its certificate is refused: self-signed certificate" in running.said
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with exporter(tmp_path) as running:
            wait_until(lambda: statuses(running) == {"tls": 1, "mute": 0})


def test_services_that_hang_delay_nobody(tmp_path: Path) -> None:
    troubled = ("/hangs", "/dribbles", "/dribbles-body")
    with service() as probed:
        configure(tmp_path, {path[1:]: probed.url(path) for path in troubled} | {"well": probed.url("/health")})
        with exporter(tmp_path) as running:
            wait_until(lambda: len(statuses(running)) == 4)
            assert statuses(running) == {"hangs": 0, "dribbles": 0, "dribbles-body": 0, "well": 1}
            threads = len(list(Path(f"/proc/{running.process.pid}/task").iterdir()))
            before, began = dict(probed.asked), time.monotonic()
            wait_until(lambda: all(probed.asked[path] >= before[path] + 5 for path in (*troubled, "/health")))
            # Half a second lies between two questions, however slow the machine is, and one may be under way.
            most = (time.monotonic() - began) / 0.5 + 2
            assert all(probed.asked[path] - before[path] <= most for path in (*troubled, "/health"))
            assert len(list(Path(f"/proc/{running.process.pid}/task").iterdir())) <= threads + 4, "a clock for each"
            probed.status = 500
            wait_until(lambda: statuses(running)["well"] == 0)
            running.process.terminate()
            assert running.process.wait(HANG_S) == 0


def test_a_scrape_and_the_end_wait_for_no_probe(tmp_path: Path) -> None:
    with service() as probed:
        configure(tmp_path, {"hangs": probed.url("/hangs"), "well": probed.url("/health")}, interval="2h", timeout="1h")
        with exporter(tmp_path) as running:
            wait_until(lambda: probed.asked.get("/hangs") == 1 and statuses(running) == {"well": 1})
            assert statuses(running) == {"well": 1}, "the question that hangs is still asked"
            running.process.terminate()
            assert running.process.wait(HANG_S) == 0
