"""SIGHUP to a real `facemon serve-metrics`: the configuration is read anew, and an invalid one changes nothing."""

import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.metrics.stores import values_of
from tests.patience import wait_until
from tests.server.exporters import Exporter, exporter
from tests.server.probed_services import Service, service
from tests.server.test_exporter_probes import statuses
from tests.server.test_metrics_server import make_store

pytestmark = pytest.mark.slow

COLLECTORS = """
from prometheus_client import Counter

first = Counter("first", "Calls.", registry=None)
second = Counter("second", "Calls.", registry=None)
first.inc(5)


class Calls:
    def __init__(self):
        self.calls = Counter("calls", "Calls.", registry=None)

    def collect(self):
        self.calls.inc()
        return self.calls.collect()
"""
MODEL = """
model:
  name: faces
  version: "1"
  networks:
    - path: faces.onnx
      input: {name: input, size: [8, 8], layout: nchw, channels: rgb, fit: stretch, resample: bilinear}
      attributes:
        - {name: beard, output: b, kind: binary, labels: [none, full]}
"""


def write(
    folder: Path,
    *,
    probes: dict[str, str],
    collectors: list[str],
    rest: str = "",
    listen: str = "",
    interval: str = "500ms",
) -> None:
    listed = ", ".join(f'{{name: {name}, url: "{url}"}}' for name, url in probes.items())
    (folder / "facemon.yaml").write_text(
        f"exporter:\n  probe_interval: {interval}\n  probe_timeout: 400ms\n  probes: [{listed}]\n"
        f"  collectors: {[f'counters:{name}' for name in collectors]}\n{listen}{rest}"
    )


def reload(running: Exporter, until: str) -> list[str]:
    """Send SIGHUP and wait for a line; what was said until then."""
    before = len(running.said)
    running.process.send_signal(signal.SIGHUP)
    wait_until(lambda: any(until in line for line in running.said[before:]))
    return running.said[before:]


@pytest.fixture
def probed() -> Iterator[Service]:
    with service() as running:
        yield running


def test_probes_collectors_and_the_model_change_and_the_socket_stays(tmp_path: Path, probed: Service) -> None:
    make_store(tmp_path)
    (tmp_path / "counters.py").write_text(COLLECTORS)
    write(tmp_path, probes={"kept": probed.url("/health"), "gone": probed.url("/missing")}, collectors=["first"])
    with exporter(tmp_path) as running, socket.create_connection((running.host, running.port)) as waiting:
        waiting.sendall(b"GET /health HTTP/1.1\r\n")
        wait_until(lambda: statuses(running) == {"kept": 1, "gone": 0})
        before = running.get("/metrics").text
        assert "first_total 5.0" in before
        assert 'attribute="beard"' not in before
        write(
            tmp_path,
            probes={"kept": probed.url("/health"), "new": probed.url("/hangs")},
            collectors=["first", "second"],
            rest=MODEL,
        )
        assert reload(running, "reloaded") == ["reloaded the configuration"]
        after = running.get("/metrics").text
        assert statuses(running)["kept"] == 1, "what has not changed goes on"
        assert "gone" not in statuses(running)
        assert "first_total 5.0" in after
        assert "second_total 0.0" in after
        assert 'model_predictions_total{attribute="beard",model="faces@1",value="full"} 0.0' in after
        assert 'facemon_source_up{source="store"} 1.0' in after
        wait_until(lambda: statuses(running) == {"kept": 1, "new": 0})
        asked = probed.asked["/missing"]
        waiting.sendall(b"\r\n")
        assert waiting.recv(100).startswith(b"HTTP/1.1 200 OK"), "a connection from before is answered"
        time.sleep(1.2)
        assert probed.asked["/missing"] == asked, "nobody asks what is no longer named"


def test_what_has_not_changed_goes_on(tmp_path: Path, probed: Service) -> None:
    (tmp_path / "counters.py").write_text(COLLECTORS)
    write(tmp_path, probes={"kept": probed.url("/health")}, collectors=["Calls"], interval="1m")
    with exporter(tmp_path) as running:
        wait_until(lambda: statuses(running) == {"kept": 1})
        for _ in range(100):
            before = values_of(running.get("/metrics").text)["calls_total"]
        write(tmp_path, probes={"kept": probed.url("/health"), "new": probed.url("/")}, collectors=["Calls"],
              interval="1m")  # fmt: skip
        reload(running, "reloaded")
        assert statuses(running)["kept"] == 1
        wait_until(lambda: statuses(running) == {"kept": 1, "new": 1})
        assert probed.asked["/health"] == 1
        assert values_of(running.get("/metrics").text)["calls_total"] > before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("exporter: {probes: [{name: a}]}\n", "warning: facemon.yaml:1:21: exporter.probes[0].url: is missing"),
        ("exporter: [\n", "facemon.yaml:2:1: "),
        (
            'exporter:\n  collectors: ["nowhere:Queue"]\n',
            "facemon.yaml:2:16: exporter.collectors[0]: there is no module",
        ),
        (None, "warning: facemon.yaml: no such file"),
    ],
)
def test_an_invalid_file_keeps_the_configuration(tmp_path: Path, probed: Service, text: str | None, said: str) -> None:
    (tmp_path / "counters.py").write_text(COLLECTORS)
    write(tmp_path, probes={"kept": probed.url("/health")}, collectors=["first"])
    with exporter(tmp_path) as running:
        wait_until(lambda: statuses(running) == {"kept": 1})
        if text is None:
            (tmp_path / "facemon.yaml").unlink()
        else:
            (tmp_path / "facemon.yaml").write_text(text)
        told = reload(running, "was not reloaded")
        assert said in told[0]
        assert told[-1] == "warning: the configuration was not reloaded; the previous one stays in use"
        assert statuses(running) == {"kept": 1}
        assert "first_total 5.0" in running.get("/metrics").text
        write(tmp_path, probes={}, collectors=["first"])
        reload(running, "reloaded the configuration")
        assert statuses(running) == {}


def test_an_address_does_not_change(tmp_path: Path) -> None:
    write(tmp_path, probes={}, collectors=[])
    with exporter(tmp_path) as running:
        write(tmp_path, probes={}, collectors=[], listen='  listen: "127.0.0.1:1"\n')
        assert reload(running, "reloaded") == ["reloaded the configuration"], "--listen was given"
        assert running.get("/health").status == 200
    write(tmp_path, probes={}, collectors=[], listen='  listen: "127.0.0.1:0"\n')
    with exporter(tmp_path, listen=None) as running:
        write(tmp_path, probes={}, collectors=[], listen='  listen: "127.0.0.1:1"\n')
        assert reload(running, "reloaded") == [
            "warning: exporter.listen: an address changes with a restart only; still listening on 127.0.0.1:0",
            "reloaded the configuration",
        ]
        assert running.get("/health").status == 200


def test_signals_before_it_serves_end_nothing(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("import time; time.sleep(1.5)\nclass A:\n    def collect(self): return []\n")
    write(tmp_path, probes={}, collectors=[])
    (tmp_path / "facemon.yaml").write_text('exporter: {collectors: ["slow:A"]}\n')
    with exporter(tmp_path) as running:
        for _ in range(5):
            running.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "reloaded the configuration" in running.said)
        assert running.get("/health").status == 200
