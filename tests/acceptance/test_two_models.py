"""Two models that share a store: what belongs to one is never overwritten by the other's."""

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

import facemon as library
from tests.acceptance.series import Series, samples_of, series_of
from tests.conftest import RunFacemon
from tests.recent_hours import HOUR, hours_of_one_date

IMAGES = 1200
A, B = "a@1", "b@1"
CONFIGURATION = """\
version: 1
model:
  name: {name}
  version: "1"
  networks:
    - path: net.onnx
      input: {{name: i, size: [8, 8]}}
      attributes: [{{name: beard, output: o, kind: binary, labels: ["no", "yes"], activation: sigmoid}}]
store: {{path: .facemon}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, facemon: RunFacemon) -> Path:
    """A store in which the beards of a have gone from 30 to 80 %, and those of b are what they were."""
    folder = tmp_path_factory.mktemp("two")
    random = np.random.default_rng(0)
    first = hours_of_one_date(ago=timedelta(hours=42))
    begin, end = first - 6 * HOUR, first + 18 * HOUR
    for name, shares in (("a", (0.3, 0.8)), ("b", (0.5, 0.5))):
        (folder / f"{name}.yaml").write_text(CONFIGURATION.format(name=name), encoding="utf-8")
        monitor = library.Monitor(folder / f"{name}.yaml")
        for day, share in enumerate(shares):
            monitor.log(
                [
                    {"image": f"{day}/{number}", "beard": "yes" if random.random() < share else "no",
                     "beard_confidence": float(random.uniform(0.5, 1)),
                     "observed_at": first + timedelta(days=day, seconds=number)}
                    for number in range(IMAGES)
                ]
            )  # fmt: skip
        set_ = ("reference", "set", "--since", begin.isoformat(), "--until", end.isoformat(), "--name", name)
        assert facemon("-c", f"{name}.yaml", *set_, cwd=folder).returncode == 0
    return folder


def check(facemon: RunFacemon, folder: Path, name: str) -> int:
    return facemon("-q", "-c", f"{name}.yaml", "drift-check", "--check", "model", cwd=folder).returncode


def exported(facemon: RunFacemon, folder: Path, name: str) -> dict[Series, float]:
    return samples_of(facemon("-c", f"{name}.yaml", "export-metrics", cwd=folder).stdout)


def of(metric: str, model: str, **labels: str) -> Series:
    return series_of(metric, [*labels.items(), ("model", model)])


def test_a_quiet_check_of_one_leaves_the_gauges_of_the_other(facemon: RunFacemon, folder: Path) -> None:
    assert check(facemon, folder, "a") == 3
    alone = exported(facemon, folder, "a")
    assert alone[of("drift_score", A, attribute="beard", check="model")] > 0.4
    assert check(facemon, folder, "b") == 0
    for name in ("a", "b"):
        found = exported(facemon, folder, name)
        beards = {"attribute": "beard", "check": "model"}
        of_a = {series for series in alone if series[0].startswith("drift_") and ("model", A) in series[1]}
        assert of_a
        assert {series: found[series] for series in of_a} == {series: alone[series] for series in of_a}
        assert found[of("drift_score", B, **beards)] < 0.05
        assert (found[of("drift_detected", A, **beards)], found[of("drift_detected", B, **beards)]) == (1, 0)
        ran = [found[of("drift_check_timestamp_seconds", model, check="model")] for model in (A, B)]
        assert 0 < ran[0] < ran[1]


@pytest.mark.parametrize("name", ["a", "b"])
def test_predictions_and_confidences_are_of_their_model(facemon: RunFacemon, folder: Path, name: str) -> None:
    found = exported(facemon, folder, name)
    for model in (A, B):
        counts = [
            found[of("model_predictions_total", model, attribute="beard", value=value)] for value in ("no", "yes")
        ]
        assert sum(counts) == 2 * IMAGES
        assert found[of("model_confidence_score_count", model, attribute="beard")] == 2 * IMAGES
    every = [value for (metric, _), value in found.items() if metric == "images_processed_total"]
    assert sum(every) == 4 * IMAGES
    verified = facemon("-c", f"{name}.yaml", "store", "verify", cwd=folder)
    assert (verified.returncode, verified.stderr) == (0, "")


def test_the_accuracy_of_both_is_there(facemon: RunFacemon, folder: Path) -> None:
    (folder / "labels.csv").write_text("image,beard\n" + "".join(f"0/{number},yes\n" for number in range(200)))
    for name in ("a", "b"):
        assert facemon("-c", f"{name}.yaml", "evaluate", "labels.csv", cwd=folder).returncode == 0
    found = exported(facemon, folder, "a")
    of_a, of_b = (found[of("model_accuracy", model, attribute="beard")] for model in (A, B))
    assert of_a == pytest.approx(0.3, abs=0.12)
    assert of_b == pytest.approx(0.5, abs=0.12)


def test_an_evaluation_of_the_other_model_is_no_success(facemon: RunFacemon, folder: Path) -> None:
    """AccuracyStale watches the configured model: it must fire although another one is evaluated."""
    success = "facemon_last_success_timestamp_seconds", frozenset({("command", "evaluate")})
    (folder / "labels.csv").write_text("image,beard\n" + "".join(f"0/{number},yes\n" for number in range(200)))
    evaluate = ("-c", "a.yaml", "evaluate", "labels.csv", "--model")
    assert facemon(*evaluate, A, cwd=folder).returncode == 0
    before = exported(facemon, folder, "a")[success]
    answer = facemon(*evaluate, B, cwd=folder)
    assert answer.returncode == 0, answer.stderr
    assert f"evaluate's last success stays as it was: it is that of {A}\n" in answer.stderr
    assert exported(facemon, folder, "a")[success] == before
    assert facemon(*evaluate, A, cwd=folder).returncode == 0
    assert exported(facemon, folder, "a")[success] > before


def test_the_command_shows_each_model(facemon: RunFacemon, folder: Path) -> None:
    check(facemon, folder, "a")
    check(facemon, folder, "b")
    shown = json.loads(facemon("-c", "a.yaml", "metrics", "drift_detected", "--format", "json", cwd=folder).stdout)
    (metric,) = shown["metrics"]
    assert metric["labels"] == ["attribute", "check", "model"]
    assert {series["labels"]["model"]: series["value"] for series in metric["series"]} == {A: 1, B: 0}
    explained = facemon("-c", "a.yaml", "explain", "drift_check_timestamp_seconds", cwd=folder).stdout
    assert "check, model" in explained
    assert "DriftCheckStale" in explained
