"""Days of few images and few cameras: what the nightly check says of them, by the installed command."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from facemon import Monitor
from tests.conftest import RunFacemon

pytestmark = pytest.mark.slow

REFERENCE_DAYS, DAYS = 8, 10
"""The reference's days end where the other days begin, up to now."""


def log_days(folder: Path, a_day: int, *, cameras: int, men: float, seed: int = 1) -> None:
    """Each day a number of images; of the last two days `men` of them are men, of all others 30 %."""
    (folder / "facemon.yaml").write_text("version: 1\nmodel: {bundle: age-gender}\n")
    now, rng = datetime.now(UTC), np.random.default_rng(seed)
    total = REFERENCE_DAYS + DAYS
    with Monitor(folder / "facemon.yaml") as monitor:
        for day in range(total):
            share = men if day >= total - 2 else 0.3
            camera = rng.integers(0, cameras, a_day)
            begin = now - timedelta(days=total - day) + timedelta(minutes=5)
            monitor.log(
                pa.table(
                    {
                        "image": [f"{day}/{number}" for number in range(a_day)],
                        "source": [f"camera-{each}" for each in camera],
                        "observed_at": pa.array(
                            [begin + timedelta(hours=23.8 * at) for at in np.sort(rng.random(a_day))],
                            pa.timestamp("us", "UTC"),
                        ),
                        "gender": np.where(rng.random(a_day) < share, "male", "female"),
                        "gender_confidence": 1 - rng.beta(1, 20, a_day),
                    }
                )
            )


def set_reference(facemon: RunFacemon, folder: Path) -> str:
    now = datetime.now(UTC)
    since, until = (now - timedelta(days=days) for days in (REFERENCE_DAYS + DAYS, DAYS))
    made = facemon(
        "reference", "set", "--since", since.isoformat(), "--until", until.isoformat(), "--name", "first", cwd=folder
    )
    assert made.returncode == 0, made.stderr
    return made.stderr


def checked(facemon: RunFacemon, folder: Path, *options: str) -> tuple[int, dict[str, dict[str, object]], list[str]]:
    """Exit code, the columns of the model check by name, and the notes."""
    answer = facemon("drift-check", "--check", "model", *options, "--format", "json", cwd=folder)
    document = json.loads(answer.stdout)
    return (
        answer.returncode,
        {column["column"]: column for column in document["checks"]["model"]["columns"]},
        document["notes"],
    )


@pytest.mark.parametrize("cameras", [1, 2, 4])
def test_a_few_cameras_decide_and_have_gauges(facemon: RunFacemon, tmp_path: Path, cameras: int) -> None:
    log_days(tmp_path, 2500, cameras=cameras, men=0.44)
    set_reference(facemon, tmp_path)
    code, columns, _ = checked(facemon, tmp_path)
    assert (code, columns["gender"]["verdict"], columns["gender_confidence"]["verdict"]) == (3, "drift", "ok")
    assert columns["gender"]["score"] == pytest.approx(0.14, abs=0.035)
    exported = facemon("export-metrics", "--export", "drift", cwd=tmp_path).stdout
    assert 'drift_detected{attribute="gender",check="model",model="age-gender@1"} 1.0' in exported
    for camera in range(cameras):
        assert f'drift_source_detected{{check="model",model="age-gender@1",source="camera-{camera}"}} 1.0' in exported


def test_quiet_days_of_few_images_are_decided_over_more_of_them(facemon: RunFacemon, tmp_path: Path) -> None:
    log_days(tmp_path, 300, cameras=1, men=0.3)
    told = set_reference(facemon, tmp_path)
    assert "images a day: 30" in told
    assert "model check: decides a threshold of 0.05" in told
    code, columns, notes = checked(facemon, tmp_path)
    assert code == 0, columns
    assert columns["gender"]["window"] in ("4d", "7d", "10d")
    assert int(str(columns["gender"]["n_current"])) > 1000
    assert any(note.startswith("24h hold too few rows to decide, so windows up to ") for note in notes)
    # One window and no other is compared where it is named, or where the configuration says so.
    assert checked(facemon, tmp_path, "--since", "25h")[1]["gender"]["window"] is None
    with (tmp_path / "facemon.yaml").open("a") as file:
        file.write("drift: {widen_to: 24h}\n")
    _, columns, notes = checked(facemon, tmp_path)
    assert columns["gender"]["window"] is None
    assert int(str(columns["gender"]["n_current"])) <= 300
    assert not any("too few rows to decide" in note for note in notes)


def test_what_would_decide_is_part_of_the_result(facemon: RunFacemon, tmp_path: Path) -> None:
    """In every format, and so in the history and on the page."""
    log_days(tmp_path, 150, cameras=1, men=0.3)
    set_reference(facemon, tmp_path)
    with (tmp_path / "facemon.yaml").open("a") as file:
        file.write("drift: {widen_to: 24h}\n")
    code, _, notes = checked(facemon, tmp_path)
    assert code == 4
    (plan,) = [note for note in notes if note.startswith("The model check never decides a threshold of 0.05 at ")]
    assert "drift.widen_to: " in plan
    for format_ in ("text", "markdown"):
        shown = facemon("drift-check", "--check", "model", "--format", format_, cwd=tmp_path).stdout
        assert "The model check never decides a threshold of 0" in shown


def test_a_sudden_change_shows_in_a_short_window(facemon: RunFacemon, tmp_path: Path) -> None:
    log_days(tmp_path, 300, cameras=1, men=0.55)
    set_reference(facemon, tmp_path)
    code, columns, _ = checked(facemon, tmp_path)
    assert (code, columns["gender"]["verdict"]) == (3, "drift")
    assert columns["gender"]["window"] == "2d"
    explained = facemon("drift-check", "--check", "model", "--explain", "gender", cwd=tmp_path)
    assert explained.returncode == 3
    assert "over 2d" in explained.stdout
    # What is drawn is the window that the verdict rests on: 55 % men, not the mean of ten days.
    male = next(line for line in explained.stdout.splitlines() if line.startswith("male"))
    assert float(male.split()[2].rstrip("%")) > 50
