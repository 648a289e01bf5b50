"""`facemon export-metrics` as its user runs it, accepted by promtool, node-exporter and a Pushgateway that are real."""

import subprocess
from http.client import HTTPConnection
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from facemon.store.ledger import LEDGER_NAME, Ledger
from tests.conftest import RunFacemon
from tests.metrics.stores import CONFIGURATION, DRIFT, check_model, column
from tests.servers import free_port, run_node_exporter, run_pushgateway
from tests.store.log_rows import log_images

NO_PROXY = {"no_proxy": "127.0.0.1"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a log of 50 images and a drift check."""
    (tmp_path / "facemon.yaml").write_text(CONFIGURATION)
    with Ledger.open(tmp_path / ".facemon", create=True) as ledger:
        log_images(ledger, 50)
        check_model(ledger, column("gender", DRIFT, 0.25))
    return tmp_path


def scrape(url: str) -> str:
    host = url.removeprefix("http://")
    connection = HTTPConnection(host, timeout=10)
    connection.request("GET", "/metrics")
    try:
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def test_stdout(facemon: RunFacemon, folder: Path) -> None:
    outcome = facemon("export-metrics", cwd=folder)
    assert (outcome.returncode, outcome.stderr) == (0, "")
    values = {
        (s.name, *s.labels.values()): s.value
        for family in text_string_to_metric_families(outcome.stdout)
        for s in family.samples
    }
    assert values["images_processed_total", "ok"] == 40
    assert values["drift_score", "gender", "model"] == 0.25
    again = facemon("export-metrics", "-o", "-", cwd=folder).stdout
    assert 'facemon_last_success_timestamp_seconds{command="export-metrics"}' in again
    kept = {line for line in again.splitlines() if 'command="export-metrics"' not in line}
    assert kept >= {line for line in outcome.stdout.splitlines() if "facemon_last" not in line}


@pytest.mark.parametrize(
    ("export", "has", "lacks"),
    [("model", "images_processed_total", "drift_score"), ("drift", "drift_score", "images_processed_total")],
)
def test_a_part(facemon: RunFacemon, folder: Path, export: str, has: str, lacks: str) -> None:
    text = facemon("export-metrics", "--export", export, cwd=folder).stdout
    assert (has in text, lacks in text, "facemon_source_up" in text) == (True, False, True)


def test_a_store_that_breaks_leaves_the_old_textfile(facemon: RunFacemon, folder: Path) -> None:
    made = facemon("export-metrics", "--textfile", "facemon.prom", cwd=folder)
    assert (made.returncode, made.stdout, made.stderr) == (0, "", "wrote facemon.prom\n")
    path = folder / "facemon.prom"
    assert path.stat().st_mode & 0o777 == 0o644
    before = path.read_text()
    (folder / ".facemon" / LEDGER_NAME).write_bytes(b"no database" * 500)
    outcome = facemon("export-metrics", "--textfile", "facemon.prom", cwd=folder)
    assert (outcome.returncode, "is no facemon ledger" in outcome.stderr) == (1, True)
    assert path.read_text() == before
    assert sorted(p.name for p in folder.iterdir()) == [".facemon", "facemon.prom", "facemon.yaml"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--textfile", "facemon.txt"), 1, "hint: name it facemon.prom"),
        (("--textfile", "."), 1, "node-exporter takes only *.prom"),
        (("--textfile", "missing/facemon.prom"), 1, "cannot be written: No such file or directory"),
        (("-o", "facemon.prom"), 2, "use --textfile PATH"),
        (("-o", "-", "--textfile", "facemon.prom"), 2, "exclude each other"),
        (("--textfile", "a.prom", "--pushgateway", "http://127.0.0.1:1"), 2, "exclude each other"),
        (("--pushgateway", "http://127.0.0.1:port"), 1, "did not take the metrics"),
        (("--export", "nothing"), 2, "'all', 'model', 'drift'"),
    ],
)
def test_what_cannot_be_exported(
    facemon: RunFacemon, folder: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    outcome = facemon("export-metrics", *arguments, cwd=folder)
    assert (outcome.returncode, said in outcome.stderr) == (code, True), outcome.stderr
    assert "unexpectedly" not in outcome.stderr
    assert sorted(p.name for p in folder.iterdir()) == [".facemon", "facemon.yaml"]


def test_a_pushgateway_that_does_not_answer(facemon: RunFacemon, folder: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    outcome = facemon("export-metrics", "--pushgateway", url, cwd=folder, env=NO_PROXY)
    assert outcome.returncode == 1
    assert f"the Pushgateway at {url} did not take the metrics: [Errno 111] Connection refused" in outcome.stderr
    text = facemon("export-metrics", cwd=folder).stdout
    assert 'facemon_last_success_timestamp_seconds{command="export-metrics"}' not in text
    assert 'facemon_last_run_duration_seconds{command="export-metrics"}' in text


@pytest.mark.servers
@pytest.mark.parametrize("export", ["all", "model", "drift"])
def test_promtool_accepts_it(facemon: RunFacemon, servers: Path, folder: Path, export: str) -> None:
    facemon("export-metrics", cwd=folder)
    text = facemon("export-metrics", "--export", export, "-o", "-", cwd=folder).stdout
    command = [str(servers / "usr" / "bin" / "promtool"), "check", "metrics"]
    outcome = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert (outcome.returncode, outcome.stdout + outcome.stderr) == (0, "")


@pytest.mark.servers
def test_node_exporter_reads_the_textfile(facemon: RunFacemon, servers: Path, folder: Path) -> None:
    textfiles = folder / "textfiles"
    textfiles.mkdir()
    assert facemon("export-metrics", "--textfile", "textfiles/facemon.prom", cwd=folder).returncode == 0
    with run_node_exporter(servers, textfiles, folder) as server:
        text = scrape(server.url)
    assert "node_textfile_scrape_error 0" in text
    assert 'images_processed_total{status="ok"} 40' in text
    assert 'drift_score{attribute="gender",check="model"} 0.25' in text
    assert 'model_confidence_score_bucket{attribute="gender",le="+Inf"} 45' in text


@pytest.mark.servers
def test_a_pushgateway_takes_it(facemon: RunFacemon, servers: Path, folder: Path) -> None:
    with run_pushgateway(servers, folder) as server:
        for _ in range(2):
            pushed = facemon("export-metrics", "--pushgateway", server.url, cwd=folder, env=NO_PROXY)
            assert (pushed.returncode, pushed.stderr) == (0, f"pushed to {server.url}\n")
        text = scrape(server.url)
    assert 'images_processed_total{instance="",job="facemon",status="ok"} 40' in text
    assert 'drift_score{attribute="gender",check="model",instance="",job="facemon"} 0.25' in text
