"""The rows of a run come back as they were logged, wherever the log keeps them by now."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facemon.errors import FacemonError
from facemon.store.compaction import compact
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.protocol import Ledger
from facemon.store.run_rows import rows_of_run
from facemon.store.runs import Run, begin_run, resume_run
from facemon.store.segment_files import SegmentDamagedError
from facemon.store.segment_writer import SegmentWriter
from tests.short_form import examples
from tests.store.log_rows import IDENTITY, NOON, SCHEMA, log_images, make_batch
from tests.store.sql import sql


def log_part(ledger: Ledger, pieces: Sequence[int], *, spread_days: float = 0) -> pa.Table:
    """Log the beginning of a run, a segment or more for each piece; answer its rows."""
    batches, first = [], 0
    with begin_run(ledger, IDENTITY, datetime.now(UTC)) as run:
        writer = SegmentWriter(ledger, run)
        for images in pieces:
            batch = make_batch(
                first, images, run=run.id, observed=NOON, spread=timedelta(days=1000 * spread_days / sum(pieces)),
                predicted=datetime.now(UTC),
            )  # fmt: skip
            writer.take(batch)
            writer.flush()
            batches.append(batch.rows)
            first += images
        writer.close()
    return pa.Table.from_batches(batches, SCHEMA)


def read_back(ledger: Ledger) -> pa.Table:
    with resumed(ledger) as run:
        return pa.Table.from_batches(rows_of_run(ledger, run, SCHEMA), SCHEMA)


def resumed(ledger: Ledger) -> Run:
    run = resume_run(ledger, IDENTITY)
    assert run is not None
    return run


@settings(max_examples=examples(0.25))
@given(
    pieces=st.lists(st.sampled_from([1, 7, 60, 1100]), min_size=1, max_size=4),
    days=st.sampled_from([0.0, 0.4, 3.0]),
    compacted=st.booleans(),
)
def test_all_rows_once_in_order(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[int], days: float, compacted: bool
) -> None:
    with open_ledger(tmp_path_factory.mktemp("store"), create=True) as ledger:
        log_images(ledger, 30)
        logged = log_part(ledger, pieces, spread_days=days)
        log_images(ledger, 30)
        if compacted:
            compact(ledger, datetime.now(UTC))
        assert read_back(ledger).equals(logged)


def test_a_run_that_has_logged_nothing_has_no_rows(tmp_path: Path) -> None:
    with open_ledger(tmp_path, create=True) as ledger:
        begin_run(ledger, IDENTITY, datetime.now(UTC)).lock.release()
        assert read_back(ledger).num_rows == 0


def test_a_column_that_the_log_does_not_have_is_null(tmp_path: Path) -> None:
    with open_ledger(tmp_path, create=True) as ledger:
        logged = log_part(ledger, [20])
        schema = SCHEMA.append(pa.field("later", pa.float32()))
        with resumed(ledger) as run:
            table = pa.Table.from_batches(rows_of_run(ledger, run, schema), schema)
        assert table.drop_columns("later").equals(logged)
        assert table["later"].null_count == table.num_rows


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_rows_that_the_log_has_lost_are_an_error_and_not_a_gap(tmp_path: Path, gone: int) -> None:
    with open_ledger(tmp_path, create=True) as ledger:
        log_part(ledger, [50, 50, 50])
        segments = sql(ledger).execute("SELECT id FROM segments ORDER BY rowid").fetchall()
        with ledger.writing():
            sql(ledger).execute("DELETE FROM segments WHERE id = ?", segments[gone])
        with pytest.raises(FacemonError, match="the log has lost rows of the 150 images that run"):
            read_back(ledger)


def test_damage_is_named_where_rows_lack_and_only_there(tmp_path: Path) -> None:
    with open_ledger(tmp_path, create=True) as ledger:
        log_images(ledger, 1500, batch=1500)
        (other,) = (tmp_path / "segments").rglob("*.parquet")
        logged = log_part(ledger, [1500, 20])
        (own,) = set((tmp_path / "segments").rglob("*.parquet")) - {other}
        other.write_bytes(b"not Parquet")
        assert read_back(ledger).equals(logged)
        own.unlink()
        with pytest.raises(SegmentDamagedError, match="is missing"):
            read_back(ledger)
