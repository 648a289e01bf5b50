"""`examples/own_metrics.py` does what its docstring says, in a real `facemon serve-metrics` beside a real service."""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.metrics.stores import values_of
from tests.patience import wait_until
from tests.server.exporters import Exporter, exporter
from tests.servers import free_port
from tests.serving import serving

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_metrics.py"


class _Labelling(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        queues = {"faces": {"length": 12, "oldest_seconds": 90.5}}
        body = json.dumps(queues).encode() if self.path == "/queues" else b"ok"
        self.send_response(200 if self.path in ("/queues", "/health") else 404)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def labelling_service(port: int) -> Iterator[None]:
    with serving(HTTPServer(("127.0.0.1", port), _Labelling)):
        yield


def scraped(running: Exporter) -> dict[str, float]:
    return values_of(running.get("/metrics").text)


def test_the_documented_configuration_exports_the_documented_metrics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(EXAMPLE, tmp_path)
    documented = re.search(r"^    exporter:\n(?:      .*\n)+", EXAMPLE.read_text(), flags=re.MULTILINE)
    assert documented
    port = free_port()
    monkeypatch.setenv("LABELLING_URL", f"http://127.0.0.1:{port}")
    configuration = (
        documented[0].replace(":8080", f":{port}") + "      probe_interval: 500ms\n      probe_timeout: 400ms\n"
    )
    (tmp_path / "facemon.yaml").write_text(configuration)
    with exporter(tmp_path) as running:
        away = scraped(running)
        assert away['facemon_source_up{source="own_metrics:LabellingQueue"}'] == 0
        assert away['facemon_source_up{source="own_metrics:seconds_to_ask"}'] == 1
        assert 'labelling_queue_length{queue="faces"}' not in away
        with labelling_service(port):
            wait_until(lambda: scraped(running).get('external_service_status{service="labelling"}') == 1)
            there = scraped(running)
        assert there['facemon_source_up{source="own_metrics:LabellingQueue"}'] == 1
        assert there['labelling_queue_length{queue="faces"}'] == 12
        assert there['labelling_oldest_seconds{queue="faces"}'] == 90.5
        assert there["labelling_seconds_to_ask_count"] >= 1
        wait_until(lambda: scraped(running)['external_service_status{service="labelling"}'] == 0)
