"""`facemon metrics` as its user runs it: with a store, without one, and with one that is broken."""

import json
from pathlib import Path

import pytest

from facemon.domain.metric_catalogue import CATALOGUE
from facemon.store.layout import LEDGER_NAME
from facemon.store.ledger.opening import open_ledger
from tests.conftest import RunFacemon
from tests.metrics.stores import logged_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a log of 50 images and a drift check."""
    return logged_folder(tmp_path)


def rows_of(text: str) -> dict[str, list[str]]:
    """A plain table's rows by their first cell; cells stand at least two spaces apart."""
    rows = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in text.splitlines()]
    return {row[0]: row[1:] for row in rows if row}


def test_the_catalogue_with_values(facemon: RunFacemon, folder: Path) -> None:
    outcome = facemon("metrics", cwd=folder)
    assert (outcome.returncode, outcome.stderr) == (0, "")
    heading, *_ = outcome.stdout.splitlines()
    assert heading.split() == ["name", "type", "labels", "series", "value", "help"]
    rows = rows_of(outcome.stdout)
    assert list(rows)[1:] == list(CATALOGUE)
    assert rows["images_processed_total"][:4] == ["counter", "status", "3", "sum 50"]
    assert rows["model_confidence_score"][:4] == ["histogram", "attribute, model", "2", "count 90"]
    assert rows["drift_score"][:4] == ["gauge", "attribute, check, model", "1", "0.25"]
    assert rows["model_accuracy"][:4] == ["gauge", "attribute, model", "-", "-"]
    assert rows["cache_size"] == ["gauge", "-", "-", "-", CATALOGUE["cache_size"].help]


def test_one_metric_with_every_series(facemon: RunFacemon, folder: Path) -> None:
    shown = rows_of(facemon("metrics", "images_processed_total", cwd=folder).stdout)
    assert shown["help"] == [CATALOGUE["images_processed_total"].help]
    assert [shown[status] for status in ("failed", "no_face", "ok")] == [["5"], ["5"], ["40"]]
    latency = facemon("metrics", "model_inference_latency_seconds", cwd=folder).stdout
    assert rows_of(latency)["buckets"][0].startswith("0.001, 0.0025,")
    assert rows_of(latency)["model"] == ["count", "sum"]
    assert rows_of(latency)["faces@1"] == ["2", "0.31"]
    assert rows_of(facemon("metrics", "model_accuracy", cwd=folder).stdout)["value"] == ["-"]


def test_json(facemon: RunFacemon, folder: Path) -> None:
    whole = json.loads(facemon("metrics", "--format", "json", cwd=folder).stdout)
    assert [metric["name"] for metric in whole["metrics"]] == list(CATALOGUE)
    one = json.loads(facemon("metrics", "drift_score", "--format", "json", cwd=folder).stdout)
    assert one == {
        "schema": "facemon.metrics/1",
        "error": None,
        "metrics": [metric for metric in whole["metrics"] if metric["name"] == "drift_score"],
    }
    (score,) = one["metrics"]
    assert score["series"] == [{"labels": {"attribute": "gender", "check": "model", "model": "faces@1"}, "value": 0.25}]


def test_without_a_store(facemon: RunFacemon, tmp_path: Path) -> None:
    outcome = facemon("metrics", cwd=tmp_path)
    assert outcome.returncode == 0
    assert outcome.stderr == f"no values: there is no store in {tmp_path / '.facemon'}\n"
    rows = rows_of(outcome.stdout)
    assert list(rows)[1:] == list(CATALOGUE)
    assert {tuple(row[-3:-1]) for row in list(rows.values())[1:]} == {("-", "-")}
    document = json.loads(facemon("metrics", "--format", "json", cwd=tmp_path).stdout)
    assert document["error"].startswith("there is no store")
    assert {(metric["value"], metric["series"]) for metric in document["metrics"]} == {(None, None)}
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_cannot_be_read_is_a_failure(facemon: RunFacemon, folder: Path) -> None:
    (folder / ".facemon" / LEDGER_NAME).write_bytes(b"no database" * 500)
    outcome = facemon("metrics", "drift_score", cwd=folder)
    assert (outcome.returncode, "is damaged" in outcome.stderr) == (1, True)
    assert rows_of(outcome.stdout)["value"] == ["-"]


def test_an_unknown_name_is_wrong_usage(facemon: RunFacemon, folder: Path) -> None:
    outcome = facemon("metrics", "drift_scor", cwd=folder)
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert outcome.stderr == "error: metrics drift_scor: no such metric\n  hint: did you mean drift_score?\n"


def test_looking_changes_nothing(facemon: RunFacemon, folder: Path) -> None:
    facemon("metrics", cwd=folder)
    with open_ledger(folder / ".facemon") as ledger:
        assert "metrics" not in [run.command for run in ledger.commands.all()]
