"""A camera that falls silent is named and exported, however many others there are."""

import json
from contextlib import chdir
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from facemon.monitor.monitor import Monitor
from tests.acceptance.tables import CONFIGURATION
from tests.conftest import RunFacemon

DAY = timedelta(days=1)
SETTINGS = "drift: {model: {threshold: 0.3}, evidently: {when: never}, min_rows: 50}\n"


def log(monitor: Monitor, begin: datetime, cameras: list[str], rows: int) -> None:
    """So many rows of each camera, in ten hours."""
    rng = np.random.default_rng(rows)
    count = rows * len(cameras)
    at = [begin + timedelta(hours=each % rows * 10 // rows) for each in range(count)]
    monitor.log(
        pa.table(
            {
                "image": [f"{begin:%d}-{each}.jpg" for each in range(count)],
                "source": np.repeat(cameras, rows),
                "observed_at": pa.array(at, pa.timestamp("us", "UTC")),
                "beard": rng.choice(["no", "yes"], count),
            }
        )
    )


@pytest.mark.parametrize("cameras", [20, 64, 65, 70, 140])
def test_a_silent_camera_is_named_and_exported_among_any_number(
    facemon: RunFacemon, tmp_path: Path, cameras: int
) -> None:
    (tmp_path / "facemon.yaml").write_text(CONFIGURATION + SETTINGS)
    names = [f"camera {number:03}" for number in range(cameras)]
    now = datetime.now(UTC)
    with chdir(tmp_path), Monitor("facemon.yaml") as monitor:
        log(monitor, now - 3 * DAY, names, 120)
        log(monitor, now - DAY / 2, names[:-1], 100)
        monitor.set_reference_window(now - 3 * DAY, now - 2 * DAY, name="all")
    night = facemon("drift-check", "--check", "model", cwd=tmp_path)
    assert f"source {names[-1]}: silent (no rows in the window, 120 in the reference" in night.stdout
    look = facemon("drift-check", "--check", "model", "--by", "source", "--format", "json", cwd=tmp_path)
    document = json.loads(look.stdout)
    rows = {each["source"]: each["current_rows"] for each in document["sources"]}
    assert rows == {**dict.fromkeys(list(rows)[:-1], 100), names[-1]: 0}
    assert len(rows) == min(64, cameras - 1) + 1
    assert any(", 1 silent;" in note for note in document["notes"])
    assert (night.returncode, look.returncode) == (0, 0)
    exported = facemon("export-metrics", cwd=tmp_path).stdout.splitlines()
    silent = [line for line in exported if line.startswith("drift_source_rows") and line.endswith(" 0.0")]
    assert len(silent) == 1
    assert f'source="{names[-1]}"' in silent[0]


def test_a_name_that_no_camera_has_is_refused_among_many(facemon: RunFacemon, tmp_path: Path) -> None:
    (tmp_path / "facemon.yaml").write_text(CONFIGURATION + SETTINGS)
    now, names = datetime.now(UTC), [f"camera {number:03}" for number in range(70)]
    with chdir(tmp_path), Monitor("facemon.yaml") as monitor:
        log(monitor, now - 3 * DAY, names, 20)
        log(monitor, now - DAY / 2, names, 20)
        monitor.set_reference_window(now - 3 * DAY, now - 2 * DAY, name="all")
    check = ("drift-check", "--check", "model", "--no-record", "--source")
    refused = facemon(*check, "nosuch", cwd=tmp_path)
    assert refused.returncode == 2
    assert "error: the log has no rows of the source 'nosuch'\n  hint: it has those of camera 000, " in refused.stderr
    assert facemon(*check, "camera 069", cwd=tmp_path).returncode == 4
