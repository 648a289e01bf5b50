"""Frames that repeat are known to repeat, whether or not an hour has more sources than it keeps apart."""

from contextlib import chdir
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from facemon.domain.drift_result import DriftResult, Verdict
from facemon.monitor.monitor import Monitor
from tests.acceptance.tables import CONFIGURATION

END = datetime(2026, 3, 9, tzinfo=UTC)
DAY, EACH = timedelta(days=1), timedelta(hours=4)
DAYS, FRAMES = 8, 10
SETTINGS = "drift: {min_rows: 50, model: {threshold: 0.05}, evidently: {when: never}}\n"
IN_REFERENCE, IN_WINDOW = END - 3 * DAY, END - DAY / 2


def rows_of(cameras: int, crowded: tuple[datetime, ...], most: int) -> pa.Table:
    """Frames of one face for each camera and hour, of `most` cameras in the crowded hours; all of it is quiet."""
    rng = np.random.default_rng(1)
    hours = [END - DAYS * DAY + at * EACH for at in range(DAYS * DAY // EACH)]
    seen = [(hour, camera) for hour in hours for camera in range(most if hour in crowded else cameras)]
    faces = rng.choice(["no", "yes"], len(seen))
    frames = [(at, frame) for at in range(len(seen)) for frame in range(FRAMES)]
    return pa.table(
        {
            "image": [f"{at}-{frame}.jpg" for at, frame in frames],
            "source": [f"camera {seen[at][1]:02}" for at, _ in frames],
            "observed_at": pa.array(
                [seen[at][0] + frame * timedelta(minutes=1) for at, frame in frames], pa.timestamp("us", "UTC")
            ),
            "beard": [faces[at] for at, _ in frames],
        }
    )


def checked(folder: Path, cameras: int, crowded: tuple[datetime, ...] = (), most: int = 0) -> DriftResult:
    """The model check of the last day against the week before it."""
    (folder / "facemon.yaml").write_text(CONFIGURATION + SETTINGS)
    with chdir(folder), Monitor("facemon.yaml") as monitor:
        monitor.log(rows_of(cameras, crowded, most))
        monitor.set_reference_window("7d", END - DAY, name="week")
        return monitor.check_window("1d", END, check="model", by_source=True, record=False)


def assert_nothing_is_known(result: DriftResult) -> None:
    """Six faces of a camera prove no drift, and clear nothing."""
    assert result.verdict is Verdict.UNDECIDED
    assert {each.verdict for each in result.sources if not each.is_silent} == {Verdict.UNDECIDED}
    assert not any("independent" in note for note in result.notes)


@pytest.mark.parametrize("cameras", [60, 64, 65, 80])
def test_quiet_frames_that_repeat_have_the_same_verdict_on_either_side_of_64_cameras(
    tmp_path: Path, cameras: int
) -> None:
    assert_nothing_is_known(checked(tmp_path, cameras))


@pytest.mark.parametrize(
    "crowded", [(IN_REFERENCE,), (IN_WINDOW,), (IN_REFERENCE, IN_WINDOW)], ids=["reference", "window", "both"]
)
@pytest.mark.parametrize("most", [65, 80])
def test_one_crowded_hour_changes_no_verdict(tmp_path: Path, crowded: tuple[datetime, ...], most: int) -> None:
    assert_nothing_is_known(checked(tmp_path, 60, crowded, most))
