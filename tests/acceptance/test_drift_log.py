"""`facemon drift-check` on a log of several sources: by source, with labels, of another model, explained."""

import json
from contextlib import chdir
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from facemon.monitor.monitor import Monitor
from tests.acceptance.tables import CONFIGURATION
from tests.conftest import RunFacemon

SPRING, SUMMER = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
ROWS = 4_000
CAMERAS = 8


def log(folder: Path, day: datetime, shares: list[float], seed: int) -> None:
    """A day of predictions by other means, each camera with its own share of beards."""
    rng = np.random.default_rng(seed)
    camera = rng.integers(0, CAMERAS, ROWS)
    has_beard = rng.random(ROWS) < np.array(shares)[camera]
    rows = pa.table(
        {
            "image": [f"{day:%m}-{number}.jpg" for number in range(ROWS)],
            "source": [f"camera {number}" for number in camera],
            "observed_at": pa.array([day + DAY * share for share in rng.random(ROWS)], pa.timestamp("us", "UTC")),
            "beard": np.where(has_beard, "yes", "no"),
            "beard_confidence": pa.array(1 - rng.beta(1, 20, ROWS), pa.float32()),
        }
    )
    with chdir(folder), Monitor("facemon.yaml") as monitor:
        monitor.log(rows)
    wrong = rng.random(ROWS) < (0.05 if day == SPRING else 0.15)
    labels = pa.table({"filename": rows["image"], "beard_binary": (has_beard ^ wrong).astype(int)})
    pyarrow.csv.write_csv(labels, folder / f"{day:%m}.csv")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, facemon: RunFacemon) -> Path:
    folder = tmp_path_factory.mktemp("log")
    (folder / "facemon.yaml").write_text(CONFIGURATION + "drift: {accuracy_window: 1d}\n")
    log(folder, SPRING, [0.3] * CAMERAS, seed=1)
    log(folder, SUMMER, [0.3] * (CAMERAS - 1) + [0.5], seed=2)
    window = ("--since", SPRING.isoformat(), "--until", (SPRING + DAY).isoformat())
    assert facemon("reference", "set", *window, "--name", "spring", cwd=folder).returncode == 0
    return folder


CHECK = ("drift-check", "--check", "model", "--since", SUMMER.isoformat(), "--until", (SUMMER + DAY).isoformat())


def test_one_camera_that_moves_is_found_by_source(facemon: RunFacemon, folder: Path) -> None:
    plain = facemon(*CHECK, cwd=folder)
    assert plain.returncode == 3, plain.stderr
    assert f"source camera {CAMERAS - 1}: drift of beard" in plain.stdout
    answer = facemon(*CHECK, "--by", "source", "--format", "json", cwd=folder)
    assert answer.returncode == 3, answer.stderr
    document = json.loads(answer.stdout)
    verdicts = {each["source"]: each["checks"]["model"]["columns"][0]["verdict"] for each in document["sources"]}
    assert verdicts == {f"camera {number}": "ok" for number in range(CAMERAS - 1)} | {f"camera {CAMERAS - 1}": "drift"}
    text = facemon(*CHECK, "--by", "source", cwd=folder).stdout
    assert f"source camera {CAMERAS - 1}: drift of beard" in text
    assert facemon(*CHECK, "--by", "source", "--fail-on", "attribute=beard", cwd=folder).returncode == 3


def test_a_column_is_explained(facemon: RunFacemon, folder: Path) -> None:
    text = facemon(*CHECK, "--explain", "beard", cwd=folder).stdout
    assert text.startswith("beard (model check): ")
    assert "test: Cochran-Mantel-Haenszel over 8 sources" in text
    answer = facemon(*CHECK, "--explain", "beard_confidence", "--format", "json", cwd=folder)
    document = json.loads(answer.stdout)
    assert (document["schema"], document["column"]) == ("facemon.explanation/1", "beard_confidence")
    for side in ("reference", "current"):
        assert sum(group[side] for group in document["groups"]) == pytest.approx(1)
    wrong = facemon(*CHECK, "--explain", "bread", cwd=folder)
    assert (wrong.returncode, "the nearest are beard" in wrong.stderr) == (2, True)


def test_few_rows_say_how_many_more_would_decide(facemon: RunFacemon, folder: Path) -> None:
    few = ("--until", (SUMMER + DAY / 8).isoformat(), "--source", "camera 1")
    answer = facemon(*CHECK, *few, "--min-rows", "20", "--explain", "beard", "--format", "json", cwd=folder)
    assert answer.returncode == 4, answer.stderr
    document = json.loads(answer.stdout.splitlines()[0])
    assert document["verdict"] == "undecided"
    assert 10 < document["rows_to_decide"] < 10_000
    text = facemon(*CHECK, *few, "--min-rows", "20", "--explain", "beard", cwd=folder).stdout
    assert "more current rows like these would decide" in text


def test_an_undecided_check_says_what_would_decide_it(facemon: RunFacemon, folder: Path) -> None:
    few = facemon(*CHECK, "--until", (SUMMER + DAY / 24).isoformat(), "--source", "camera 1", cwd=folder)
    assert few.returncode == 4, few.stderr
    last = few.stdout.splitlines()[-1]
    assert last.startswith("The model check ")
    assert "decides a threshold of 0.05" in last
    assert "images" in last


def test_another_models_reference_is_refused_unless_it_is_asked_for(facemon: RunFacemon, folder: Path) -> None:
    newer = folder / "newer.yaml"
    newer.write_text((folder / "facemon.yaml").read_text().replace('version: "2026-11"', 'version: "2027-01"'))
    refused = facemon("-c", "newer.yaml", *CHECK, cwd=folder)
    assert refused.returncode == 2
    assert "the reference 'spring' holds predictions of face-attributes@2026-11, not of face-attributes@2027-01" in (
        refused.stderr
    )
    asked = facemon("-c", "newer.yaml", *CHECK, "--model", "face-attributes@2026-11", "--format", "json", cwd=folder)
    assert json.loads(asked.stdout)["model"] == "face-attributes@2026-11"


def test_a_drop_of_accuracy_is_found_once_both_sides_have_labels(facemon: RunFacemon, folder: Path) -> None:
    def accuracy() -> dict[str, object] | None:
        answer = facemon(*CHECK, "--format", "json", cwd=folder)
        columns = json.loads(answer.stdout)["checks"]["model"]["columns"]
        return next((column for column in columns if column["measure"] == "accuracy"), None)

    assert accuracy() is None
    assert facemon("evaluate", "06.csv", cwd=folder).returncode == 0
    assert (accuracy() or {})["verdict"] == "not_compared"
    assert facemon("evaluate", "03.csv", cwd=folder).returncode == 0
    found = accuracy() or {}
    assert (found["verdict"], found["kind"]) == ("drift", "accuracy")
    assert (found["n_reference"], found["n_current"]) == (ROWS, ROWS)
    assert found["score"] == pytest.approx(0.1, abs=0.02)
    assert found["test"] == "Cochran-Mantel-Haenszel over 8 sources"


def test_a_source_without_rows_is_not_told_how_often_frames_repeat(facemon: RunFacemon, folder: Path) -> None:
    with chdir(folder), Monitor("facemon.yaml") as monitor:
        monitor.log([{"image": "door.jpg", "beard": "no"}], source="door", observed_at=SPRING - DAY)
    answer = facemon(*CHECK, "--source", "door", cwd=folder)
    assert answer.returncode == 4, answer.stderr
    assert "0 rows, fewer than min_rows" in answer.stdout
    assert "frames repeat" not in answer.stdout


def test_a_source_that_the_log_never_had_is_wrong_usage(facemon: RunFacemon, folder: Path) -> None:
    answer = facemon(*CHECK, "--source", "nowhere", cwd=folder)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith(
        "error: the log has no rows of the source 'nowhere'\n  hint: it has those of camera "
    )
    near = facemon(*CHECK, "--source", "camera 11", cwd=folder)
    assert near.stderr.endswith("hint: did you mean camera 1?\n")
