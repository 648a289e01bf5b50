"""The JSON that other people's programs read: keys are only ever added, and keep their types."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from facemon.domain.drift_result import from_document, to_document
from facemon.domain.metric_catalogue import CATALOGUE
from tests.conftest import RunFacemon
from tests.contracts.samples import DRIFT, EXPLANATIONS, FOLDER, METRICS, PREDICTION, make_samples

Shape = Mapping[str, Any]
TEXT, NUMBER, COUNT, FLAG, NONE = (str,), (float, int), (int,), (bool,), (type(None),)

PREDICTED: Shape = {
    "schema": TEXT, "image": TEXT, "image_sha256": TEXT, "face": COUNT, "box": [COUNT], "observed_at": TEXT,
    "predicted_at": TEXT, "model": TEXT, "source": TEXT + NONE, "error": NONE, "error_message": NONE,
    "attributes": {
        "gender": {"label": TEXT, "confidence": NUMBER}, "age": {"label": TEXT, "confidence": NUMBER, "value": NUMBER},
    },
}  # fmt: skip
FAILED = {**PREDICTED, "face": NONE, "box": NONE, "error": TEXT, "error_message": TEXT, "attributes": {}}
COLUMN: Shape = {
    "column": TEXT, "kind": TEXT, "verdict": TEXT, "score": NUMBER + NONE, "p_value": NUMBER + NONE,
    "p_adjusted": NUMBER + NONE, "n_reference": COUNT, "n_current": COUNT, "method": TEXT + NONE,
    "detectable": NUMBER + NONE, "threshold": NUMBER + NONE, "reason": TEXT + NONE, "attribute": TEXT + NONE,
    "measure": TEXT, "test": TEXT + NONE,
}  # fmt: skip
DRIFTED: Shape = {
    "schema": TEXT, "verdict": TEXT, "at": TEXT, "model": TEXT + NONE, "source": TEXT + NONE, "notes": [TEXT],
    "recorded": FLAG, "not_recorded_because": TEXT + NONE,
    "reference": {"name": TEXT, "kind": TEXT, "rows": COUNT, "since": TEXT + NONE, "until": TEXT + NONE},
    "current": {"since": TEXT + NONE, "until": TEXT + NONE, "rows": COUNT},
    "checks": {"model": {"verdict": TEXT, "threshold": NUMBER, "columns": [COLUMN]}},
}  # fmt: skip

METRIC: Shape = {
    "name": TEXT, "type": TEXT, "help": TEXT, "labels": [TEXT], "unit": TEXT + NONE, "source": TEXT,
    "value": NUMBER + NONE, "series": [{"labels": {}, "value": NUMBER}],
}  # fmt: skip
COUNTED: Shape = {
    **METRIC,
    "buckets": [NUMBER],
    "series": [{"labels": {}, "value": NUMBER, "sum": NUMBER, "buckets": {}}],
}
ALERT: Shape = {
    "schema": TEXT, "kind": TEXT, "name": TEXT, "state": TEXT, "reason": TEXT + NONE, "severity": TEXT, "limit": TEXT,
    "threshold": NUMBER + NONE, "for": TEXT, "signal": TEXT, "query": TEXT, "labels": {"severity": TEXT},
    "annotations": {"summary": TEXT, "description": TEXT, "runbook_url": TEXT, "dashboard_url": TEXT}, "runbook": TEXT,
}  # fmt: skip
ASKED: Shape = {
    "schema": TEXT, "kind": TEXT, "name": TEXT, "type": TEXT, "help": TEXT, "labels": [TEXT], "unit": TEXT + NONE,
    "from": TEXT, "query": TEXT + NONE, "recorded_as": [TEXT], "alerts": [TEXT],
    "panels": [{"dashboard": TEXT, "panel": TEXT}],
}  # fmt: skip

COLUMN_NAME: Shape = {
    "schema": TEXT, "kind": TEXT, "name": TEXT, "type": TEXT, "help": TEXT, "attribute": TEXT + NONE, "values": [TEXT],
    "check": TEXT + NONE, "threshold": NUMBER + NONE, "metrics": [TEXT], "command": TEXT + NONE,
}  # fmt: skip
SOURCE: Shape = {
    "schema": TEXT, "kind": TEXT, "name": TEXT, "help": TEXT, "metrics": [TEXT], "alerts": [TEXT],
    "checks": [{"model": TEXT, "check": TEXT, "verdict": TEXT, "rows": NUMBER, "at": TEXT}], "command": TEXT + NONE,
}  # fmt: skip
QUERY: Shape = {
    "schema": TEXT, "kind": TEXT, "name": TEXT, "labels": [TEXT], "functions": [{"name": TEXT, "help": TEXT}],
    "metrics": [{"name": TEXT, "type": TEXT, "help": TEXT}], "faults": [TEXT],
}  # fmt: skip


def misfits(value: Any, shape: Any, place: str = "$") -> list[str]:
    """Where a value lacks what the shape has; what it has beyond is welcome."""
    if isinstance(shape, Mapping):
        if not isinstance(value, dict):
            return [f"{place} is no object"]
        lost = [f"{place}.{key} is gone" for key in shape if key not in value]
        inner = [misfits(value[key], part, f"{place}.{key}") for key, part in shape.items() if key in value]
        return [*lost, *(misfit for found in inner for misfit in found)]
    if isinstance(shape, list):
        if not isinstance(value, list):
            return [f"{place} is no list"]
        return [m for index, item in enumerate(value) for m in misfits(item, shape[0], f"{place}[{index}]")]
    return [] if type(value) in shape else [f"{place} is {value!r}"]


@pytest.fixture(scope="module")
def printed(facemon: RunFacemon, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the command prints today."""
    return make_samples(tmp_path_factory.mktemp("samples"), facemon)


@pytest.fixture(params=["golden", pytest.param("printed", marks=pytest.mark.slow)])
def sample(request: pytest.FixtureRequest) -> dict[str, str]:
    if request.param == "printed":
        found: dict[str, str] = request.getfixturevalue("printed")
        return found
    return {name: (FOLDER / name).read_text(encoding="utf-8") for name in (PREDICTION, DRIFT, METRICS, EXPLANATIONS)}


def test_predictions(sample: dict[str, str]) -> None:
    face, *failed = (json.loads(line) for line in sample[PREDICTION].splitlines())
    assert misfits(face, PREDICTED) == []
    assert [row["error"] for row in failed] == ["no_face", "unreadable"]
    assert [misfits(row, FAILED) for row in failed] == [[], []]
    assert {row["schema"] for row in (face, *failed)} == {"facemon.prediction/1"}
    assert len(face["box"]) == 4
    for row in (face, *failed):
        assert row["observed_at"].endswith("Z")
        assert len(row["observed_at"]) == len("2026-11-23T02:00:00.000000Z")


def test_a_drift_check(sample: dict[str, str]) -> None:
    assert sample[DRIFT].count("\n") == 1
    document = json.loads(sample[DRIFT])
    assert misfits(document, DRIFTED) == []
    assert document["schema"] == "facemon.drift/1"
    assert document["checks"]["model"]["columns"]
    verdicts = {column["verdict"] for column in document["checks"]["model"]["columns"]}
    assert {"drift", "undecided"} <= verdicts <= {"drift", "undecided", "ok", "not_compared"}


def test_metrics(sample: dict[str, str]) -> None:
    assert sample[METRICS].count("\n") == 1
    document = json.loads(sample[METRICS])
    assert (document["schema"], document["error"]) == ("facemon.metrics/1", None)
    metrics = {metric["name"]: metric for metric in document["metrics"]}
    assert list(metrics) == list(CATALOGUE)
    for metric in metrics.values():
        assert misfits(metric, COUNTED if metric["type"] == "histogram" else METRIC) == []
        assert (metric["buckets"] is None) == (metric["type"] != "histogram")
        for series in metric["series"]:
            assert set(series["labels"]) == set(metric["labels"])
    assert metrics["images_processed_total"]["value"] == 60
    assert metrics["model_accuracy"] | {"value": None, "series": []} == metrics["model_accuracy"]
    assert metrics["confidence_drift_score"]["series"]


def test_explanations(sample: dict[str, str]) -> None:
    explained = [json.loads(line) for line in sample[EXPLANATIONS].splitlines()]
    assert {each["schema"] for each in explained} == {"facemon.explain/1"}
    shapes = {"alert": ALERT, "metric": ASKED, "column": COLUMN_NAME, "source": SOURCE, "query": QUERY}
    assert [each["kind"] for each in explained] == list(shapes)
    assert [misfits(each, shapes[each["kind"]]) for each in explained] == [[]] * len(shapes)
    alert, metric = explained[:2]
    assert alert["name"] in metric["alerts"]


@pytest.mark.slow
def test_nothing_of_the_golden_samples_is_lost(printed: dict[str, str]) -> None:
    """What has been added since stands in the golden samples, and counts as much as what was there first."""
    for name, text in printed.items():
        golden = (FOLDER / name).read_text(encoding="utf-8").splitlines()
        for old, new in zip(golden, text.splitlines(), strict=True):
            assert lost_keys(json.loads(old), json.loads(new)) == []


def lost_keys(old: Any, new: Any, place: str = "$") -> list[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        lost = [f"{place}.{key}" for key in old if key not in new]
        return lost + [k for key in old if key in new for k in lost_keys(old[key], new[key], f"{place}.{key}")]
    if isinstance(old, list) and isinstance(new, list) and old:
        if isinstance(old[0], dict) and "name" in old[0]:
            return lost_keys(by_name(old), by_name(new), place)
        return [key for index, item in enumerate(new) for key in lost_keys(old[0], item, f"{place}[{index}]")]
    return []


def by_name(items: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {item["name"]: item for item in items}


def test_the_golden_check_is_read_back_and_written_the_same() -> None:
    document = json.loads((FOLDER / DRIFT).read_text(encoding="utf-8"))
    assert to_document(from_document(document)) == document


def test_the_samples_name_no_place_of_this_machine() -> None:
    for name in (PREDICTION, DRIFT, METRICS, EXPLANATIONS):
        assert str(Path.home()) not in (FOLDER / name).read_text(encoding="utf-8")
