"""`facemon evaluate` through the installed command."""

import json
from pathlib import Path

from PIL import Image

from tests.conftest import RunFacemon


def test_labels_become_accuracy_in_the_metrics(facemon: RunFacemon, tmp_path: Path, astronaut: Path) -> None:
    face = Image.open(astronaut).convert("RGB").crop((100, 0, 350, 250))
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
    assert 'model_accuracy{attribute="gender"} 0.66666' in metrics
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
