"""The step to version 4: what an older ledger kept once gets its model, and nothing is lost or counted twice."""

import json
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from facemon.domain.drift_result import Check, CheckResult, ColumnResult, DriftResult, Side, Verdict
from facemon.domain.prediction import PredictedBatch
from facemon.domain.times import micros
from facemon.store.backup import back_up
from facemon.store.compaction import compact
from facemon.store.drift_results import record_drift
from facemon.store.drift_states import CheckState
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.total_tables import read_totals
from facemon.store.ledger_recovery import recover_ledger
from facemon.store.retention import prune
from facemon.store.row_counts import CONFIDENCES, PREDICTIONS
from facemon.store.run_state import RunIdentity
from facemon.store.runs import begin_run, finish_run
from facemon.store.segment_writer import SegmentWriter
from facemon.store.totals import TotalKey, Totals
from facemon.store.verification import verify
from tests.store.damage import files_of, flip_bytes
from tests.store.log_rows import NOON, make_batch
from tests.store.sql import sql

NODE_TABLES = ("node", "sent_segments", "node_deliveries", "sent_rows", "collected_rows")
BY_MODEL = (PREDICTIONS, CONFIDENCES)
A, B = "a@1", "b@1"


NOW = datetime(2026, 11, 29, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with open_ledger(tmp_path / "store", create=True):
        pass
    return tmp_path / "store"


def log(folder: Path, model: str, images: int, *, observed: datetime = NOON, only_gender: bool = False) -> None:
    """Log rows of a model, which may have one of the two attributes alone."""
    identity = RunIdentity(("images",), model, "f" * 64, None)
    with open_ledger(folder) as ledger, begin_run(ledger, identity, datetime.now(UTC)) as run:
        writer = SegmentWriter(ledger, run)
        batch = make_batch(0, images, run=run.id, observed=observed, seed=images)
        rows = batch.rows
        rows = rows.set_column(rows.schema.get_field_index("model"), "model", pa.array([model] * rows.num_rows))
        if only_gender:
            rows = rows.select([name for name in rows.schema.names if not name.startswith("age")])
        writer.add(PredictedBatch(rows, batch.ordinals, (0.01, 0.3)))
        writer.close()
        finish_run(ledger, run, datetime.now(UTC))


def totals(folder: Path, table: str = "totals") -> Totals:
    with open_ledger(folder) as ledger:
        return read_totals(sql(ledger), table)


def without_models(found: Totals) -> dict[TotalKey, float]:
    """The totals as a ledger of version 3 kept them."""
    merged: Counter[TotalKey] = Counter()
    for key, value in found.items():
        labels = key.labels[:-1] if key.metric in BY_MODEL else key.labels
        merged[key._replace(labels=labels)] += value  # type: ignore[assignment]
    return dict(merged)


def make_older(folder: Path) -> None:
    """Give the ledger the tables and the contents of version 3."""
    with open_ledger(folder) as ledger, ledger.writing():
        for table in ("totals", "departed"):
            merged = without_models(read_totals(sql(ledger), table))
            sql(ledger).execute(f"DELETE FROM {table}")  # noqa: S608 - one of two names of ours
            sql(ledger).executemany(
                f"INSERT INTO {table} VALUES (?, ?, ?, ?)",  # noqa: S608 - one of two names of ours
                [
                    (key.metric, json.dumps(key.labels, ensure_ascii=False), key.part, value)
                    for key, value in merged.items()
                ],
            )
        gauges, checks = ledger.checks.gauges(), ledger.checks.states()
        sql(ledger).execute("DROP TABLE drift_columns")
        sql(ledger).execute("DROP TABLE drift_checks")
        sql(ledger).execute(
            "CREATE TABLE drift_columns (check_name TEXT, attribute TEXT, measure TEXT, score REAL, p_value REAL, "
            "detected INTEGER, samples INTEGER NOT NULL, undecided INTEGER NOT NULL, "
            "PRIMARY KEY (check_name, attribute, measure)) WITHOUT ROWID"
        )
        sql(ledger).execute(
            "CREATE TABLE drift_checks (check_name TEXT PRIMARY KEY, threshold REAL NOT NULL, decided INTEGER) "
            "WITHOUT ROWID"
        )
        for each in gauges:
            sql(ledger).execute(
                "INSERT OR REPLACE INTO drift_columns VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (each.check, each.attribute, each.measure, each.score, each.p_value, each.detected, each.samples,
                 each.undecided),
            )  # fmt: skip
        for check in checks:
            sql(ledger).execute(
                "INSERT OR REPLACE INTO drift_checks VALUES (?, ?, ?)", (check.check, check.threshold, check.decided)
            )
        later = ("arrivals", "baseline_spreads", "drift_sources", "deliveries", *NODE_TABLES)
        for table in later:
            sql(ledger).execute(f"DROP TABLE {table}")
        sql(ledger).execute("ALTER TABLE segments DROP COLUMN last_predicted")
        sql(ledger).execute("PRAGMA user_version = 3")


def problems(folder: Path) -> tuple[str, ...]:
    with open_ledger(folder) as ledger:
        return verify(ledger).problems


def test_one_model_gets_all(folder: Path) -> None:
    log(folder, A, 1500)
    log(folder, A, 300, observed=NOON + timedelta(days=3))
    with open_ledger(folder) as ledger:
        assert prune(ledger, NOON + timedelta(days=1)).rows
    before, gone = totals(folder), totals(folder, "departed")
    make_older(folder)
    assert (totals(folder), totals(folder, "departed")) == (before, gone)
    assert problems(folder) == ()


@pytest.mark.parametrize("is_compact", [False, True])
def test_the_rows_of_each_model_are_counted_again(folder: Path, is_compact: bool) -> None:
    for images in (300, 1600):
        log(folder, A, images)
        log(folder, B, images + 70, only_gender=True)
    if is_compact:
        with open_ledger(folder) as ledger:
            compact(ledger, NOON + timedelta(days=1))
    before = totals(folder)
    assert {key.labels[-1] for key in before if key.metric in BY_MODEL} == {A, B}
    make_older(folder)
    assert totals(folder) == pytest.approx(before)
    assert problems(folder) == ()


def test_what_is_gone_was_the_oldest_models(folder: Path) -> None:
    log(folder, A, 400)
    log(folder, B, 500, observed=NOON + timedelta(days=2))
    log(folder, A, 200, observed=NOON + timedelta(days=3))
    with open_ledger(folder) as ledger:
        assert prune(ledger, NOON + timedelta(days=1)).rows
    before, gone = totals(folder), totals(folder, "departed")
    make_older(folder)
    assert totals(folder) == pytest.approx(before)
    assert totals(folder, "departed") == pytest.approx(gone)
    assert problems(folder) == ()


def test_what_only_one_model_knows_is_its_own(folder: Path) -> None:
    log(folder, A, 400, only_gender=True)
    log(folder, B, 300)
    log(folder, A, 200, only_gender=True, observed=NOON + timedelta(days=2))
    log(folder, B, 200, observed=NOON + timedelta(days=2))
    with open_ledger(folder) as ledger:
        assert prune(ledger, NOON + timedelta(days=1)).rows
    sums, gone = without_models(totals(folder)), without_models(totals(folder, "departed"))
    ages = {key: value for key, value in totals(folder, "departed").items() if key.labels[0] == "age"}
    make_older(folder)
    after = totals(folder, "departed")
    assert {key: value for key, value in after.items() if key.labels[0] == "age"} == pytest.approx(ages)
    # Whose the gender's were is not known any more; the sums are.
    assert without_models(totals(folder)) == pytest.approx(sums)
    assert without_models(after) == pytest.approx(gone)
    assert problems(folder) == ()


@pytest.mark.parametrize("older", [A, B])
def test_a_model_whose_rows_are_all_gone_keeps_its_counts(folder: Path, older: str) -> None:
    newer = B if older == A else A
    log(folder, older, 400)
    log(folder, newer, 500, observed=NOON + timedelta(days=2))
    with open_ledger(folder) as ledger:
        prune(ledger, NOON + timedelta(days=1))
        assert {segment.model for segment in ledger.segments.within()} == {newer}
    before = totals(folder)
    make_older(folder)
    assert totals(folder) == pytest.approx(before)
    assert problems(folder) == ()


def test_a_damaged_segment_loses_no_count(folder: Path) -> None:
    log(folder, A, 1600)
    log(folder, B, 1700)
    sums = without_models(totals(folder))
    with open_ledger(folder) as ledger:
        (damaged,) = [segment.path for segment in ledger.segments.within() if segment.model == B]
    make_older(folder)
    assert damaged is not None
    (folder / damaged).write_bytes(b"PAR1 damaged")
    assert without_models(totals(folder)) == sums
    assert any(damaged in problem for problem in problems(folder))


def test_the_sums_are_the_same_to_the_last_count(folder: Path) -> None:
    for seed, model in enumerate((A, B, "c@3")):
        log(folder, model, 1100 + seed, observed=NOON + timedelta(days=seed))
    with open_ledger(folder) as ledger:
        prune(ledger, NOON + timedelta(days=1))
    make_older(folder)
    with closing(open_ledger(folder, upgrade=False)) as ledger:
        before = ledger.totals.read()
    after = without_models(totals(folder))
    assert {key: value for key, value in after.items() if key.part != "sum"} == {
        key: value for key, value in before.items() if key.part != "sum"
    }
    assert after == pytest.approx(before)


def checked(model: str, hours: int, verdict: Verdict, source: str | None = None) -> DriftResult:
    column = ColumnResult("gender", "categorical", verdict, 0.3, 0.01, 0.01, 900, 800, attribute="gender")
    outcome = CheckResult(verdict, 0.05, (column,))
    at = NOON + timedelta(hours=hours)
    return DriftResult(verdict, at, Side(900), Side(800), {Check.MODEL: outcome}, model=model, source=source)


def test_gauges_are_of_the_model_that_decided_them(folder: Path) -> None:
    with open_ledger(folder) as ledger:
        record_drift(ledger, checked(A, 0, Verdict.DRIFT))
        record_drift(ledger, checked(A, 1, Verdict.UNDECIDED))
        for look in (checked(B, 2, Verdict.OK), checked(A, 3, Verdict.OK, source="hall")):
            record_drift(ledger, look, for_gauges=False)
        gauges = ledger.checks.gauges()
    make_older(folder)
    with open_ledger(folder) as ledger:
        assert ledger.checks.gauges() == gauges
        ran, decided = micros(NOON + timedelta(hours=1)), micros(NOON)
        assert ledger.checks.states() == [CheckState(A, "model", 0.05, ran, decided)]


def test_gauges_that_were_never_decided_are_of_the_newest_check(folder: Path) -> None:
    with open_ledger(folder) as ledger:
        record_drift(ledger, checked(B, 0, Verdict.UNDECIDED), for_gauges=False)
        record_drift(ledger, checked(A, 1, Verdict.UNDECIDED))
        checks = ledger.checks.states()
    make_older(folder)
    with open_ledger(folder) as ledger:
        assert ledger.checks.states() == checks


def test_gauges_without_a_result_are_of_the_only_model(folder: Path) -> None:
    log(folder, A, 30)
    with open_ledger(folder) as ledger:
        record_drift(ledger, checked(A, 0, Verdict.DRIFT))
        checks, gauges = ledger.checks.states(), ledger.checks.gauges()
        with ledger.writing():
            sql(ledger).execute("DELETE FROM drift_results")
    make_older(folder)
    with open_ledger(folder) as ledger:
        assert (ledger.checks.states(), ledger.checks.gauges()) == (checks, gauges)


def test_a_recovery_from_an_older_backup_reads_the_rows_of_all_its_files(folder: Path, tmp_path: Path) -> None:
    """Of both models in files; one of them is damaged, so that only the backup has its rows."""
    for model, images in ((A, 100), (B, 60)):
        log(folder, model, images)
    with open_ledger(folder) as ledger:
        compact(ledger, NOON + timedelta(days=30))
        hurt, _ = files_of(ledger)
    before = totals(folder)
    make_older(folder)
    with open_ledger(folder, upgrade=False) as ledger:
        back_up(ledger, tmp_path / "saved.tar")
    (folder / "ledger.sqlite").write_bytes(b"")
    flip_bytes(hurt)
    for place in (folder, tmp_path / "empty"):
        recover_ledger(place, tmp_path / "saved.tar", NOW, mode="private", as_root=False)
        assert totals(place) == pytest.approx(before, rel=1e-12)
        with open_ledger(place) as ledger:
            assert verify(ledger).problems == ()
