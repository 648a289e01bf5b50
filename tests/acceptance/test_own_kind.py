"""A kind of attribute in a file of its own and a line of the registry is all that each command needs to know."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet
import pytest
from prometheus_client.parser import text_string_to_metric_families

from facemon.cli.main import run
from facemon.domain.kinds.registry import KINDS
from tests.acceptance.small_model import small_config
from tests.domain.count_kind import Count
from tests.model.onnx_files import flat_image, write_reducing_model

ATTRIBUTE = "name: hands, output: hands, kind: count, values: [0, 1, 2], activation: softmax"
CONFIG = small_config(ATTRIBUTE) + "evaluate: {min_labels: 2}\ndrift: {evidently: {when: never}}\n"
COLOURS = {"none": (255, 0, 0), "one": (0, 255, 0), "two": (0, 0, 255)}
BEFORE, AFTER = "2026-11-01", "2026-11-02"


@pytest.fixture(autouse=True)
def count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, Count.name, Count())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Path:
    """A day of photographs with no hand or one, which is the reference, and a day of photographs with two."""
    monkeypatch.chdir(tmp_path)
    write_reducing_model(tmp_path / "m.onnx", {"hands": [[9, 0, 0], [0, 9, 0], [0, 0, 9]]})
    Path("facemon.yaml").write_text(CONFIG)
    for name, colour in COLOURS.items():
        flat_image(Path(f"{name}.png"), colour)
    for day, names in ((BEFORE, ("none", "one")), (AFTER, ("two", "two"))):
        rows = [
            json.dumps({"image": f"{names[at % 2]}.png", "observed_at": f"{day}T{at // 2 % 20:02}:30:00Z"})
            for at in range(400)
        ]
        Path(f"{day}.jsonl").write_text("\n".join(rows) + "\n")
        command("predict", f"{day}.jsonl", "-o", f"{day}.parquet")
    command("reference", "set", "--since", BEFORE, "--until", AFTER)
    capfd.readouterr()
    return tmp_path


def command(*arguments: str, code: int = 0) -> None:
    assert run([*arguments]) == code


def answer(capfd: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    command(*arguments, code=code)
    return capfd.readouterr().out


def series(text: str) -> Iterator[tuple[str, frozenset[tuple[str, str]]]]:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield sample.name, frozenset(sample.labels.items())


def test_predictions_are_logged_written_and_shown(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rows = pyarrow.parquet.read_table(folder / f"{AFTER}.parquet")
    assert str(rows.schema.field("hands_value").type) == "int32"
    assert set(rows["hands"].to_pylist()) == {"2+"}
    document = json.loads(answer(capfd, "predict", "one.png", "--no-store", "--format", "jsonl"))
    assert document["attributes"]["hands"] == {"label": "1", "confidence": pytest.approx(0.9998, abs=1e-4), "value": 1}
    assert "1 hands (1 100 %)" in answer(capfd, "predict", "one.png", "--no-store", "--format", "table")


def test_a_changed_count_is_drift(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    window = ("--since", AFTER, "--until", "2026-11-03")
    result = json.loads(
        answer(capfd, "drift-check", *window, "--record", "--check", "model", "--format", "json", code=3)
    )
    found = {each["column"]: (each["kind"], each["verdict"]) for each in result["checks"]["model"]["columns"]}
    assert found["hands"] == ("categorical", "drift")
    assert found["hands_value"] == ("number", "drift")
    assert "hands_confidence" in found


def test_counts_are_held_against_true_ones(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "labels.csv").write_text("image,hands\nnone.png,0\none.png,2\ntwo.png,5\n")
    (score,) = json.loads(answer(capfd, "evaluate", "labels.csv", "--format", "json"))["attributes"]
    assert (score["labelled"], score["correct"], score["classes"]) == (3, 2, ["0", "1", "2+"])
    assert score["mean_absolute_error"] == pytest.approx((0 + 1 + 3) / 3)


def test_metrics_have_one_series_for_each_label(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "labels.csv").write_text("image,hands\nnone.png,0\none.png,2\ntwo.png,5\n")
    command("evaluate", "labels.csv")
    command("drift-check", "--since", AFTER, "--until", "2026-11-03", "--record", code=3)
    capfd.readouterr()
    text = answer(capfd, "export-metrics")
    assert 'model_predictions_total{attribute="hands",model="small@1",value="2+"} 400' in text
    assert re.search(r'model_accuracy\{attribute="hands",.*} 0\.66', text)
    assert re.search(r'drift_detected\{attribute="hands",check="model",.*} 1', text)
    found = list(series(text))
    assert sorted(map(str, found)) == sorted(map(str, set(found)))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("kind: cuont, values: [0, 1]", f"is 'cuont', must be one of {', '.join(KINDS)}, count"),
        ("kind: count", "a count attribute needs values"),
        ("kind: count, values: [0, 1], scale: 2", "a count attribute has no use for scale"),
        ("kind: count, values: [1, 0]", "a count's values are whole numbers from 0 on, in ascending order"),
    ],
)
def test_descriptions_are_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], given: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("facemon.yaml").write_text(re.sub(r"kind: count, values: \[0, 1, 2\]", given, CONFIG))
    command("store", "info", code=2)
    told = capfd.readouterr().err
    assert message in told
    assert ("did you mean count?" in told) == ("cuont" in given)


def test_the_output_must_have_a_number_for_each_count(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Path("facemon.yaml").write_text(CONFIG.replace("[0, 1, 2]", "[0, 1, 2, 3]"))
    command("predict", "one.png", code=1)
    assert "hands: 4 counts are described, but 3 numbers a face are read" in capfd.readouterr().err
