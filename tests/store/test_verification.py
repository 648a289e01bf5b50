from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from facemon.store import segment_writer
from facemon.store.ledger.protocol import Ledger
from facemon.store.references import set_from_window
from facemon.store.repair import repair
from facemon.store.verification import Verification, verify
from tests.store.damage import empty, put_a_folder, truncate
from tests.store.log_rows import MODEL, NOON, log_images
from tests.store.sql import sql


@pytest.fixture
def whole(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """A store of two files and an inline segment, in which nothing is wrong."""
    monkeypatch.setattr(segment_writer, "SEGMENT_ROWS", 100)
    monkeypatch.setattr(segment_writer, "INLINE_ROWS", 60)
    log_images(ledger, 240, batch=50, spread=timedelta(minutes=200), sources=("a", None))
    assert verify(ledger) == Verification(3, 264, ())
    return ledger


def problems(ledger: Ledger) -> str:
    found = verify(ledger)
    assert found.problems
    return "\n".join(found.problems)


def a_file(ledger: Ledger) -> Path:
    return min((ledger.folder / "segments").rglob("*.parquet"))


@pytest.mark.parametrize("place", [4, 0.1, 0.5, 0.9, -20, -1])
def test_a_damaged_file_is_named(whole: Ledger, place: float) -> None:
    path = a_file(whole)
    content = bytearray(path.read_bytes())
    content[int(place) if abs(place) >= 1 else int(place * len(content))] ^= 255
    path.write_bytes(content)
    assert f"{path} is not the file that was written" in problems(whole)


def test_a_file_that_is_gone_or_cut_short_is_named(whole: Ledger) -> None:
    path = a_file(whole)
    path.write_bytes(path.read_bytes()[:-100])
    assert f"{path} is not the file that was written" in problems(whole)
    path.unlink()
    assert f"the segment {path} is missing" in problems(whole)


def test_a_file_with_other_rows_is_named(whole: Ledger) -> None:
    path = a_file(whole)
    pa.parquet.write_table(pa.parquet.read_table(path).slice(1), path)
    assert f"{path} is not the file that was written" in problems(whole)


def test_a_file_that_nobody_registered_is_named(whole: Ledger) -> None:
    stray = whole.folder / "segments" / "stray.parquet"
    stray.write_bytes(a_file(whole).read_bytes())
    assert problems(whole) == f"{stray} is in no ledger entry"
    with whole.writing():
        sql(whole).execute("INSERT INTO intents VALUES ('stray', 'somebody', 'segments/stray.parquet')")
    assert verify(whole).problems == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE totals SET value = value + 1 WHERE metric = 'images_processed_total' AND labels = '[\"ok\"]'",
         "total images_processed_total{ok} is 193, the rows add up to 192"),
        ("DELETE FROM totals WHERE labels = '[\"gender\", \"male\", \"faces@1\"]'",
         "model_predictions_total{gender, male, faces@1} is 0"),
        ("UPDATE totals SET value = value * 1.001 WHERE part = 'sum' AND labels = '[\"gender\", \"faces@1\"]'",
         "{gender, faces@1} sum is"),
        ("INSERT INTO totals VALUES ('model_predictions_total', '[\"beard\", \"no\", \"faces@1\"]', '', 5)",
         "beard, no, faces@1} is 5"),
        ("DELETE FROM profiles WHERE source = 'a'", "source a, hour 2026-11-22T12:00:00.000000Z differs"),
        ("UPDATE profiles SET hour = hour + 1", "hour 2026-11-22T13:00:00.000000Z differs"),
        ("UPDATE segments SET rows = rows + 1 WHERE path IS NULL", "has 44 rows, the ledger says 45"),
        ("UPDATE runs SET done = 239", "239 inputs are done, 240 are in the log"),
        ("UPDATE runs SET done = 241", "241 inputs are done, 240 are in the log"),
        ("INSERT INTO runs SELECT 'new', inputs, model, fingerprint, source, started, finished, 3, '', 0 FROM runs",
         "run new: 3 inputs are done, 0 are in the log"),
        ("INSERT INTO segments SELECT id || '2', NULL, rows, model, 0, 0, 0, '', data FROM segments WHERE path IS NULL",
         "44 rows are in the log more than once"),
        ("DELETE FROM segments WHERE path IS NULL", "240 inputs are done, 200 are in the log"),
        ("UPDATE segments SET data = x'00' WHERE path IS NULL", "cannot be read"),
    ],
)  # fmt: skip
def test_what_does_not_add_up_is_said(whole: Ledger, change: str, said: str) -> None:
    with whole.writing():
        assert sql(whole).execute(change).rowcount
    assert said in problems(whole)


def test_a_store_without_rows_is_whole(ledger: Ledger) -> None:
    assert verify(ledger) == Verification(0, 0, ())


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def lose_a_row(path: Path) -> None:
    pa.parquet.write_table(pa.parquet.read_table(path).slice(1), path)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (Path.unlink, "is missing"),
        (truncate, "cannot be read"),
        (empty, "cannot be read"),
        (put_a_folder, "cannot be read"),
        (cut, "cannot be read"),
        (lose_a_row, "has 263 rows instead of 264"),
    ],
)
def test_a_reference_without_its_file_is_named(whole: Ledger, damage: Callable[[Path], object], said: str) -> None:
    until = NOON + timedelta(days=3650)
    for name in ("normal", "other"):
        set_from_window(whole, name, NOON - timedelta(days=3650), until, model=MODEL, note="", now=NOON)
    assert verify(whole).problems == ()
    path = whole.folder / whole.references.all()[0].path
    damage(path)
    found = verify(whole)
    assert found.damaged_references == ("other",)
    assert not found.needs_repair
    (problem,) = found.problems
    assert problem.startswith(f"the file {path} of the reference other {said}")
    # No repair can bring it back, and it says so.
    left = repair(whole, drop_damaged=True, now=NOON).left
    assert left.damaged_references == ("other",)
    assert left.problems == left.reference_problems
