"""Several stores that share a host, a gateway and a Prometheus: their series differ by metrics.labels."""

from http.client import HTTPConnection
from pathlib import Path

import pytest

from facemon.config.prometheus import TRANSPORT_JOBS, Transport
from tests.acceptance.series import samples_of
from tests.acceptance.served import served
from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon
from tests.metrics.gateways import gateway
from tests.metrics.stores import logged_folder
from tests.monitor.own_apis import greet, instrumented
from tests.server.exporters import exporter
from tests.servers import query, run_node_exporter, run_prometheus, run_pushgateway, wait_for_query

NO_PROXY = {"no_proxy": "127.0.0.1"}
ODD = 'nor"th \\ ü'
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def place(folder: Path, site: str | None) -> Path:
    """A store with a log of 50 images and a drift check, and the site that its configuration names."""
    folder.mkdir()
    logged_folder(folder)
    if site is not None:
        with (folder / "facemon.yaml").open("a") as file:
            file.write(f"metrics: {{labels: {{site: '{site}', rack: '7'}}}}\n")
    return folder


def test_every_series_has_the_labels(facemon: RunFacemon, tmp_path: Path) -> None:
    plain = facemon("export-metrics", cwd=place(tmp_path / "plain", None)).stdout
    text = facemon("export-metrics", cwd=place(tmp_path / "north", ODD)).stdout
    constant = {("site", ODD), ("rack", "7")}
    names = {(name, labels | constant) for name, labels in samples_of(plain)}
    assert set(samples_of(text)) == names
    assert {"drift_detected", "facemon_build_info", "images_processed_total"} <= dict(names).keys()


@pytest.mark.parametrize("accept", ["text/plain", OPENMETRICS])
def test_the_exporter_gives_its_own_metrics_the_labels(tmp_path: Path, accept: str) -> None:
    folder = place(tmp_path / "north", "north")
    (folder / "mine.py").write_text(
        "from prometheus_client.core import GaugeMetricFamily\n"
        "class Queue:\n"
        "    def collect(self):\n"
        "        family = GaugeMetricFamily('queue_length', 'Length.', labels=['site'])\n"
        "        family.add_metric(['of its own'], 5)\n"
        "        yield family\n"
    )
    with (folder / "facemon.yaml").open("a") as file:
        file.write('exporter: {collectors: ["mine:Queue"], probes: [{name: gone, url: "http://127.0.0.1:1/"}]}\n')
    with exporter(folder) as running:
        text = running.get("/metrics", accept=accept).text
    sites = {
        (line.partition("{")[0].partition(" ")[0], 'site="north"' in line)
        for line in text.splitlines()
        if not line.startswith("#")
    }
    assert ("queue_length", False) in sites
    assert {name for name, is_labelled in sites if not is_labelled} == {"queue_length"}
    assert {"drift_score", "facemon_source_up", "facemon_build_info", "images_processed_total"} <= dict(sites).keys()


def test_the_api_gives_its_metrics_the_labels(tmp_path: Path) -> None:
    write_small_model(tmp_path, "metrics: {labels: {site: north}}\n")
    with served(tmp_path) as api:
        text = api.ask("GET", "/metrics")[1]
    assert {('site="north"' in line) for line in text.splitlines() if not line.startswith("#")} == {True}
    assert 'facemon_source_up{site="north",source="log"} 1.0' in text


def test_an_instrumented_application_keeps_its_own_metrics(tmp_path: Path) -> None:
    folder = place(tmp_path / "north", "north")
    with instrumented(greet, config=folder / "facemon.yaml") as api:
        connection = HTTPConnection("127.0.0.1", api.port, timeout=30)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
    assert 'drift_score{attribute="gender",check="model",model="faces@1",rack="7",site="north"} 0.25' in text
    assert 'facemon_source_up{rack="7",site="north",source="store"} 1.0' in text


def test_the_command_shows_the_labels(facemon: RunFacemon, tmp_path: Path) -> None:
    shown = facemon("metrics", "drift_score", cwd=place(tmp_path / "north", "north")).stdout
    head, row = (line.split() for line in shown.splitlines()[-2:])
    assert head == ["attribute", "check", "model", "site", "rack", "value"]
    assert row == ["gender", "model", "faces@1", "north", "7", "0.25"]


@pytest.mark.parametrize("sites", [(None, None), ("north", "north"), ("north", None)])
def test_a_second_textfile_of_the_same_series_is_refused(
    facemon: RunFacemon, tmp_path: Path, open_folder: Path, sites: tuple[str | None, str | None]
) -> None:
    first, second = (place(tmp_path / str(number), site) for number, site in enumerate(sites))
    a, b = open_folder / "a.prom", open_folder / "b.prom"
    assert facemon("export-metrics", "--textfile", a, cwd=first).returncode == 0
    written = a.read_bytes()
    refused = facemon("export-metrics", "--textfile", b, cwd=second)
    if sites[0] != sites[1]:
        assert (refused.returncode, b.exists()) == (0, True)
        return
    assert refused.returncode == 2
    assert f"{b} cannot be written: {a} has the series " in refused.stderr
    assert "metrics: {labels: {site: north}}" in refused.stderr
    assert not b.exists()
    assert facemon("export-metrics", "--textfile", a, cwd=first).returncode == 0
    assert a.read_bytes() != written
    # The same store under another name would be counted twice.
    assert facemon("export-metrics", "--textfile", b, cwd=first).returncode == 2
    a.unlink()
    assert facemon("export-metrics", "--textfile", b, cwd=first).returncode == 0


def test_a_push_replaces_no_other_places(facemon: RunFacemon, tmp_path: Path) -> None:
    folder = place(tmp_path / "north", "a/b")
    with gateway() as server:
        assert facemon("export-metrics", "--pushgateway", server.url, cwd=folder, env=NO_PROXY).returncode == 0
        push = ("export-metrics", "--pushgateway", server.url, "--grouping")
        assert facemon(*push, "site=south", cwd=folder, env=NO_PROXY).returncode == 2
        assert facemon(*push, "row=1", cwd=folder, env=NO_PROXY).returncode == 0
    assert [asked.path for asked in server.asked] == [
        "/metrics/job/facemon/site@base64/YS9i/rack/7", "/metrics/job/facemon/site@base64/YS9i/rack/7/row/1",
    ]  # fmt: skip


@pytest.mark.servers
@pytest.mark.slow
@pytest.mark.parametrize("transport", ["textfile", "pushgateway"])
def test_one_prometheus_holds_both_places(
    facemon: RunFacemon, tmp_path: Path, open_folder: Path, servers: Path, transport: Transport
) -> None:
    stores = [place(tmp_path / site, site) for site in ("north", "south")]
    if transport == "textfile":
        for store in stores:
            path = open_folder / f"{store.name}.prom"
            assert facemon("export-metrics", "--textfile", path, cwd=store).returncode == 0
        run = run_node_exporter(servers, open_folder, tmp_path)
    else:
        run = run_pushgateway(servers, tmp_path)
    with run as source:
        if transport == "pushgateway":
            for store in stores:
                pushed = facemon("export-metrics", "--pushgateway", source.url, cwd=store, env=NO_PROXY)
                assert pushed.returncode == 0, pushed.stderr
        target = source.url.removeprefix("http://")
        rendered, job = tmp_path / "rendered", TRANSPORT_JOBS[transport]
        with (stores[0] / "facemon.yaml").open("a") as file:
            # DriftVerdict waits as long as DriftDetected does.
            file.write(f"prometheus: {{store_metrics_from: {transport}, jobs: [{job}]}}\n")
            file.write("alerts: {DriftDetected: {for: 0s}}\n")
        made = facemon("render-config", "--only", "prometheus", "--out", rendered, cwd=stores[0])
        assert made.returncode == 0, made.stderr
        rules = rendered / "monitoring/prometheus/alert_rules.yml"
        (tmp_path / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
            f"rule_files: ['{rules}']\n"
            "scrape_configs:\n"
            f"  - {{job_name: {job}, honor_labels: true, static_configs: [{{targets: ['{target}']}}]}}\n"
        )
        with run_prometheus(servers, tmp_path / "prometheus.yml", tmp_path) as prometheus:
            firing = 'ALERTS{alertname="DriftVerdict", alertstate="firing"}'
            wait_for_query(prometheus.url, f"count({firing}) == 2", timeout_s=60)
            found = {(labels["site"], labels["model"]) for labels, _ in query(prometheus.url, firing)}
            assert found == {("north", "faces@1"), ("south", "faces@1")}
            failures = query(prometheus.url, "sum(prometheus_rule_evaluation_failures_total)")
            assert all(value == 0 for _, value in failures)
            (images,) = query(prometheus.url, 'sum(images_processed_total{status="ok"})')
            assert images[1] == 80
