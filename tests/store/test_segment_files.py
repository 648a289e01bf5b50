import hashlib
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.times import from_micros, micros
from facemon.errors import FacemonError
from facemon.store.ledger.protocol import Ledger
from facemon.store.segment import Segment
from facemon.store.segment_files import (
    SegmentGoneError,
    observed_range,
    read_rows,
    read_segment,
    split_by_date,
    write_parquet,
)
from tests.store import children
from tests.store.log_rows import MODEL, NOON, SCHEMA, log_images, make_batch
from tests.store.oracles import log_rows
from tests.store.sql import sql


def table_of(images: int, spread: timedelta = timedelta(0), observed: datetime = NOON) -> pa.Table:
    return pa.Table.from_batches([make_batch(0, images, run="r", spread=spread, observed=observed).rows])


def test_a_file_is_written_whole_and_read_back(ledger: Ledger) -> None:
    path = ledger.folder / "segments" / "date=2026-11-22" / "x.parquet"
    table = table_of(200)
    assert write_parquet(path, table) == hashlib.sha256(path.read_bytes()).hexdigest()
    assert list(path.parent.iterdir()) == [path]
    segment = Segment("x", "segments/date=2026-11-22/x.parquet", 220, MODEL, 0, 0, "")
    assert read_segment(ledger, segment).equals(table)
    assert read_segment(ledger, segment).schema.equals(SCHEMA)
    assert read_segment(ledger, segment, ["gender", "beard"]).column_names == ["gender"]


def test_a_file_that_cannot_be_written_is_a_message(ledger: Ledger) -> None:
    (ledger.folder / "segments" / "date=2026-11-22").write_text("in the way")
    with pytest.raises(FacemonError, match="cannot be written"):
        write_parquet(ledger.folder / "segments" / "date=2026-11-22" / "x.parquet", table_of(5))


@pytest.mark.parametrize("inline", [0, 10**6])
def test_a_segment_that_went_is_told_from_one_that_is_damaged(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, inline: int
) -> None:
    monkeypatch.setattr("facemon.store.segment_writer.INLINE_ROWS", inline)
    log_images(ledger, 20)
    (segment,) = ledger.segments.within()
    if segment.path:
        (ledger.folder / segment.path).write_bytes(b"PAR1 damaged PAR1")
    else:
        sql(ledger).execute("UPDATE segments SET data = x'00ff00ff00ff'")
    with pytest.raises(FacemonError, match="cannot be read") as caught:
        read_segment(ledger, segment)
    assert not isinstance(caught.value, SegmentGoneError)
    if segment.path:
        (ledger.folder / segment.path).unlink()
    sql(ledger).execute("DELETE FROM segments")
    with pytest.raises(SegmentGoneError, match="replaced or removed"):
        read_segment(ledger, segment)


times = st.integers(-(10**15), 10**16).map(from_micros)


@given(st.lists(times, min_size=1, max_size=20))
def test_a_table_is_split_by_date_and_nothing_is_lost(observed: list[datetime]) -> None:
    rows = [{"observed_at": time, "ordinal": place} for place, time in enumerate(observed)]
    table = pa.Table.from_pylist(rows, SCHEMA)
    pieces = list(split_by_date(table))
    assert len({date for date, _ in pieces}) == len(pieces)
    for date, piece in pieces:
        assert {row["observed_at"].date() for row in piece.to_pylist()} == {date.date()}
        assert piece["ordinal"].to_pylist() == sorted(piece["ordinal"].to_pylist())
    assert sorted(place for _, piece in pieces for place in piece["ordinal"].to_pylist()) == list(range(len(rows)))
    assert observed_range(table) == (micros(min(observed)), micros(max(observed)))


def test_the_rows_of_a_time(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facemon.store.segment_writer.SEGMENT_ROWS", 30)
    log_images(ledger, 200, batch=10, spread=timedelta(hours=100))
    rows = log_rows(ledger)
    first, last = min(row["observed_at"] for row in rows), max(row["observed_at"] for row in rows)
    middle = rows[len(rows) // 2]["observed_at"]
    tick = timedelta(microseconds=1)
    for since, until in ((first, last), (first, last + tick), (middle, middle), (middle, middle + tick)):
        start, stop = micros(since), micros(until)
        tables = list(read_rows(ledger, ledger.segments.within(start, stop), start, stop, ["ordinal"]))
        found = [ordinal for table in tables for ordinal in table["ordinal"].to_pylist()]
        assert found == [row["ordinal"] for row in rows if since <= row["observed_at"] < until]
    assert ledger.segments.within(model="another") == []


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path: Path) -> None:
    script = """
    import os
    import pyarrow as pa
    from facemon.store.segment_files import write_parquet
    steps = []
    sync, rename = os.fsync, os.rename
    os.fsync = lambda descriptor: (steps.append("sync " + os.readlink(f"/proc/self/fd/{descriptor}")), sync(descriptor))
    sys.addaudithook(lambda event, args: steps.append("rename") if event == "os.rename" else None)
    write_parquet(folder / "segments" / "x.parquet", pa.table({"a": [1]}))
    print(*steps, sep="\\n")
    """
    steps = [line.rsplit("/", 1)[-1] for line in children.run(script, tmp_path).splitlines()]
    assert steps == [".x.parquet.part", "rename", "segments", tmp_path.name]
