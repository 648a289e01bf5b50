"""`facemon store` as its user runs it, and how every command treats a store that it cannot or may not use."""

import fcntl
import hashlib
import json
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from facemon import __version__
from facemon.domain.labelled import LabelledImage
from facemon.domain.times import hour_of
from facemon.store.evaluations import record_accuracy
from facemon.store.layout import LEDGER_NAME
from facemon.store.ledger.header import OLDEST_VERSION, STORE_VERSION
from facemon.store.ledger.opening import open_ledger
from tests.conftest import RunFacemon
from tests.patience import HANG_S
from tests.store.children import without_privileges
from tests.store.log_rows import MODEL, log_images

COMMAND = Path(sys.executable).with_name("facemon")
PAST = datetime(2024, 11, 20, 12, tzinfo=UTC)
READERS = [
    ("store", "info"),
    ("store", "verify"),
    ("drift-check",),
    ("export-metrics",),
    ("reference", "list"),
    ("log",),
]
WRITERS = [("store", "compact"), ("store", "prune"), ("predict", "bad.jpg"), ("reference", "set", "--since", "1h")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a log of two small segments of 2024 and one of now."""
    with open_ledger(tmp_path / ".facemon", create=True) as ledger:
        log_images(ledger, 100, observed=PAST)
        log_images(ledger, 50, observed=PAST + timedelta(hours=1))
        log_images(ledger, 10, observed=datetime.now(UTC) + timedelta(days=1))
    (tmp_path / "bad.jpg").write_text("not an image")
    return tmp_path


def contents(folder: Path) -> dict[str, tuple[str, int]]:
    """Every file with the digest of its bytes and its mode; what SQLite keeps for its readers is left out."""
    return {
        str(path.relative_to(folder)): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mode)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


def run(arguments: Sequence[str], folder: Path, wrapper: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*wrapper, COMMAND, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=HANG_S
    )


def test_info(facemon: RunFacemon, folder: Path) -> None:
    outcome = facemon("store", "info", "--json", cwd=folder)
    assert outcome.returncode == 0
    facts = json.loads(outcome.stdout)
    assert facts["store"] == str(folder / ".facemon")
    assert (facts["rows"], facts["files"], facts["inline_segments"]) == (176, 0, 3)
    assert facts["models"] == {"faces@1": 176}
    assert facts["first_observed_at"] == "2024-11-20T12:00:00.000000Z"
    shown = facemon("store", "info", cwd=folder).stdout
    assert "models             faces@1 (176 rows)\n" in shown
    assert "inline segments    3\n" in shown


def test_compact_and_prune_keep_the_counters(facemon: RunFacemon, folder: Path) -> None:
    before = facemon("export-metrics", "--export", "model", cwd=folder).stdout
    compacted = facemon("store", "compact", cwd=folder)
    assert (compacted.returncode, compacted.stdout) == (0, "")
    assert compacted.stderr == "folded 2 segments with 165 rows into 1\n"
    assert facemon("store", "compact", cwd=folder).stderr == "folded 0 segments with 0 rows into 0\n"
    assert "ok: 176 rows in 2 segments" in facemon("store", "verify", cwd=folder).stdout
    pruned = facemon("store", "prune", cwd=folder)
    assert pruned.stderr == "removed 165 rows in 1 segment: observed and predicted more than 90 days ago\n"
    assert "ok: 11 rows in 1 segment;" in facemon("store", "verify", cwd=folder).stdout
    after = facemon("export-metrics", "--export", "model", cwd=folder).stdout
    counted = [line for line in before.splitlines() if "_total" in line or "_bucket" in line]
    assert counted
    assert set(counted) <= set(after.splitlines())


def test_prune_removes_results_of_labelled_images_with_their_rows(facemon: RunFacemon, folder: Path) -> None:
    hours = [hour_of(PAST), hour_of(datetime.now(UTC) - timedelta(days=20))]
    images = [LabelledImage("gender", "1.jpg", hour, None, is_right=True) for hour in hours]
    with open_ledger(folder / ".facemon") as ledger:
        record_accuracy(ledger, MODEL, PAST, {"gender": (2, 2)}, images)
    removed = "removed 1 result of labelled images, whose rows are gone\n"
    # The newer one is within drift.accuracy_window, although its row is gone.
    for days, said in (("4000", False), ("1", True), ("1", False)):
        outcome = facemon("store", "prune", "--days", days, cwd=folder)
        assert (outcome.returncode, removed in outcome.stderr) == (0, said)
    with open_ledger(folder / ".facemon") as ledger:
        assert [len(ledger.evaluations.labelled(MODEL, hour, hour + 1)) for hour in hours] == [0, 1]


def test_quiet_care_says_nothing(facemon: RunFacemon, folder: Path) -> None:
    for command in ("compact", "verify", "prune"):
        outcome = facemon("store", command, "-q", cwd=folder)
        assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, "", ""), command


def test_prune_takes_up_to_a_hundred_years(facemon: RunFacemon, folder: Path) -> None:
    for days in ("3650", "36500"):
        outcome = facemon("store", "prune", "--days", days, cwd=folder)
        assert (outcome.returncode, "removed 0 rows" in outcome.stderr) == (0, True)
    for days in ("0", "36501", "99999999999"):
        assert facemon("store", "prune", "--days", days, cwd=folder).returncode == 2


def test_a_damaged_segment_is_found(facemon: RunFacemon, folder: Path) -> None:
    facemon("store", "compact", cwd=folder)
    (segment,) = (folder / ".facemon" / "segments").rglob("*.parquet")
    whole = segment.read_bytes()
    segment.write_bytes(whole[:500] + bytes([whole[500] ^ 1]) + whole[501:])
    outcome = facemon("store", "verify", cwd=folder)
    assert outcome.returncode == 3
    assert f"{segment} is not the file that was written" in outcome.stdout
    assert outcome.stderr.startswith("warning: ")
    segment.unlink()
    missing = facemon("store", "verify", "-q", cwd=folder)
    assert (missing.returncode, str(segment) in missing.stdout) == (3, True)
    segment.write_bytes(whole)
    assert facemon("store", "verify", cwd=folder).returncode == 0


@pytest.mark.parametrize("command", ["compact", "prune"])
def test_another_run_holds_the_lock(facemon: RunFacemon, folder: Path, command: str) -> None:
    before = contents(folder / ".facemon" / "segments")
    with (folder / ".facemon" / "locks" / f"{command}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        outcome = facemon("store", command, cwd=folder)
    assert (outcome.returncode, f"another facemon {command} is running" in outcome.stderr) == (75, True)
    assert contents(folder / ".facemon" / "segments") == before


@pytest.mark.parametrize("arguments", [*READERS, *WRITERS], ids=" ".join)
def test_a_store_of_a_newer_version_is_left_alone(
    facemon: RunFacemon, folder: Path, arguments: tuple[str, ...]
) -> None:
    with closing(sqlite3.connect(folder / ".facemon" / LEDGER_NAME)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = contents(folder)
    outcome = facemon(*arguments, cwd=folder)
    assert (outcome.returncode, outcome.stdout) == (1, "")
    versions = f"reads versions {OLDEST_VERSION} to {STORE_VERSION}"
    assert f"has version 99; this facemon ({__version__}) {versions}" in outcome.stderr
    assert "hint: install the newer facemon that wrote it" in outcome.stderr
    assert contents(folder) == before


@pytest.mark.parametrize("arguments", [*READERS, *WRITERS], ids=" ".join)
def test_a_store_that_may_not_be_written_is_left_alone(folder: Path, arguments: tuple[str, ...]) -> None:
    wrapper = without_privileges()
    with closing(sqlite3.connect(folder / ".facemon" / LEDGER_NAME)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    paths = [folder / ".facemon", *(folder / ".facemon").rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = contents(folder)
    outcome = run(arguments, folder, wrapper)
    after = contents(folder)
    for path in paths:
        path.chmod(0o755)
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert f"the store in {folder / '.facemon'} cannot be written" in outcome.stderr
    assert "permission denied" in outcome.stderr
    assert "give this user access to it" in outcome.stderr
    assert after == before


@pytest.mark.parametrize("arguments", [*READERS[:2], *READERS[3:], *WRITERS[:2], WRITERS[3]], ids=" ".join)
def test_without_a_store_none_is_made(facemon: RunFacemon, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    outcome = facemon(*arguments, cwd=tmp_path)
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert f"there is no store in {tmp_path / '.facemon'}" in outcome.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_else(facemon: RunFacemon, tmp_path: Path) -> None:
    (tmp_path / "facemon.yaml").write_text("version: 1\nstore: {path: photos}\n")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").touch()
    outcome = facemon("predict", "photos", cwd=tmp_path)
    assert (outcome.returncode, "photos is not a store and is not empty: it holds cat.jpg" in outcome.stderr) == (
        1,
        True,
    )
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["cat.jpg"]
