from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from facemon.errors import FacemonError, LockedError
from facemon.store.ledger import Ledger
from facemon.store.process_lock import ProcessLock
from facemon.store.references import (
    find_reference,
    list_references,
    reference_file,
    reference_profiles,
    set_from_table,
    set_from_window,
)
from facemon.store.retention import prune
from facemon.store.windows import read_window
from tests.store import children
from tests.store.log_rows import MODEL, NOON, log_images
from tests.store.oracles import log_rows

HOUR = timedelta(hours=1)


def test_a_window_is_kept_whole_though_retention_takes_its_rows(ledger: Ledger) -> None:
    log_images(ledger, 200, spread=timedelta(hours=20), sources=("a", None))
    since, until = NOON + HOUR / 3, NOON + 3 * HOUR
    rows = [row for row in log_rows(ledger) if since <= row["observed_at"] < until]
    profiles = read_window(ledger, since, until, model=MODEL)
    made = set_from_window(ledger, "normal", since, until, model=MODEL, note="a good day", now=NOON + 5 * HOUR)
    prune(ledger, NOON + 100 * HOUR)
    assert log_rows(ledger) == []
    assert find_reference(ledger, "normal") == made
    assert (made.kind, made.origin, made.model, made.note) == ("predictions", "window", MODEL, "a good day")
    assert (made.since, made.until, made.created, made.rows) == (since, until, NOON + 5 * HOUR, len(rows))
    assert pa.parquet.read_table(reference_file(ledger, made)).to_pylist() == rows
    assert reference_profiles(ledger, made) == profiles
    assert set(profiles) == {"a", None}


def test_a_table_is_kept_as_it_is(ledger: Ledger) -> None:
    table = pa.table({"beard_true": ["yes", None], "score": [1, 2]})
    made = set_from_table(ledger, "labels", table, kind="labels", note="", now=NOON)
    assert (made.kind, made.origin, made.model, made.since, made.rows) == ("labels", "file", None, None, 2)
    assert pa.parquet.read_table(reference_file(ledger, made)).equals(table)
    assert reference_profiles(ledger, made) == {}


def test_the_newest_is_found_without_a_name(ledger: Ledger) -> None:
    with pytest.raises(FacemonError, match="no reference has been set"):
        find_reference(ledger, None)
    table = pa.table({"a": [1]})
    for name, age in (("old", 2), ("newest", 0), ("newer", 1)):
        set_from_table(ledger, name, table, kind="labels", note="", now=NOON - age * HOUR)
    assert [reference.name for reference in list_references(ledger)] == ["newest", "newer", "old"]
    assert find_reference(ledger, None).name == "newest"
    assert find_reference(ledger, "old").name == "old"
    with pytest.raises(FacemonError, match="no reference 'odl'") as caught:
        find_reference(ledger, "odl")
    assert caught.value.hint == "there are: newest, newer, old"


def test_a_name_is_taken_once(ledger: Ledger) -> None:
    table = pa.table({"a": [1]})
    set_from_table(ledger, "normal", table, kind="labels", note="", now=NOON)
    with pytest.raises(FacemonError, match="a reference 'normal' already"):
        set_from_table(ledger, "normal", table, kind="labels", note="", now=NOON)
    assert len(list((ledger.folder / "references").iterdir())) == 1


def test_a_window_without_rows_is_no_reference(ledger: Ledger) -> None:
    log_images(ledger, 20)
    for model, since in ((MODEL, NOON + HOUR), ("another", NOON)):
        with pytest.raises(FacemonError, match=f"no rows of {model} between 2026-11-22"):
            set_from_window(ledger, "normal", since, since + HOUR, model=model, note="", now=NOON)
    with ProcessLock.for_command(ledger.folder, "reference"), pytest.raises(LockedError):
        set_from_window(ledger, "normal", NOON, NOON + HOUR, model=MODEL, note="", now=NOON)
    assert list_references(ledger) == []


@pytest.mark.slow
@pytest.mark.long_proof
def test_a_setting_that_dies_at_any_step_is_done_by_the_next(tmp_path: Path, at_length: bool) -> None:
    assert children.crash_everywhere("refer", tmp_path, at_length=at_length) >= 3
