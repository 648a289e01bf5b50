from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from facemon.store import segment_writer
from facemon.store.inventory import take_inventory
from facemon.store.ledger.header import STORE_VERSION
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.protocol import Ledger
from facemon.store.references import set_from_table
from facemon.store.runs import begin_run
from tests.store import children
from tests.store.log_rows import IDENTITY, MODEL, NOON, log_images


def test_an_empty_store(ledger: Ledger) -> None:
    found = take_inventory(ledger)
    assert found.version == STORE_VERSION
    assert (found.rows, found.files, found.inline, found.first, found.models) == (0, 0, 0, None, {})
    assert found.bytes == sum(path.stat().st_size for path in ledger.folder.glob("ledger.sqlite*"))


def test_a_store_at_a_glance(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_writer, "SEGMENT_ROWS", 100)
    monkeypatch.setattr(segment_writer, "INLINE_ROWS", 60)
    log_images(ledger, 241, batch=50, spread=timedelta(hours=1))
    begin_run(ledger, IDENTITY, NOON).lock.release()
    set_from_table(ledger, "labels", pa.table({"a": [1]}), kind="labels", note="", now=NOON)
    found = take_inventory(ledger)
    assert (found.rows, found.files, found.inline, found.models) == (265, 2, 1, {MODEL: 265})
    assert (found.first, found.last) == (NOON, NOON + timedelta(hours=0.24))
    assert (found.unfinished_runs, found.references, found.drift_checks) == (1, 1, 0)
    files = [path for path in ledger.folder.rglob("*") if path.is_file() and "references" not in path.parts]
    assert found.bytes == sum(path.stat().st_size for path in files)


def test_a_file_that_goes_while_it_is_counted_is_no_trouble(folder: Path) -> None:
    script = """
    files = [folder / "segments" / f"{number}.parquet" for number in range(200)]
    if sys.argv[2] == "churn":
        print("churning", flush=True)
        while not (folder / "stop").exists():
            for file in files:
                file.touch()
            for file in files:
                file.unlink()
    else:
        from facemon.store.inventory import take_inventory
        with open_ledger(folder) as ledger:
            for _ in range(60):
                take_inventory(ledger)
    """
    open_ledger(folder, create=True).close()
    churn = children.start(script, folder, "churn")
    assert churn.stdout is not None
    assert churn.stdout.readline() == "churning\n"
    looks = children.start(script, folder, "look")
    try:
        children.finish(looks)
    finally:
        (folder / "stop").touch()
        children.finish(churn)
