"""A store without its ledger: what shows that it had one, and what a recovery and the first command accept."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from facemon.errors import FacemonError
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger_errors import LostLedgerError
from facemon.store.ledger_recovery import recover_ledger
from facemon.store.repair import repair
from tests.store.log_rows import log_images

NOW = datetime(2026, 11, 29, tzinfo=UTC)
AFTER_LEDGER = (
    "clock", ".clock.4711", "ledger.sqlite-wal", "ledger.sqlite-shm", "ledger.v4.sqlite", ".ledger.v4.sqlite.part",
    ".ledger.v4.sqlite.part-journal", "set-aside/", "recovering/", "segments/date=2026-11-28/", "segments/a.parquet",
    "segments/date=2026-11-28/.a.parquet.part", "references/a.parquet", "references/.a.parquet.part",
    "reports/drift-20261128T000000Z.html",
)  # fmt: skip
"""What only a store that had a ledger holds."""
BEFORE_LEDGER = (
    "", "segments/", "references/", "reports/", "locks/", "locks/create.lock", "locks/run.lock", "ledger.new",
    "ledger.new-journal", "ledger.new-wal", "reports/drift.html", "reports/evidently-20261128T000000Z.html",
)  # fmt: skip
"""What may be there before the first ledger: of a process that was killed, or of a user."""


def make(folder: Path, name: str) -> None:
    path = folder / name
    (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
    if not path.is_dir():
        path.write_bytes(b"")


@pytest.mark.parametrize("name", AFTER_LEDGER)
def test_what_only_a_ledger_leaves_shows_that_it_is_lost(folder: Path, name: str) -> None:
    make(folder, name)
    for create in (True, False):
        with pytest.raises(LostLedgerError, match="lost its ledger") as caught:
            open_ledger(folder, create=create)
        assert "facemon store recover --no-backup" in str(caught.value.hint)
    assert not (folder / "ledger.sqlite").exists()


@pytest.mark.parametrize("name", BEFORE_LEDGER)
@pytest.mark.parametrize("mode", [0o700, 0o770, 0o755])
def test_what_may_be_there_before_is_no_obstacle(folder: Path, name: str, mode: int) -> None:
    folder.mkdir()
    folder.chmod(mode)
    make(folder, name)
    open_ledger(folder, create=True).close()


@pytest.mark.parametrize("name", [*AFTER_LEDGER, *BEFORE_LEDGER])
def test_a_recovery_accepts_each_file_of_a_store(folder: Path, name: str) -> None:
    folder.mkdir()
    make(folder, name)
    done = recover_ledger(folder, None, NOW, mode="private", as_root=False)
    # The rows of a lost ledger cannot be counted, and the message says so.
    assert done.is_ledger_gone or done.kept is not None or name in BEFORE_LEDGER
    with open_ledger(folder) as ledger:
        # What a killed process was writing is for a repair.
        assert repair(ledger, drop_damaged=False, now=NOW).left.problems == ()


def test_a_recovery_refuses_a_folder_with_other_things(folder: Path) -> None:
    make(folder, "clock")
    make(folder, "thesis.doc")
    with pytest.raises(FacemonError, match=r"not empty: it holds thesis\.doc"):
        recover_ledger(folder, None, NOW, mode="private", as_root=False)


def test_rows_that_only_the_ledger_held_do_not_vanish_in_silence(folder: Path) -> None:
    with open_ledger(folder, create=True) as ledger:
        log_images(ledger, 5)
        ledger.clock.keep()
    assert not list(folder.rglob("*.parquet"))
    for path in folder.glob("ledger.sqlite*"):
        path.unlink()
    with pytest.raises(LostLedgerError):
        open_ledger(folder, create=True)
