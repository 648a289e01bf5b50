"""Rows with attributes that the configuration no longer describes: of an earlier model, or of the same one before."""

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from facemon import Monitor
from tests.conftest import RunFacemon

ATTRIBUTES = {
    "gender": "{name: gender, output: o, kind: categorical, labels: [female, male], activation: softmax}",
    "smile": '{name: smile, output: o, kind: binary, labels: ["no", "yes"], activation: sigmoid}',
    "age": "{name: age, output: o, kind: ordinal, values: [10, 40], bands: {young: [0, 30], old: [30, 99]}}",
    "yaw": "{name: yaw, output: o, kind: number}",
    "pitch": "{name: pitch, output: o, kind: number, bands: {down: [-90, 0], up: [0, 90]}}",
    "hat": '{name: hat, output: o, kind: binary, labels: ["no", "yes"], activation: sigmoid}',
}
EARLIER = ("gender", "smile", "age", "yaw", "pitch")
COLUMNS = (
    "gender", "gender_confidence", "smile", "smile_confidence", "age", "age_confidence", "age_value", "yaw_value",
    "pitch", "pitch_value",
)  # fmt: skip
GONE = COLUMNS[2:]
NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


def configuration(version: str, *names: str) -> str:
    attributes = ", ".join(ATTRIBUTES[name] for name in names)
    return (
        f'version: 1\nmodel:\n  name: m\n  version: "{version}"\n  networks:\n    - path: net.onnx\n'
        f"      input: {{name: i, size: [8, 8]}}\n      attributes: [{attributes}]\n"
        "drift: {min_rows: 20, evidently: {when: never}}\nevaluate: {min_labels: 5}\nstore: {path: .facemon}\n"
    )


def rows(ago: timedelta) -> list[dict[str, object]]:
    return [
        {
            "image": f"{ago}-{number}.jpg", "observed_at": NOW - ago, "gender": ("female", "male")[number % 2],
            "gender_confidence": 0.9, "smile": ("no", "yes")[number % 2], "smile_confidence": 0.5 + number / 200,
            "age": "old", "age_confidence": 0.8, "age_value": 40.0, "yaw_value": float(number),
            "pitch": "up", "pitch_value": float(number),
        }
        for number in range(60)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with rows of m@1; new.yaml is m@2 with other attributes, changed.yaml is m@1 with other ones."""
    folder = tmp_path_factory.mktemp("earlier")
    for name, text in (
        ("old", configuration("1", *EARLIER)),
        ("new", configuration("2", "gender", "hat")),
        ("changed", configuration("1", "gender", "hat").replace("[female, male]", "[f, m]")),
    ):
        (folder / f"{name}.yaml").write_text(text)
    monitor = Monitor(folder / "old.yaml")
    monitor.log(rows(36 * HOUR))
    monitor.set_reference_window(NOW - 40 * HOUR, NOW - 30 * HOUR, name="normal")
    monitor.log(rows(HOUR))
    new = {"image": "new.jpg", "gender": "male", "gender_confidence": 0.9, "hat": "yes", "hat_confidence": 0.9}
    Monitor(folder / "new.yaml").log([new])
    labels = "\n".join(f"{row['image']},{row['gender']},{row['smile']},{row['age']}" for row in rows(HOUR))
    (folder / "labels.csv").write_text(f"image,gender,smile,age\n{labels}\n")
    return folder


OLD, CHANGED = ("-c", "new.yaml"), ("-c", "changed.yaml")
MODELS = [pytest.param(OLD, id="another version"), pytest.param(CHANGED, id="the same version")]


@pytest.mark.parametrize("config", MODELS)
@pytest.mark.parametrize("options", [(), ("-n", "all"), ("-n", "3")])
def test_no_column_of_a_row_is_left_out(
    facemon: RunFacemon, folder: Path, tmp_path: Path, config: tuple[str, ...], options: tuple[str, ...]
) -> None:
    log = (*config, "log", "--model", "m@1", *options)
    ran = facemon(*log, "-o", str(tmp_path / "rows.csv"), cwd=folder)
    assert ran.returncode == 0, ran.stderr
    first = next(csv.DictReader((tmp_path / "rows.csv").open()))
    assert {name: first[name] for name in ("smile", "age", "pitch")} == {"smile": "yes", "age": "old", "pitch": "up"}
    assert all(first[name] for name in COLUMNS)
    lines = facemon(*log, "--format", "jsonl", cwd=folder).stdout.splitlines()
    attributes = json.loads(lines[0])["attributes"]
    assert attributes["age"] == {"label": "old", "confidence": 0.8, "value": 40.0}
    assert attributes["yaw"] == {"value": 59.0}
    table = facemon(*log, "--format", "table", cwd=folder).stdout.splitlines()
    assert all(name in table[0] for name in EARLIER)


@pytest.mark.parametrize("config", MODELS)
@pytest.mark.parametrize(
    ("options", "count"),
    [
        (("--where", "smile=yes"), 60),
        (("--where", "gender=female"), 60),
        (("--where", "gender!=male", "--where", "smile=no"), 60),
        (("--where", "age=old", "--where", "age=40"), 120),
        (("--where", "yaw<10"), 20),
        (("--where", "pitch=up"), 120),
        (("--where", "smile_confidence<0.55"), 20),
        (("--confidence-below", "0.55"), 20),
    ],
)
def test_conditions_find_rows_by_earlier_attributes_and_labels(
    facemon: RunFacemon, folder: Path, config: tuple[str, ...], options: tuple[str, ...], count: int
) -> None:
    ran = facemon(*config, "log", "--model", "m@1", "-n", "all", *options, cwd=folder)
    assert (ran.returncode, len(ran.stdout.splitlines())) == (0, count), ran.stderr


def test_what_neither_the_configuration_nor_the_log_has_is_refused(facemon: RunFacemon, folder: Path) -> None:
    for condition, said in (
        ("gender=fmale", "there is no fmale"),
        ("smile=maybe", "there are no, yes"),
        ("smiles=yes", "the log has no column smiles"),
    ):
        ran = facemon(*CHANGED, "log", "--where", condition, cwd=folder)
        assert ran.returncode == 2
        assert said in ran.stderr
    ran = facemon(*OLD, "log", "--model", "m@1", "--where", "hat=yes", cwd=folder)
    assert ran.returncode == 2
    assert "the log has no column hat" in ran.stderr


def test_python_gets_the_same_columns(folder: Path) -> None:
    assert {*GONE} <= {*Monitor(folder / "new.yaml").rows(model="m@1").column_names}
    assert "smile" not in Monitor(folder / "new.yaml").rows().column_names


def test_a_drift_check_compares_the_attributes_that_the_model_had(facemon: RunFacemon, folder: Path) -> None:
    check = ("drift-check", "--model", "m@1", "--check", "model", "--no-record", "--format", "json")
    ours, theirs = (
        json.loads(facemon("-c", f"{name}.yaml", *check, cwd=folder).stdout)["checks"]["model"]["columns"]
        for name in ("new", "old")
    )
    named = [[(each["column"], each["verdict"], each["score"]) for each in columns] for columns in (ours, theirs)]
    compared = [{column[0]: column for column in columns if column[1] != "not_compared"} for columns in named]
    assert compared[0] == compared[1]
    assert {"gender", "smile", "age", "yaw_value", "pitch"} <= compared[0].keys()
    ran = facemon(*OLD, *check, "--fail-on", "attribute=smile", cwd=folder)
    assert ran.returncode in (0, 3, 4), ran.stderr


@pytest.mark.parametrize("command", [("evaluate",), ("log", "--worst", "2", "--labels")])
def test_labels_that_cannot_be_compared_are_named(facemon: RunFacemon, folder: Path, command: tuple[str, ...]) -> None:
    ran = facemon("-q", *OLD, *command, "labels.csv", "--model", "m@1", cwd=folder)
    said = "warning: labels of smile, age were not compared: m@1 predicted smile, age, which the configuration does not"
    assert said in ran.stderr
    again = facemon("-q", "-c", "old.yaml", *command, "labels.csv", cwd=folder)
    assert "were not compared" not in again.stderr
