"""`drift-check --explain` ends as the check that it is about: drift of one source counts there too."""

import json
import shutil
from contextlib import chdir
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from facemon import Monitor
from tests.acceptance.tables import CONFIGURATION
from tests.conftest import RunFacemon
from tests.recent_hours import HOUR, hours_of_one_date

ROWS = 3_000
NORMAL_AT = timedelta(days=5)


def log(folder: Path, *, ago: timedelta, hall: float, door: float, seed: int) -> None:
    """Half an hour of rows of two sources, with the share of beards of each."""
    random, begin = np.random.default_rng(seed), hours_of_one_date(ago=ago)
    bearded = random.random(ROWS) < np.resize([hall, door], ROWS)
    table = pa.table(
        {
            "image": [f"{seed}-{index}.jpg" for index in range(ROWS)],
            "source": [("hall", "door")[index % 2] for index in range(ROWS)],
            "observed_at": pa.array(
                [begin + timedelta(seconds=index % 1_800) for index in range(ROWS)], pa.timestamp("us", "UTC")
            ),
            "beard": np.where(bearded, "yes", "no"),
            "image_brightness": random.normal(0.5, 0.1, ROWS).clip(0, 1),
        }
    )
    with chdir(folder), Monitor("facemon.yaml") as monitor:
        monitor.log(table)


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory, facemon: RunFacemon) -> Path:
    """A store whose two sources drifted in opposite directions, so that the whole did not."""
    folder = tmp_path_factory.mktemp("apart")
    (folder / "facemon.yaml").write_text(CONFIGURATION + "drift: {cluster: none, evidently: {when: never}}\n")
    log(folder, ago=NORMAL_AT, hall=0.4, door=0.4, seed=1)
    log(folder, ago=timedelta(hours=2), hall=0.7, door=0.1, seed=2)
    begin = hours_of_one_date(ago=NORMAL_AT)
    window = ("--since", (begin - HOUR).isoformat(), "--until", (begin + 2 * HOUR).isoformat())
    made = facemon("-q", "reference", "set", *window, cwd=folder)
    assert made.returncode == 0, made.stderr
    return folder


@pytest.mark.parametrize("checks", [("all",), ("model", "data"), ("data", "model")])
def test_explain_ends_as_the_check_did(
    facemon: RunFacemon, apart: Path, tmp_path: Path, checks: tuple[str, ...]
) -> None:
    folder = shutil.copytree(apart, tmp_path / "copy")
    answers = {check: facemon("drift-check", "--check", check, "--format", "json", cwd=folder) for check in checks}
    found = json.loads(answers[checks[0] if len(checks) == 1 else "model"].stdout)
    assert found["recorded"], found
    assert (found["verdict"], found["checks"]["model"]["verdict"]) == ("drift", "ok")
    ends = {check: answer.returncode for check, answer in answers.items()}
    assert ends == {check: 3 if check in ("all", "model") else 0 for check in checks}
    explain = ("drift-check", "--explain", "beard")
    assert facemon(*explain, cwd=folder).returncode == 3
    assert facemon(*explain, "--fail-on", "attribute=beard", cwd=folder).returncode == 3
    assert facemon(*explain, "--fail-on", "never", cwd=folder).returncode == 0
    if "data" in checks:
        assert facemon("drift-check", "--explain", "image_brightness", "--check", "data", cwd=folder).returncode == 0
