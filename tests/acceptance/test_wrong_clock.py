"""A clock that is wrong, by Debian's libfaketime: said, stamped nowhere, and no reason to remove a row."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from facemon.domain.times import format_time, from_micros, micros
from facemon.store.future_stamps import future_stamps
from facemon.store.layout import CLOCK
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.protocol import Ledger
from facemon.store.references import list_references
from facemon.store.segment_files import read_segment
from facemon.store.store_clock import read_clock
from tests.acceptance.served import served
from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon
from tests.model.onnx_files import flat_image
from tests.store.sql import sql

pytestmark = pytest.mark.slow

Faketime = Callable[[str], dict[str, str]]
DAY = timedelta(days=1)
AHEAD, BEHIND = "2040-01-01 00:00:00", "1970-01-02 00:00:00"
REFERENCE = ("reference", "set", "--since", "10d")
WRITERS = (
    ("predict", "a.png"),
    (*REFERENCE, "--name", "second"),
    ("drift-check", "--check", "model", "--exit-zero"),
    ("evaluate", "labels.csv"),
    ("export-metrics",),
    ("store", "compact"),
)
"""Every command that stamps something, of which none fails."""


@pytest.fixture(scope="module")
def logged(facemon: RunFacemon, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with rows of some days and a reference, by a clock that was right."""
    folder = tmp_path_factory.mktemp("logged")
    write_small_model(folder, "drift: {min_rows: 1}\nevaluate: {min_labels: 1}\n")
    flat_image(folder / "a.png", (255, 0, 0))
    flat_image(folder / "b.png", (0, 255, 0))
    today = datetime.now(UTC)
    rows = [f"{'ab'[hour % 2]}.png,{(today - timedelta(hours=hour)).isoformat()}" for hour in range(1, 100)]
    (folder / "days.csv").write_text("\n".join(["image,observed_at", *rows]))
    (folder / "labels.csv").write_text("image,hair\na.png,a\nb.png,b\n")
    for arguments in (("predict", "days.csv"), (*REFERENCE, "--name", "first")):
        assert facemon("-q", *arguments, cwd=folder).returncode == 0
    return folder


@pytest.fixture
def folder(logged: Path, tmp_path: Path) -> Path:
    """A copy of `logged` for one test."""
    return shutil.copytree(logged, tmp_path / "copy")


@pytest.fixture
def ledger(folder: Path) -> Iterator[Ledger]:
    """The store's ledger, open in this process, whose clock is right."""
    with open_ledger(folder / ".facemon") as ledger:
        yield ledger


def rows_of(ledger: Ledger) -> int:
    found: int = sql(ledger).execute("SELECT coalesce(sum(rows), 0) FROM segments").fetchone()[0]
    return found


def predicted_times(ledger: Ledger) -> list[datetime]:
    tables = [read_segment(ledger, each, ("predicted_at", "observed_at")) for each in ledger.segments.within()]
    return [time for table in tables for column in table.columns for time in column.to_pylist()]


@pytest.mark.parametrize(("at", "direction"), [(AHEAD, "ahead of"), (BEHIND, "behind")])
def test_what_is_written_by_a_wrong_clock_bears_the_right_time_and_the_clock_is_said(
    folder: Path, ledger: Ledger, facemon_anew: RunFacemon, faketime: Faketime, at: str, direction: str
) -> None:
    began = datetime.now(UTC)
    (folder / ".facemon" / "reports").mkdir(exist_ok=True)
    page = folder / ".facemon" / "reports" / "drift-20200101T000000Z.html"
    page.touch()
    for arguments in WRITERS if at == AHEAD else WRITERS[:1]:
        answer = facemon_anew("-q", *arguments, cwd=folder, env=faketime(at))
        assert answer.returncode == 0, answer.stderr
        warning, *_ = answer.stderr.splitlines()
        assert warning.startswith(f"warning: the clock says {at[:10]} ")
        assert f" {direction} {began:%Y-%m-%d}" in warning
        assert "facemon store clock --accept" in warning
    assert future_stamps(ledger, began) == []
    oldest = sql(ledger).execute("SELECT min(finished) FROM command_runs").fetchone()[0]
    assert from_micros(oldest) > began - DAY
    assert min(predicted_times(ledger)) > began - timedelta(days=6)
    assert max(predicted_times(ledger)) < datetime.now(UTC) + DAY
    assert [each.name for each in list_references(ledger)][-1] == "first"
    assert page.exists()
    assert not any("2040" in path.name for path in (folder / ".facemon" / "reports").iterdir())


def test_prune_removes_nothing_by_a_wrong_clock_unless_it_must(
    folder: Path, ledger: Ledger, facemon_anew: RunFacemon, faketime: Faketime
) -> None:
    before = rows_of(ledger)
    refused = facemon_anew("store", "prune", cwd=folder, env=faketime(AHEAD))
    assert (refused.returncode, rows_of(ledger)) == (1, before)
    said, hint = refused.stderr.splitlines()
    assert said.startswith("error: nothing is removed: the clock says 2040-01-01 00:00 UTC, ")
    assert "--despite-clock" in hint
    forced = facemon_anew("store", "prune", "--despite-clock", cwd=folder, env=faketime(AHEAD))
    assert (forced.returncode, rows_of(ledger)) == (0, 0)
    assert forced.stderr.startswith("warning: the clock says ")


def test_stamps_that_an_older_facemon_left_in_the_future_are_found_and_taken_back(
    folder: Path, ledger: Ledger, facemon: RunFacemon
) -> None:
    assert facemon("drift-check", "--check", "model", "--exit-zero", "-q", cwd=folder).returncode == 0
    assert facemon("evaluate", "labels.csv", "-q", cwd=folder).returncode == 0
    assert facemon("store", "clock", cwd=folder).stdout.startswith("ok: ")
    wrong = micros(datetime(2040, 1, 1, tzinfo=UTC))
    stamps = {
        "baselines": ("created",), "drift_checks": ("at", "decided"), "evaluations": ("at",),
        "command_runs": ("finished", "last_success"), "runs": ("started", "finished"),
    }  # fmt: skip
    with ledger.writing():
        for table, columns in stamps.items():
            sql(ledger).execute(f"UPDATE {table} SET {', '.join(f'{name} = {wrong}' for name in columns)}")  # noqa: S608
        places = [(table, name) for table in stamps for name in stamps[table]]
        counts = [sql(ledger).execute(f"SELECT count({name}) FROM {table}") for table, name in places]  # noqa: S608
        wrong_stamps = sum(count.fetchone()[0] for count in counts)
    (folder / ".facemon" / CLOCK).unlink()
    warned = facemon("export-metrics", "-q", cwd=folder)
    assert warned.returncode == 0
    assert "days behind 2040-01-01 00:00 UTC, the time of " in warned.stderr
    assert facemon("store", "prune", "-q", cwd=folder).returncode == 1
    found = facemon("store", "clock", cwd=folder)
    assert found.returncode == 3
    assert "reference first: 2040-01-01 00:00 UTC is in the future" in found.stdout.splitlines()
    assert "facemon store clock --accept" in found.stderr
    accepted = facemon("store", "clock", "--accept", cwd=folder)
    assert accepted.returncode == 0
    # The export renewed both of its stamps, which had none before; the refused prune has one, and no success.
    assert f"set {wrong_stamps} stamps from the future to now" in accepted.stderr
    assert future_stamps(ledger, datetime.now(UTC)) == []
    assert facemon("store", "clock", cwd=folder).returncode == 0
    pruned = facemon("store", "prune", cwd=folder)
    assert (pruned.returncode, pruned.stderr.startswith("removed 0 rows")) == (0, True)


def test_a_look_and_reading_change_nothing_and_keep_no_time(folder: Path, facemon: RunFacemon) -> None:
    (folder / ".facemon" / CLOCK).unlink()
    for arguments in (
        ("store", "info"), ("store", "clock"), ("reference", "list"), ("drift-check", "--no-record", "--exit-zero"),
    ):  # fmt: skip
        assert facemon(*arguments, cwd=folder).returncode == 0
        assert not (folder / ".facemon" / CLOCK).exists(), arguments
    (folder / ".facemon" / CLOCK).write_text("no reading")
    assert facemon("export-metrics", cwd=folder).returncode == 0
    assert json.loads((folder / ".facemon" / CLOCK).read_text())["boot"]


@pytest.mark.servers
def test_the_api_dates_its_rows_right_and_says_that_the_clock_is_wrong(
    folder: Path, ledger: Ledger, faketime: Faketime, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows_of(ledger)
    for name, value in faketime(AHEAD).items():
        monkeypatch.setenv(name, value)
    with served(folder, "--workers", "1") as api:
        assert "the clock says 2040-01-01" in api.said[0]
        for _ in range(2):
            assert api.ask("POST", "/predict", (folder / "a.png").read_bytes())[0] == 200
        assert api.stop() == 0
    assert rows_of(ledger) == before + 2
    assert max(predicted_times(ledger)) < datetime.now(UTC) + DAY
    assert future_stamps(ledger, datetime.now(UTC)) == []


def test_a_process_that_runs_on_hears_that_the_clock_is_accepted(ledger: Ledger) -> None:
    running, wrong = ledger.clock, datetime.now(UTC) + 5_000 * DAY  # no time server would be believed
    reading = read_clock()
    assert running.judge(replace(reading, at=wrong)).is_doubtful
    kept = {"at": format_time(wrong), "boot": reading.boot, "uptime": reading.uptime.total_seconds()}
    (ledger.folder / CLOCK).write_text(json.dumps(kept))
    assert not running.judge(replace(reading, at=wrong)).is_doubtful
