"""The exporter's page: what a browser gets at /, with which headers, and that nothing else changes."""

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from facemon.domain.drift_result import Check
from facemon.store.layout import LEDGER_NAME
from facemon.store.ledger.opening import open_ledger
from tests.metrics.stores import CONFIGURATION, DECIDED, DRIFT, UNDECIDED, check_model, column
from tests.patience import wait_until
from tests.reports.page_outline import Outline
from tests.server.exporters import Answer, Exporter, exporter
from tests.store.log_rows import log_images

HTML = "text/html,application/xhtml+xml,*/*;q=0.8"
ODD = 'gate"><script>alert(1)</script>'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shown")
    (folder / "facemon.yaml").write_text(CONFIGURATION + "metrics: {labels: {site: north}}\n")
    now = datetime.now(UTC)
    with open_ledger(folder / ".facemon", create=True) as ledger:
        log_images(ledger, 230)
        sources = {"door": DRIFT, ODD: DECIDED, None: UNDECIDED}
        columns = column("gender", DRIFT, 0.25), column("age", UNDECIDED)
        check_model(ledger, *columns, at=now - timedelta(hours=2, minutes=1), sources=sources)
        check_model(ledger, column("blur", DECIDED, 0.02), at=now - timedelta(hours=50), check=Check.DATA)
    return folder


@pytest.fixture(scope="module")
def serving(folder: Path) -> Iterator[Exporter]:
    with exporter(folder) as running:
        yield running


def words(answer: Answer) -> str:
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    return " ".join(" ".join(Outline(answer.text).text).split())


def test_a_browser_sees_the_state(serving: Exporter) -> None:
    text = words(serving.get("/", Accept=HTML))
    for said in (
        "Drift was found", "site=north", "model check of faces@1: drift in 1 of 2 attributes", "2 hours ago",
        "data check of faces@1: no drift when it last ran, which is too long ago", "2 days ago",
        "1 source silent: door", "1 source undecided: (no source)", "1 source without drift", "images: ok 184",
        "gender faces@1 207", "up store",
    ):  # fmt: skip
        assert said in text, said


def test_its_numbers_are_those_of_a_scrape(serving: Exporter) -> None:
    metrics = serving.get("/metrics").text
    assert 'images_processed_total{site="north",status="ok"} 184.0' in metrics
    assert 'drift_score{attribute="gender",check="model",model="faces@1",site="north"} 0.25' in metrics
    assert "drift gender model faces@1 0.25 - 0.05 0.025 800" in words(serving.get("/", Accept=HTML))


def test_it_loads_nothing_from_elsewhere_and_runs_nothing(serving: Exporter) -> None:
    answer = serving.get("/", Accept=HTML)
    policy = "default-src 'none'; style-src 'self'; img-src 'self'; "
    closed = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    assert answer.headers["content-security-policy"] == policy + closed
    page = Outline(answer.text)
    assert page.count("script") == page.count("style") == 0
    assert not any(name == "style" or name.startswith("on") for _, given in page.elements for name in given)
    loaded = {given.get("href") or given.get("src") for tag, given in page.elements if tag in ("link", "img")}
    assert loaded == {"pages/style.css", "pages/icon.svg"}
    for path in ("pages/style.css", "pages/icon.svg"):
        file = serving.get(f"/{path}")
        assert (file.status, file.headers["x-content-type-options"]) == (200, "nosniff")
        again = serving.get(f"/{path}", If_None_Match=file.headers["etag"])
        assert (again.status, again.text, again.headers.get("content-length")) == (304, "", None)


def test_names_are_escaped(serving: Exporter) -> None:
    answer = serving.get("/", Accept=HTML)
    assert "<script" not in answer.text
    assert ODD in words(answer)


def test_it_is_loaded_anew_only_for_who_asks_for_it(serving: Exporter) -> None:
    assert 'http-equiv="refresh"' not in serving.get("/", Accept=HTML).text
    assert '<meta http-equiv="refresh" content="60">' in serving.get("/?refresh", Accept=HTML).text


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "text/html;q=0"])
def test_programs_get_what_they_got(serving: Exporter, accept: str | None) -> None:
    answer = serving.get("/", Accept=accept) if accept else serving.get("/")
    assert (answer.status, answer.text) == (404, "there are /metrics, /health and /ready\n")


def test_head_has_the_headers_alone(serving: Exporter) -> None:
    answer = serving.get("/", method="HEAD", Accept=HTML)
    assert (answer.status, answer.text, answer.headers["cache-control"]) == (200, "", "no-store")
    assert serving.get("/", method="POST", Accept=HTML).status == 405


def test_a_rebound_name_may_not_read_it(serving: Exporter) -> None:
    assert serving.get("/", Host="evil.example", Accept=HTML).status == 403
    assert serving.get("/", Host=f"localhost:{serving.port}", Accept=HTML).status == 200


@pytest.mark.parametrize("path", ["/pages/", "/pages/index.html", "/pages/../page_files.py", "/pages/%2e%2e/asgi.py"])
def test_no_other_file_is_there(serving: Exporter, path: str) -> None:
    assert serving.get(path, Accept=HTML).status == 404


def test_a_look_changes_nothing(folder: Path, serving: Exporter) -> None:
    def store() -> tuple[bytes, list[Path]]:
        return (folder / ".facemon" / LEDGER_NAME).read_bytes(), sorted((folder / ".facemon").iterdir())

    words(serving.get("/", Accept=HTML))
    before = store()
    words(serving.get("/", Accept=HTML))
    assert store() == before


def test_a_store_that_cannot_be_read_is_not_fine(tmp_path: Path) -> None:
    with exporter(tmp_path) as running:
        text = words(running.get("/", Accept=HTML))
        assert "The store cannot be read" in text
        assert "down store" in text
        assert "No drift" not in text
        with open_ledger(tmp_path / ".facemon", create=True):
            pass
        assert "No drift check yet" in words(running.get("/", Accept=HTML))


def test_a_configuration_switches_it_off_and_on(tmp_path: Path) -> None:
    file = tmp_path / "facemon.yaml"
    file.write_text("version: 1\nexporter: {pages: false}\n")
    with exporter(tmp_path) as running:
        assert running.get("/", Accept=HTML).status == running.get("/pages/style.css").status == 404
        file.write_text("version: 1\n")
        os.kill(running.process.pid, signal.SIGHUP)
        wait_until(lambda: running.get("/", Accept=HTML).status == 200)
