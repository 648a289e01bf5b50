"""`facemon evaluate` through the installed command."""

import asyncio
import json
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from prometheus_client import CollectorRegistry

import facemon as facemon_package
from facemon.config.loader import load_config
from facemon.metrics.exporter import Exporter
from facemon.monitor.instrument import instrument
from facemon.server.asgi import Application, Receive, Scope, Send
from tests.conftest import RunFacemon


def test_labels_become_accuracy_in_the_metrics(facemon: RunFacemon, tmp_path: Path, astronaut: Path) -> None:
    face = Image.open(astronaut).convert("RGB").crop((100, 0, 350, 250))
    (tmp_path / "facemon.yaml").write_text("version: 1\nmodel: {bundle: age-gender}\nevaluate: {min_labels: 3}\n")
    for index in range(3):
        face.save(tmp_path / f"{index}.png")
    assert facemon("predict", "-q", "0.png", "1.png", "2.png", cwd=tmp_path).returncode == 0
    (tmp_path / "labels.csv").write_text("image,gender,age\n0.png,female,35\n1.png,female,35\n2.png,male,35\n")
    answer = facemon("evaluate", "labels.csv", "--format", "json", "--by", "source", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    document = json.loads(answer.stdout)
    assert document["schema"] == "facemon.evaluation/1"
    gender = document["attributes"][0]
    assert (gender["labelled"], gender["correct"], gender["confusion"]) == (3, 2, [[2, 0], [1, 0]])
    assert document["attributes"][1]["mean_absolute_error"] < 10
    assert [each["source"] for each in document["by_source"]] == [None]
    metrics = facemon("export-metrics", "-o", "-", cwd=tmp_path).stdout
    assert 'model_accuracy{attribute="gender",model="age-gender@1"} 0.66666' in metrics
    assert 'model_accuracy_labels{attribute="gender",model="age-gender@1"} 3.0' in metrics
    assert 'facemon_last_success_timestamp_seconds{command="evaluate"}' in metrics
    text = facemon("evaluate", "labels.csv", cwd=tmp_path)
    assert "66.7 %" in text.stdout
    assert facemon("evaluate", "-q", "labels.csv", cwd=tmp_path).stdout == ""


def test_labels_that_match_nothing_are_found(facemon: RunFacemon, tmp_path: Path, astronaut: Path) -> None:
    assert facemon("evaluate", "labels.csv", cwd=tmp_path).returncode == 1
    assert facemon("predict", "-q", astronaut, cwd=tmp_path).returncode == 0
    (tmp_path / "labels.csv").write_text("image,gender\nnobody.jpg,female\n")
    answer = facemon("evaluate", "labels.csv", cwd=tmp_path)
    assert answer.returncode == 3
    assert "1 of 1 labels match no prediction in the log: nobody.jpg" in answer.stderr
    answer = facemon("evaluate", "labels.csv", "--model", "other@2", cwd=tmp_path)
    assert answer.returncode == 1
    assert "the log has no predictions of other@2" in answer.stderr
    assert "age-gender@1" in answer.stderr
    assert facemon("evaluate", "labels.csv", "--observed-since", "soon", cwd=tmp_path).returncode == 2
    answer = facemon("evaluate", "labels.csv", "--observed-since", "2999-01-01", cwd=tmp_path)
    assert answer.returncode == 2
    assert "hint: --observed-since must be before the present" in answer.stderr


def test_labels_that_name_several_images_have_a_way_out(facemon: RunFacemon, tmp_path: Path, astronaut: Path) -> None:
    face = Image.open(astronaut).convert("RGB").crop((100, 0, 350, 250))
    for folder, angle in (("monday", 0), ("tuesday", 3)):
        (tmp_path / folder).mkdir()
        face.rotate(angle).save(tmp_path / folder / "a.png")
    assert facemon("predict", "-q", "monday", "tuesday", cwd=tmp_path).returncode == 0
    (tmp_path / "labels.csv").write_text("image,gender\na.png,female\n")
    answer = facemon("evaluate", "labels.csv", cwd=tmp_path)
    assert answer.returncode == 3
    assert "1 of 1 labels name several images of the log: a.png" in answer.stderr
    assert (
        "write the folder too, as in day1/a.jpg; or add a column image_sha256 or image_id, or leave older images out "
        "with --observed-since 30d"
    ) in answer.stderr
    (tmp_path / "labels.csv").write_text("image,gender\ntuesday/a.png,female\n")
    assert facemon("evaluate", "labels.csv", cwd=tmp_path).returncode == 0


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A folder with a log of 60 faces, as an interface logged them."""
    (tmp_path / "facemon.yaml").write_text("version: 1\nmodel: {bundle: age-gender}\nevaluate: {min_labels: 20}\n")
    with facemon_package.Monitor(tmp_path / "facemon.yaml") as monitor:
        monitor.log(
            [
                {
                    "image": f"photos/{number:06}.jpg", "image_id": f"emp{number}", "image_sha256": f"{number:064x}",
                    "gender": "male" if number % 2 else "female", "gender_confidence": 0.9, "age_value": 70.0,
                }
                for number in range(60)
            ]
        )  # fmt: skip
    return tmp_path


def exported(facemon: RunFacemon, folder: Path) -> dict[str, str]:
    """What the metrics say of evaluations."""
    answer = facemon("export-metrics", "-o", "-", cwd=folder)
    assert answer.returncode == 0, answer.stderr
    series = dict(line.rsplit(" ", 1) for line in answer.stdout.splitlines() if not line.startswith("#"))
    return {name: value for name, value in series.items() if name.startswith("model_accuracy") or '"evaluate"' in name}


def write_labels(folder: Path, heading: str, *rows: str) -> Path:
    path = folder / "labels.csv"
    path.write_text("\n".join([heading, *rows]) + "\n")
    return path


SUCCESS = 'facemon_last_success_timestamp_seconds{command="evaluate"}'
DURATION = 'facemon_last_run_duration_seconds{command="evaluate"}'
ACCURACY, LABELS = (f'model_accuracy{suffix}{{attribute="gender",model="age-gender@1"}}' for suffix in ("", "_labels"))
EACH = [f"{number:06},{'male' if number % 2 else 'female'}" for number in range(60)]
NOTHING_COMPARED = {
    "other names": ("image,gender", ["zz.jpg,female"], 3),
    "no label of the attribute": ("image,gender", ["000001,f", "000002,m"], 3),
    "empty cells": ("image,gender", ["000001,", "000002,"], 0),
    "several answers": ("image,gender", ["000001,male", "000001,female"], 3),
    "no names": ("image,gender", [",male"], 3),
}


@pytest.mark.parametrize("case", NOTHING_COMPARED)
def test_an_evaluation_that_compared_nothing_is_no_success(facemon: RunFacemon, store: Path, case: str) -> None:
    heading, rows, code = NOTHING_COMPARED[case]
    assert facemon("evaluate", write_labels(store, heading, *rows), cwd=store).returncode == code
    assert exported(facemon, store).keys() == {DURATION}
    assert facemon("evaluate", write_labels(store, "image,gender", *EACH), cwd=store).returncode == 0
    before = exported(facemon, store)
    assert (before[ACCURACY], before[LABELS]) == ("1.0", "60.0")
    for options in ((), ("--format", "json")) if case == "other names" else (("-q",),):
        answer = facemon("evaluate", *options, write_labels(store, heading, *rows), cwd=store)
        assert answer.returncode == code
        assert "no label was compared" in answer.stderr
    after = exported(facemon, store)
    assert after.pop(DURATION) != before.pop(DURATION)
    assert after == before


def test_some_matches_are_a_success_and_the_others_are_counted(facemon: RunFacemon, store: Path) -> None:
    strangers = [f"zz{number},male" for number in range(40)]
    answer = facemon("evaluate", write_labels(store, "image,gender", *EACH, *strangers), cwd=store)
    assert answer.returncode == 3
    assert "40 of 100 labels match no prediction in the log: zz0, zz1, zz10, zz11, zz12 …" in answer.stderr
    assert "matched by file name without folder and suffix: 60" in answer.stderr
    assert exported(facemon, store).keys() == {ACCURACY, LABELS, SUCCESS, DURATION}


def test_few_labels_leave_the_accuracy_alone(facemon: RunFacemon, store: Path) -> None:
    wrong = write_labels(store, "image,gender", "000001,female")
    answer = facemon("evaluate", wrong, cwd=store)
    assert (answer.returncode, "gender has 1 of 20 labels (evaluate.min_labels)" in answer.stderr) == (0, True)
    assert "no attribute has 20 labels" in facemon("evaluate", "-q", wrong, cwd=store).stderr
    assert exported(facemon, store).keys() == {LABELS, DURATION}
    assert exported(facemon, store)[LABELS] == "1.0"
    assert facemon("evaluate", write_labels(store, "image,gender", *EACH[:20]), cwd=store).returncode == 0
    success = exported(facemon, store)[SUCCESS]
    wrong = write_labels(store, "image,gender", "000001,female")
    assert facemon("evaluate", wrong, cwd=store).returncode == 0
    metrics = exported(facemon, store)
    assert (metrics[ACCURACY], metrics[LABELS], metrics[SUCCESS]) == ("1.0", "20.0", success)
    listed = json.loads(facemon("metrics", "--format", "json", cwd=store).stdout)
    values = {metric["name"]: metric["value"] for metric in listed["metrics"]}
    assert (values["model_accuracy"], values["model_accuracy_labels"]) == (1.0, 20.0)
    # The exporter and an instrumented application read the same configuration.
    assert (
        exporter_registry(store).get_sample_value("model_accuracy", {"attribute": "gender", "model": "age-gender@1"})
        == 1.0
    )
    assert f"{ACCURACY} 1.0" in asyncio.run(page_of(instrument(nothing, config=store / "facemon.yaml", registry=None)))


def exporter_registry(folder: Path) -> CollectorRegistry:
    """What `serve-metrics` shows."""
    exporter = Exporter(print, print)
    exporter.follow(load_config(folder / "facemon.yaml"), folder / "facemon.yaml")
    exporter.stop()
    registry: CollectorRegistry = exporter.registry
    return registry


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer no request: the application does not matter here."""


async def page_of(app: Application) -> str:
    """The text of an application's /metrics."""
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/metrics", "headers": [], "query_string": b"", "root_path": ""}
    await app(scope, receive, send)
    return b"".join(message.get("body", b"") for message in sent).decode()


IDS = [f"emp{number},{'male' if number % 2 else 'female'}" for number in range(60)]
HASHES = [f"{number:064x},{'male' if number % 2 else 'female'}" for number in range(60)]
NAMES_IN_QUOTES = [f'"{number:06}",{"MALE " if number % 2 else "female"}' for number in range(60)]
WITHOUT_BOTH = "file name without folder and suffix"


@pytest.mark.parametrize(
    ("heading", "rows", "key", "how"),
    [
        ("image,gender", EACH, "image", WITHOUT_BOTH),
        ("image,gender", NAMES_IN_QUOTES, "image", WITHOUT_BOTH),
        (
            "image,gender",
            [f"/mnt/photos/{row.replace(',', '.jpg,')}" for row in EACH],
            "image",
            "file name without folder",
        ),
        ("image_id,gender", IDS, "image_id", "image_id"),
        ("image_sha256,gender", HASHES, "image_sha256", "image_sha256"),
        ("image,gender", HASHES, "image", "image_sha256"),
        ("image,image_id,gender", [f"x,{row}" for row in IDS], "image_id", "image_id"),
    ],
)
def test_keys(facemon: RunFacemon, store: Path, heading: str, rows: list[str], key: str, how: str) -> None:
    labels = write_labels(store, heading, *rows)
    answer = facemon("evaluate", labels, "--format", "json", cwd=store)
    assert answer.returncode == 0, answer.stderr
    document = json.loads(answer.stdout)
    assert (document["attributes"][0]["labelled"], document["attributes"][0]["accuracy"]) == (60, 1.0)
    assert document["key"]["column"] == key
    assert document["matched_by"] == [{"by": how, "count": 60}]
    said = facemon("evaluate", labels, cwd=store).stderr
    assert f"matched by {how}: 60" in said
    is_forgiven = rows is NAMES_IN_QUOTES
    assert ("30 labels of gender were matched ignoring case or spaces: 'MALE '" in said) == is_forgiven
    assert [each["count"] for each in document["forgiven"]] == ([30] if is_forgiven else [])


def test_ages_beyond_the_last_band_count_as_wrong(facemon: RunFacemon, store: Path) -> None:
    labels = write_labels(store, "image,age", *(f"{number:06},{70 + number % 20}" for number in range(60)))
    answer = facemon("evaluate", labels, cwd=store)
    assert answer.returncode == 0
    # From 81 on no band of the built-in model holds an age: 9 of each 20.
    assert "27 of 60 true values of age lie in no band: counted as wrong" in answer.stderr
    assert "55.0 %" in answer.stdout
    assert exported(facemon, store)['model_accuracy{attribute="age",model="age-gender@1"}'] == "0.55"


def test_names_of_both_sides_are_shown_with_the_nearest_mapping(facemon: RunFacemon, store: Path) -> None:
    labels = write_labels(store, "image,filename,gender", *(f"row {row.split(',')[0]},{row}" for row in EACH))
    answer = facemon("evaluate", "-q", labels, "--observed-since", "30d", cwd=store)
    assert answer.returncode == 3
    assert (
        "warning: the labels name row 000000, row 000001, row 000002; "
        "the log names photos/000000.jpg, photos/000001.jpg, photos/000002.jpg\n"
        "warning: the column filename holds what the log calls image: did you mean tables.image: filename?\n"
        "warning: images taken before --observed-since 30d were not searched\n"
    ) in answer.stderr
    (store / "facemon.yaml").write_text("version: 1\nmodel: {bundle: age-gender}\ntables: {image: filename}\n")
    assert facemon("evaluate", labels, cwd=store).returncode == 0


def test_labels_in_another_notation(facemon: RunFacemon, tmp_path: Path, astronaut: Path) -> None:
    """A name that is not UTF-8 must not make all others unknown."""
    face = Image.open(astronaut).convert("RGB").crop((100, 0, 350, 250))
    for name in ("a.png", "Müller.png"):
        face.save(tmp_path / name)
    assert facemon("predict", "-q", "a.png", "Müller.png", cwd=tmp_path).returncode == 0
    (tmp_path / "labels.csv").write_bytes("image;gender;note\na.png;female;1,5\nMüller.png;male;\n".encode("latin-1"))
    answer = facemon("evaluate", "labels.csv", cwd=tmp_path)
    assert answer.returncode == 1
    assert "labels.csv: line 3 is not UTF-8 (byte 36 of the file)" in answer.stderr
    assert "tables.csv.encoding: latin-1" in answer.stderr
    (tmp_path / "facemon.yaml").write_text(
        "version: 1\nmodel: {bundle: age-gender}\ntables:\n  csv: {encoding: latin-1}\n"
    )
    answer = facemon("evaluate", "labels.csv", "--format", "json", cwd=tmp_path)
    assert json.loads(answer.stdout)["attributes"][0]["labelled"] == 2
