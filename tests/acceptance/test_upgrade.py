"""An older store under a real Prometheus: its counters go on over the upgrade and new predictions."""

import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.served import served
from tests.acceptance.test_serve_kill import lasting_port
from tests.conftest import RunFacemon
from tests.server.exporters import exporter
from tests.servers import Server, query, run_prometheus, wait_for_query
from tests.serving import serving
from tests.store.kept_stores import NEWEST, KeptStore, unpack

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.timeout(300)]

POSTED = 24
SCRAPES = """\
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: store
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""
IMAGES = 'sum(images_processed_total{status="ok"})'


@contextmanager
def exported_by_old_code(store: KeptStore, port: int) -> Iterator[None]:
    """Serve what the code that made a store exported of it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = store.facts["exported"].encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

    class Listening(ThreadingHTTPServer):
        # Prometheus keeps its connections, and their threads end with them.
        daemon_threads = True

    with serving(Listening(("127.0.0.1", port), Handler)):
        yield


def counters_in(text: str) -> set[str]:
    """The names of all series that must never fall."""
    return {
        sample.name
        for family in text_string_to_metric_families(text)
        if family.type in ("counter", "histogram")
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def total_of(prometheus: Server, name: str) -> float:
    ((_, value),) = query(prometheus.url, f"sum({name})")
    return value


@pytest.mark.parametrize(
    "name", [NEWEST[0], *(pytest.param(name, marks=pytest.mark.only_at_length) for name in NEWEST[1:-1]), NEWEST[-1]]
)
def test_no_counter_is_reset_by_an_upgrade(facemon: RunFacemon, servers: Path, tmp_path: Path, name: str) -> None:
    store, port = unpack(name, tmp_path / "work"), lasting_port()
    (tmp_path / "prometheus.yml").write_text(SCRAPES.format(port=port))
    names = counters_in(store.facts["exported"])
    assert {"images_processed_total", "model_predictions_total", "model_confidence_score_bucket"} <= names
    with run_prometheus(servers, tmp_path / "prometheus.yml", tmp_path) as prometheus:
        with exported_by_old_code(store, port):
            ((_, before),) = wait_for_query(prometheus.url, IMAGES, timeout_s=60)
            old = {each: total_of(prometheus, each) for each in names}
        with exporter(store.folder, listen=f"127.0.0.1:{port}") as running:
            is_read = f'timestamp(facemon_source_up{{source="store"}} == 1) > {time.time()}'
            wait_for_query(prometheus.url, is_read, timeout_s=60)
            with served(store.folder, "--workers", "1") as api:
                post_images(api.ask)
                assert api.stop() == 0
            grown = f"{IMAGES} >= {before + POSTED}"
            ((_, after),) = wait_for_query(prometheus.url, grown, timeout_s=60)
            expect_no_resets(prometheus, names)
            assert {each for each in names if total_of(prometheus, each) < old[each]} == set()
    assert after == before + POSTED
    assert running.process.returncode == 0
    verified = facemon("store", "verify", cwd=store.folder)
    assert (verified.returncode, verified.stdout[:3]) == (0, "ok:"), verified.stdout


def post_images(ask: Callable[[str, str, bytes], tuple[int, str]]) -> None:
    """Send images, each of another colour, so that none is remembered."""
    for number in range(POSTED):
        file = io.BytesIO()
        Image.new("RGB", (8, 8), (10 * number, 255 - 10 * number, 77)).save(file, "PNG")
        assert ask("POST", "/predict", file.getvalue())[0] == 200


def expect_no_resets(prometheus: Server, names: set[str]) -> None:
    """Of no series, and of no sum over models, which the label `model` was added to.

    A series that got a label begins anew under another name, and only the sum shows whether it went on.
    """
    for name in sorted(names):
        for asked in (f"resets({name}[10m])", f"resets((sum without (model) ({name}))[10m:1s])"):
            samples = query(prometheus.url, asked)
            assert samples, asked
            assert [value for _, value in samples if value] == [], asked
