"""The queries that people and dashboards send, answered by a real Prometheus that scrapes our real servers."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.acceptance.camera import DAY_ONE, DAY_TWO, take_pictures
from tests.conftest import RunFacemon
from tests.patience import HANG_S
from tests.render.grafana_queries import Grafana
from tests.servers import Server, free_port, promtool, query, run_node_exporter, run_prometheus, wait_for_query

pytestmark = [pytest.mark.servers, pytest.mark.slow]

COMMAND = Path(sys.executable).with_name("facemon")
GUIDE = (
    "histogram_quantile(0.95, rate(model_inference_latency_seconds_bucket[5m]))",
    "sum by (attribute) (rate(model_predictions_total[5m]))",
    'sum(rate(api_requests_total{status="error"}[5m])) / sum(rate(api_requests_total[5m]))',
    'drift_score{attribute="gender"}',
)
CONFIGURATION = """\
version: 1
model: {{bundle: age-gender}}
drift: {{min_rows: 20, model: {{threshold: 0.4}}}}
prometheus:
  scrape_interval: 1s
  jobs: [api, exporter, node]
  targets: {{api: ["127.0.0.1:{api}"], exporter: ["127.0.0.1:{exporter}"], node: ["{node}"]}}
"""


@contextmanager
def served(folder: Path, command: str, port: int) -> Iterator[str]:
    """One of our servers, stopped as an init system stops it."""
    process = subprocess.Popen(
        [COMMAND, command, "--listen", f"127.0.0.1:{port}"], cwd=folder, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        assert "serving" in process.stderr.readline()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        assert process.wait(HANG_S) == 0


def post(url: str, body: bytes) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=HANG_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.fixture(scope="module")
def prometheus(facemon: RunFacemon, servers: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Our API under a little load, our exporter and a node-exporter, scraped from the rendered configuration."""
    folder = tmp_path_factory.mktemp("served")
    days = [take_pictures(folder / f"{day:%d}", images=30, day=day, seed=day.day) for day in (DAY_ONE, DAY_TWO)]
    ports = {"api": free_port(), "exporter": free_port()}
    with ExitStack() as stack:
        (folder / "textfiles").mkdir()
        node = stack.enter_context(run_node_exporter(servers, folder / "textfiles", folder / "node"))
        (folder / "facemon.yaml").write_text(CONFIGURATION.format(**ports, node=node.url.removeprefix("http://")))
        for arguments in (
            ("predict", "-q", days[0], "--observed-at", "mtime", "--source", "gate"),
            ("reference", "set", "--since", DAY_ONE.isoformat(), "--until", DAY_TWO.isoformat()),
            ("predict", "-q", days[1], "--observed-at", "mtime", "--source", "gate"),
            ("render-config",),
        ):
            assert facemon(*arguments, cwd=folder).returncode == 0
        window = ("--since", DAY_TWO.isoformat(), "--until", (DAY_TWO + timedelta(days=1)).isoformat())
        assert facemon("drift-check", "--record", "--check", "model", *window, cwd=folder).returncode in (0, 3, 4)
        labels = [f"{picture},female,35" for picture in days[1].iterdir()]
        (folder / "labels.csv").write_text("\n".join(["image,gender,age", *labels]))
        assert facemon("evaluate", "-q", "labels.csv", cwd=folder).returncode == 0
        api = stack.enter_context(served(folder, "serve", ports["api"]))
        stack.enter_context(served(folder, "serve-metrics", ports["exporter"]))
        config = folder / "monitoring" / "prometheus" / "prometheus.yml"
        server = stack.enter_context(run_prometheus(servers, config, folder / "prometheus"))
        pictures = sorted(days[1].iterdir())
        wait_for_query(server.url, 'api_requests_total{endpoint="/predict"}')
        for picture in pictures:
            assert post(f"{api}/predict", picture.read_bytes()) == 200
            time.sleep(0.1)
        assert post(f"{api}/predict", b"no picture") == 422
        wait_for_query(server.url, "sum(rate(api_requests_total[1m])) > 0")
        wait_for_query(server.url, "sum(rate(model_predictions_total[1m])) > 0")
        wait_for_query(server.url, "rate(node_cpu_seconds_total[1m])")
        yield server


@pytest.mark.parametrize("promql", GUIDE)
def test_the_guides_queries_return_data(prometheus: Server, promql: str) -> None:
    samples = query(prometheus.url, promql)
    print(promql, "->", samples)
    assert samples
    assert all(value == value for _, value in samples)  # noqa: PLR0124 - NaN is no data


def test_every_panel_shows_data(prometheus: Server, facemon: RunFacemon, tmp_path: Path) -> None:
    (tmp_path / "facemon.yaml").write_text(CONFIGURATION.format(api=1, exporter=2, node="127.0.0.1:3"))
    assert facemon("render-config", "--only", "grafana", cwd=tmp_path).returncode == 0
    grafana = Grafana(prometheus.url, time.time())
    empty, asked = [], 0
    for board in sorted((tmp_path / "monitoring" / "grafana" / "dashboards").glob("*.json")):
        dashboard = json.loads(board.read_text())
        for answer in grafana.panels(dashboard, dict.fromkeys(grafana.options(dashboard))):
            asked += 1
            if answer.is_empty:
                empty.append((board.name, answer.panel, answer.query))
    assert asked >= 50
    assert empty == []


def test_the_stores_metrics_come_by_one_transport(prometheus: Server) -> None:
    jobs = {labels["job"] for labels, _ in query(prometheus.url, "model_predictions_total")}
    assert jobs == {"exporter"}


def test_both_expositions_pass_promtool(
    facemon: RunFacemon, servers: Path, prometheus: Server, tmp_path: Path, astronaut: Path
) -> None:
    assert facemon("predict", "-q", astronaut, cwd=tmp_path).returncode == 0
    exported = facemon("export-metrics", "-o", "-", cwd=tmp_path)
    targets = query(prometheus.url, 'up{job="api"}')
    with urllib.request.urlopen(f"http://{targets[0][0]['instance']}/metrics", timeout=HANG_S) as answer:
        served_text = answer.read().decode()
    for text in (exported.stdout, served_text):
        checked = subprocess.run(
            [servers / "usr" / "bin" / "promtool", "check", "metrics"],
            input=text,
            text=True,
            capture_output=True,
            check=False,
        )
        assert checked.returncode == 0, checked.stderr + checked.stdout
    assert promtool(servers, "--version").returncode == 0
