"""The store's metrics by each of the four transports while a real Prometheus scrapes all: nothing counts twice."""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from PIL import Image

from facemon.config.prometheus import TRANSPORT_JOBS, Transport
from facemon.domain.metric_catalogue import CATALOGUE, MetricSource, MetricType
from facemon.render.promql import exposed_names
from tests.acceptance.camera import DAY_ONE, DAY_TWO
from tests.acceptance.series import Series, samples_of, series_of
from tests.acceptance.served import served
from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon
from tests.render.grafana_queries import DAY, Choices, filled
from tests.server.exporters import exporter
from tests.servers import query, run_node_exporter, run_prometheus, run_pushgateway, wait_for_query

pytestmark = [pytest.mark.servers, pytest.mark.slow]

IMAGES, POSTS = 60, 5
NO_PROXY = {"no_proxy": "127.0.0.1"}
JOB_LABELS: dict[Transport, str] = {**TRANSPORT_JOBS, "pushgateway": "facemon"}
"""What was pushed says itself which job it is from."""
DRIFT = "drift: {min_rows: 20, data: {threshold: 0.4}, model: {threshold: 0.4}}\n"
LABELS = 20
EVALUATE = f"evaluate: {{min_labels: {LABELS}}}\n"
"""Fewer than the default: a transport that took no notice of the configuration would have no accuracy."""
PROMETHEUS = """\
prometheus:
  scrape_interval: 1s
  store_metrics_from: {transport}
  jobs: [{jobs}]
  targets: {{{targets}}}
  alertmanagers: []
"""


def names_from(source: MetricSource) -> set[str]:
    """Every name that the metrics of a source have in Prometheus, without those of OpenMetrics alone."""
    names = {name for metric in CATALOGUE.values() if metric.source is source for name in exposed_names(metric)}
    return {name for name in names if not name.endswith("_created")}


STORED, OF_REQUESTS = names_from(MetricSource.STORE), names_from(MetricSource.SERVE)
WINDOW = re.compile(r"\b(?:rate|increase|last_over_time)\(([^()\[\]]+)\[[^\]]+\](?: @ end\(\))?\)")
GUARDS = "TargetDown|MetricsAbsent|SourceUnreadable|TextfileScrapeError|ModelNotLoaded|DriftCheckStale"


@dataclass(frozen=True, slots=True)
class Transports:
    """Where the store's metrics can be had, and what they are."""

    targets: Mapping[str, str]
    ledger: Mapping[Series, float]
    store: Path


@pytest.fixture(scope="module")
def transports(facemon: RunFacemon, servers: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Transports]:
    """All four over one store that has everything: predictions of both kinds, a drift check, an evaluation."""
    folder = tmp_path_factory.mktemp("transports")
    write_small_model(folder, DRIFT + EVALUATE)
    fill_store(facemon, folder)
    with ExitStack() as stack:
        # Not below pytest's own folder, which is closed to the user that a node-exporter usually runs as.
        textfiles = Path(stack.enter_context(TemporaryDirectory(prefix="facemon-open-", dir="/tmp")))
        textfiles.chmod(0o755)
        api = stack.enter_context(served(folder, "--workers", "1"))
        for number in range(POSTS):
            paint(folder / "posted.png", number, redness=0.9)
            assert api.ask("POST", "/predict", (folder / "posted.png").read_bytes())[0] == 200
        api.wait_for_images(2 * IMAGES + POSTS)
        pulled = stack.enter_context(exporter(folder))
        node = stack.enter_context(run_node_exporter(servers, textfiles, folder))
        gateway = stack.enter_context(run_pushgateway(servers, folder))
        for way in (("-o", "-"), ("--textfile", textfiles / "facemon.prom"), ("--pushgateway", gateway.url)):
            assert facemon("export-metrics", *way, cwd=folder, env=NO_PROXY).returncode == 0
        targets = {
            "api": f"127.0.0.1:{api.port}",
            "exporter": f"127.0.0.1:{pulled.port}",
            "node": node.url.removeprefix("http://"),
            "pushgateway": gateway.url.removeprefix("http://"),
        }
        ledger = samples_of(facemon("export-metrics", "-o", "-", cwd=folder).stdout)
        yield Transports(targets, {series: value for series, value in ledger.items() if series[0] in STORED}, folder)


def fill_store(facemon: RunFacemon, folder: Path) -> None:
    labels = ["image,hair"]
    for day, redness in ((DAY_ONE, 0.8), (DAY_TWO, 0.2)):
        pictures = folder / f"{day:%d}"
        pictures.mkdir()
        for number in range(IMAGES):
            paint(pictures / f"{number}.png", number, redness, day + timedelta(minutes=number))
            labels.append(f"{day:%d}/{number}.png,{'ab'[number % 2]}")
        predicted = facemon("predict", "-q", pictures.name, "--source", "gate", "--observed-at", "mtime", cwd=folder)
        assert predicted.returncode == 0, predicted.stderr
    (folder / "labels.csv").write_text("\n".join(labels[: LABELS + 1]))
    first, second, end = (day.isoformat() for day in (DAY_ONE, DAY_TWO, DAY_TWO + timedelta(days=1)))
    assert facemon("reference", "set", "--since", first, "--until", second, cwd=folder).returncode == 0
    for check in ("model", "data"):
        outcome = facemon("drift-check", "--record", "--check", check, "--since", second, "--until", end, cwd=folder)
        assert outcome.returncode in (0, 3, 4), outcome.stderr
    evaluated = facemon("evaluate", "labels.csv", cwd=folder)
    assert evaluated.returncode == 0, evaluated.stderr


def paint(path: Path, seed: int, redness: float, at: datetime | None = None) -> None:
    """A picture of noise, more red than green in about so many of them."""
    random = np.random.default_rng([seed, round(redness * 10)])
    pixels = random.integers(0, 80, (8, 8, 3), np.uint8)
    pixels[:, :, 0 if random.random() < redness else 1] += np.uint8(random.integers(20, 150))
    Image.fromarray(pixels).save(path)
    if at is not None:
        os.utime(path, (at.timestamp(),) * 2)


@pytest.mark.parametrize("transport", TRANSPORT_JOBS)
def test_every_sum_is_the_ledgers(
    facemon: RunFacemon, servers: Path, tmp_path: Path, transports: Transports, transport: Transport
) -> None:
    everything = render(facemon, tmp_path / "all", transports, transport, jobs=list(transports.targets))
    alone = render(facemon, tmp_path / "alone", transports, transport, jobs=[TRANSPORT_JOBS[transport]])
    with (
        run_prometheus(servers, everything / "prometheus/prometheus.yml", tmp_path / "all") as prometheus,
        run_prometheus(servers, alone / "prometheus/prometheus.yml", tmp_path / "alone") as other,
    ):
        wait_for_query(prometheus.url, f"count(up == 1) == {len(transports.targets)}")
        wait_for_query(other.url, "count(up == 1) == 1")
        expect_every_series_once(prometheus.url, transports, transport)
        expect_requests_once(prometheus.url)
        expect_sums_of_the_ledger(prometheus.url, transports)
        expect_panels_as_with_one_transport(prometheus.url, other.url, everything / "grafana" / "dashboards")
        wait_for_query(prometheus.url, f'ALERTS{{alertname=~"{GUARDS}"}}', lambda alerts: not alerts)


def render(facemon: RunFacemon, folder: Path, transports: Transports, transport: Transport, jobs: list[str]) -> Path:
    folder.mkdir()
    targets = ", ".join(f'{job}: ["{transports.targets[job]}"]' for job in jobs)
    write_small_model(folder, DRIFT + PROMETHEUS.format(transport=transport, jobs=", ".join(jobs), targets=targets))
    outcome = facemon("render-config", cwd=folder)
    assert outcome.returncode == 0, outcome.stderr
    return folder / "monitoring"


def expect_every_series_once(url: str, transports: Transports, transport: Transport) -> None:
    """All that the ledger has, nothing beside it, and from this transport alone."""
    found: list[Series] = []
    for name in sorted(STORED):
        for labels, value in query(url, name):
            series = series_of(name, labels.items())
            found.append(series)
            assert labels["job"] == JOB_LABELS[transport]
            # The last export's own time is not in what it exported.
            if ("command", "export-metrics") not in series[1]:
                assert value == transports.ledger[series], series
    assert Counter(found) == Counter(transports.ledger.keys())
    assert {name for name, _ in found} == STORED


def expect_requests_once(url: str) -> None:
    """What only the API counts comes from it, whoever else is scraped."""
    for name in sorted(OF_REQUESTS):
        samples = query(url, name)
        assert {labels["job"] for labels, _ in samples} == {"api"}, name
        assert max(Counter(series_of(name, labels.items()) for labels, _ in samples).values()) == 1
    assert query(url, 'sum(api_requests_total{endpoint="/predict"})') == [({}, POSTS)]


def expect_sums_of_the_ledger(url: str, transports: Transports) -> None:
    totals = [metric for metric in CATALOGUE.values() if metric.source is MetricSource.STORE]
    names = {MetricType.COUNTER: ("",), MetricType.HISTOGRAM: ("_count", "_sum", "_bucket"), MetricType.GAUGE: ()}
    for name in (metric.name + part for metric in totals for part in names[metric.type]):
        ledger = sum(value for series, value in transports.ledger.items() if series[0] == name)
        ((_, total),) = query(url, f"sum({name})")
        assert total == pytest.approx(ledger, rel=1e-12), name
    assert query(url, "sum(images_processed_total)") == [({}, 2 * IMAGES + POSTS)]
    by_label = {labels["value"]: value for labels, value in query(url, "sum by (value) (model_predictions_total)")}
    assert by_label.keys() == {"a", "b"}
    assert sum(by_label.values()) == 2 * IMAGES + POSTS


def expect_panels_as_with_one_transport(url: str, alone: str, dashboards: Path) -> None:
    """Each panel over the store's metrics; rates, ages and newest values as the series under them, which last."""
    asked = set()
    for board in sorted(dashboards.glob("*.json")):
        dashboard = json.loads(board.read_text())
        everything = dict.fromkeys(variable["name"] for variable in dashboard["templating"]["list"])
        for panel in dashboard["panels"]:
            for target in panel.get("targets", []):
                if not STORED.intersection(re.findall(r"\w+", target["expr"])):
                    continue
                lasting = WINDOW.sub(r"\1", target["expr"]).replace("time() - ", "")
                for choice in (None, ["hair"]):
                    choices: Choices = {**everything, "attribute": choice}
                    promql = filled(lasting, choices, span=DAY, step=60, interval=15)
                    assert "[" not in promql
                    assert without_targets(url, promql) == without_targets(alone, promql) != [], promql
                asked.add(panel["title"])
    assert len(asked) >= 20, asked


def without_targets(url: str, promql: str) -> list[tuple[tuple[tuple[str, str], ...], float]]:
    """The answer as a reader of the panel tells its lines apart: not by where they came from."""
    return sorted((tuple(sorted(series_of("", labels.items())[1])), value) for labels, value in query(url, promql))
