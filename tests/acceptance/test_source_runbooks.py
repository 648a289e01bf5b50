"""The commands on the pages of SourceDrift and SourceSilent, typed as they stand there, on a log with such cameras."""

import json
import re
import shlex
from contextlib import chdir
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from facemon.monitor.monitor import Monitor
from tests.acceptance.tables import CONFIGURATION
from tests.conftest import RunFacemon

pytestmark = pytest.mark.slow
DRIFTS, SILENT = 'gate "7" $HOME', "camera-6"
NOW = datetime.now(UTC)


def log(days_ago: float, camera: str, share: float) -> None:
    rng = np.random.default_rng(1)
    times = [NOW - timedelta(days=days_ago, seconds=-number) for number in range(400)]
    rows = pa.table(
        {
            "image": [f"{camera}-{days_ago}-{number}.jpg" for number in range(400)],
            "source": [camera] * 400,
            "observed_at": pa.array(times, pa.timestamp("us", "UTC")),
            "beard": np.where(rng.random(400) < share, "yes", "no"),
            "beard_confidence": pa.array(1 - rng.beta(1, 20, 400), pa.float32()),
        }
    )
    with Monitor("facemon.yaml") as monitor:
        monitor.log(rows)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, facemon: RunFacemon) -> Path:
    """A camera with other faces since half an hour, and one whose last rows are of the day before yesterday."""
    folder = tmp_path_factory.mktemp("cameras")
    (folder / "facemon.yaml").write_text(CONFIGURATION + "\ndrift: {evidently: {when: never}}\n")
    with chdir(folder):
        for camera in (DRIFTS, SILENT):
            log(20, camera, 0.3)
        log(1.5, SILENT, 0.3)
        log(0.02, DRIFTS, 0.9)
    window = ("--since", f"{NOW - timedelta(days=21):%Y-%m-%d}", "--until", f"{NOW - timedelta(days=15):%Y-%m-%d}")
    assert facemon("reference", "set", *window, "--name", "normal", cwd=folder).returncode == 0
    return folder


def commands_of(facemon: RunFacemon, folder: Path, alert: str) -> list[list[str]]:
    page = facemon("explain", alert, cwd=folder).stdout.partition("## What to do")[2].partition("## Change it")[0]
    return [shlex.split(command) for command in re.findall(r"`facemon ([^`]+)`", page)]


def test_the_page_of_a_camera_that_drifts(facemon: RunFacemon, folder: Path) -> None:
    of_all, explained = commands_of(facemon, folder, "SourceDrift")
    answer = facemon(*of_all, cwd=folder)
    assert answer.returncode == 3, answer.stderr
    assert re.search(rf"{re.escape(DRIFTS)}\W.*\bbeard\b", answer.stdout)
    filled = {"NAME": DRIFTS, "COLUMN": "beard"}
    answer = facemon(*(filled.get(word, word) for word in explained), cwd=folder)
    assert answer.returncode == 3, answer.stderr
    assert re.search(r"yes +\d+\.\d% +\d+\.\d%", answer.stdout), "the labels that moved"
    assert_none_was_recorded(facemon, folder)


def test_the_page_of_a_silent_camera(facemon: RunFacemon, folder: Path) -> None:
    of_all, of_one = commands_of(facemon, folder, "SourceSilent")
    answer = facemon(*of_all, cwd=folder)
    seen = f"{NOW - timedelta(days=1.5) + timedelta(seconds=399):%Y-%m-%d %H}:00"
    assert re.search(rf"source {SILENT}: silent \(no rows .*; last rows in the hour from {seen} UTC\)", answer.stdout)
    assert re.search(rf"source {re.escape(DRIFTS)}: .*\(400 rows", answer.stdout)
    for since, rows in (("24h", "0"), ("2d", "400")):
        asked = [{"NAME": SILENT, "2d": since}.get(word, word) for word in of_one]
        assert f"Current: {rows} rows" in facemon(*asked, cwd=folder).stdout
    assert_none_was_recorded(facemon, folder)


def assert_none_was_recorded(facemon: RunFacemon, folder: Path) -> None:
    facts = json.loads(facemon("store", "info", "--json", cwd=folder).stdout)
    assert facts["drift_checks"] == 0
