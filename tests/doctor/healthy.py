"""A folder in which nothing is wrong: a small model, two days of rows, a reference and a check of record."""

import json
from contextlib import chdir
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from facemon import Monitor
from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon
from tests.recent_hours import HOUR, hours_of_one_date

MODEL = "small@1"
REFERENCE_AGO, NEWEST_AGO = timedelta(hours=40), timedelta(hours=2)
ROWS = 6_000
BATCHES = "stack: {for: textfile}\n"
"""What runs where: no server of facemon's own, so that none is missing."""


def make_healthy(facemon: RunFacemon, folder: Path, rest: str = BATCHES) -> Path:
    """Make it; `rest` is added to the configuration of the model."""
    folder.mkdir(exist_ok=True)
    write_small_model(folder, rest)
    log_rows(folder, ago=REFERENCE_AGO, seed=1)
    log_rows(folder, ago=NEWEST_AGO, seed=2)
    begin = hours_of_one_date(ago=REFERENCE_AGO)
    window = ("--since", (begin - HOUR).isoformat(), "--until", (begin + 2 * HOUR).isoformat())
    _succeed(facemon, folder, "reference", "set", *window, "--name", "quiet")
    _succeed(facemon, folder, "drift-check")
    return folder


def log_rows(folder: Path, *, ago: timedelta, seed: int, rows: int = ROWS, share: float = 0.5) -> None:
    """Log rows that were observed within an hour; `share` of them have the label a."""
    random, begin = np.random.default_rng(seed), hours_of_one_date(ago=ago)
    times = [begin + timedelta(seconds=index % 3_600) for index in range(rows)]
    # In equal shares, so that no quiet day drifts by chance.
    labels = np.where(np.arange(rows) < rows * share, "a", "b")
    columns = {
        "image": [f"{seed}-{index}.jpg" for index in range(rows)],
        "observed_at": pa.array(times, pa.timestamp("us", "UTC")),
        "hair": random.permutation(labels),
        "hair_confidence": pa.array(random.permutation(np.linspace(0.6, 0.99, rows)), pa.float32()),
        "image_brightness": random.permutation(np.linspace(0.3, 0.7, rows)),
    }
    with chdir(folder), Monitor("facemon.yaml") as monitor:
        monitor.log(pa.table(columns))


def diagnosis(facemon: RunFacemon, folder: Path, *options: str | Path) -> dict[str, Any]:
    """What `facemon doctor` says as JSON; its exit code must fit its findings."""
    outcome = facemon("doctor", "--format", "json", *options, cwd=folder)
    assert outcome.stdout, outcome.stderr
    found: dict[str, Any] = json.loads(outcome.stdout)
    assert outcome.returncode == (3 if found["findings"] else 0), outcome.stderr
    return found


def _succeed(facemon: RunFacemon, folder: Path, *arguments: str) -> None:
    outcome = facemon("-q", *arguments, cwd=folder)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
