"""`facemon drift-check` on a log of more sources than an hour's profiles keep apart."""

import json
from contextlib import chdir
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from facemon.drift.window_ladder import MOST_SOURCES
from facemon.monitor.monitor import Monitor
from tests.acceptance.tables import CONFIGURATION
from tests.conftest import RunFacemon

SPRING, SUMMER = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
SPAN = timedelta(hours=3)
ROWS = 20_000
CAMERAS = 200
MOVED = "camera 150"


def log(folder: Path, day: datetime, share: float, seed: int) -> None:
    """Three hours of predictions; cameras differ, and one has `share` of beards."""
    rng = np.random.default_rng(seed)
    camera = rng.permutation(np.arange(ROWS) % CAMERAS)
    shares = np.random.default_rng(0).uniform(0.1, 0.5, CAMERAS)
    shares[150] = share
    rows = pa.table(
        {
            "image": [f"{day:%m}-{number}.jpg" for number in range(ROWS)],
            "source": [f"camera {number}" for number in camera],
            "observed_at": pa.array([day + SPAN * at for at in rng.random(ROWS)], pa.timestamp("us", "UTC")),
            "beard": np.where(rng.random(ROWS) < shares[camera], "yes", "no"),
            "beard_confidence": pa.array(1 - rng.beta(1, 20, ROWS), pa.float32()),
        }
    )
    with chdir(folder), Monitor("facemon.yaml") as monitor:
        monitor.log(rows)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, facemon: RunFacemon) -> Path:
    folder = tmp_path_factory.mktemp("crowd")
    (folder / "facemon.yaml").write_text(CONFIGURATION)
    log(folder, SPRING, 0.1, seed=1)
    log(folder, SUMMER, 0.9, seed=2)
    window = ("--since", SPRING.isoformat(), "--until", (SPRING + SPAN).isoformat())
    assert facemon("reference", "set", *window, "--name", "spring", cwd=folder).returncode == 0
    return folder


CHECK = ("drift-check", "--check", "model", "--since", SUMMER.isoformat(), "--until", (SUMMER + SPAN).isoformat())
JSON = ("--format", "json", "--min-rows", "50")


def test_each_camera_is_a_cluster_in_both_windows(facemon: RunFacemon, folder: Path) -> None:
    answer = facemon(*CHECK, *JSON, cwd=folder)
    beard, confidence = json.loads(answer.stdout)["checks"]["model"]["columns"][:2]
    assert (beard["column"], beard["verdict"]) == ("beard", "ok")
    assert beard["test"].startswith("Cochran-Mantel-Haenszel over 200 sources")
    assert confidence["test"].startswith("stratified Kolmogorov-Smirnov over 200 sources")
    assert confidence["n_current"] == ROWS


@pytest.mark.parametrize(("source", "verdict"), [(MOVED, "drift"), ("camera 151", "undecided")])
def test_a_camera_without_a_place_has_its_own_rows(
    facemon: RunFacemon, folder: Path, source: str, verdict: str
) -> None:
    answer = facemon(*CHECK, *JSON, "--source", source, cwd=folder)
    document = json.loads(answer.stdout)
    beard = document["checks"]["model"]["columns"][0]
    assert (beard["n_reference"], beard["n_current"]) == (ROWS // CAMERAS, ROWS // CAMERAS)
    assert (document["source"], beard["verdict"]) == (source, verdict)


def test_the_lump_of_the_others_is_no_source(facemon: RunFacemon, folder: Path) -> None:
    answer = facemon(*CHECK, *JSON, "--by", "source", cwd=folder)
    document = json.loads(answer.stdout)
    sources = {each["source"]: each["verdict"] for each in document["sources"]}
    assert set(sources) < {f"camera {number}" for number in range(CAMERAS)}
    assert len(sources) == MOST_SOURCES
    note = f"Only the {MOST_SOURCES} sources with the most rows of {CAMERAS} were judged"
    assert any(text.startswith(note) for text in document["notes"])
    assert [source for source, verdict in sources.items() if verdict == "drift"] == [MOVED]
