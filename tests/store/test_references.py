from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from facemon.domain import source_buckets
from facemon.domain.daily_spread import daily_spreads
from facemon.domain.times import hour_of
from facemon.errors import ExitCode, FacemonError, LockedError, UsageError
from facemon.store.ledger.profile_table import MAX_SOURCES
from facemon.store.ledger.protocol import Ledger
from facemon.store.named_reference import ReferenceSpreads
from facemon.store.process_lock import ProcessLock
from facemon.store.references import (
    find_reference,
    list_references,
    reference_file,
    reference_profiles,
    reference_spreads,
    set_from_table,
    set_from_window,
)
from facemon.store.retention import prune
from tests.store import children
from tests.store.log_rows import MODEL, NOON, log_images
from tests.store.oracles import log_rows
from tests.store.read_windows import read_window
from tests.store.test_windows import assert_close, read_apart, slow_spreads

FLOAT32 = 1e-6
"""The sums are kept as float32."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


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
    assert reference_spreads(ledger, made) == ReferenceSpreads()


def log_days(ledger: Ledger, days: int) -> None:
    """Rows of a number of days, of a source and of none; the source has no rows in the last of them."""
    span = timedelta(days=days) * (1000 / 700)
    log_images(ledger, 700, observed=NOON, spread=span, sources=("a", None))
    log_images(ledger, 50, observed=NOON + timedelta(days=days), spread=timedelta(days=20), sources=(None,), seed=1)


@pytest.mark.parametrize(
    ("first", "span", "blocks"),
    [(0, 7 * DAY, 7), (10, 7 * DAY, 7), (10, 7.4 * DAY, 7), (0, 7.5 * DAY, 8), (50, 8 * DAY, 8), (10, 6.9 * DAY, 0)],
    ids=str,
)
def test_a_reference_keeps_how_much_its_hours_and_days_differ(
    ledger: Ledger, first: int, span: timedelta, blocks: int
) -> None:
    """Days are counted from the first hour; one that is mostly missing is left out."""
    log_days(ledger, 8)
    since, until = NOON + timedelta(minutes=first), NOON + timedelta(minutes=first) + span
    made = set_from_window(ledger, "normal", since, until, model=MODEL, note="", now=NOON)
    profiles, found = read_window(ledger, since, until, model=MODEL), reference_spreads(ledger, made)
    assert reference_profiles(ledger, made) == profiles
    pieces = [(max(NOON + day * DAY, since), min(NOON + day * DAY + DAY, until)) for day in range(blocks)]
    expected = daily_spreads([read_window(ledger, *piece, model=MODEL) for piece in pieces], profiles)
    assert_close(found.whole_days, expected.whole, FLOAT32)
    assert all(spread.pairs == blocks - 1 for spread in found.whole_days.values())
    hours = slow_spreads(ledger, since, until)
    assert found.by_source.keys() == profiles.keys() == hours.keys()
    for source, spread in found.by_source.items():
        assert_close(spread.days, expected.by_source.get(source, {}), FLOAT32)
        assert_close(spread.hours, hours[source], FLOAT32)


def test_a_reference_of_crowded_hours_keeps_how_much_they_differ(ledger: Ledger) -> None:
    """Of each source by its own name, also of those that had no place in their hour."""
    span = 8 * DAY * (1000 / 1400)
    log_images(ledger, 1400, spread=span, sources=tuple(f"camera-{number}" for number in range(70)))
    log_images(ledger, 140, spread=5 * HOUR, sources=tuple(f"camera-{number}" for number in range(70)), seed=1)
    since, until = NOON, NOON + 8 * DAY
    assert ledger.profiles.crowded_hours(hour_of(since), hour_of(until), MODEL)
    made = set_from_window(ledger, "normal", since, until, model=MODEL, note="", now=NOON)
    profiles, found = read_apart(ledger, since, until, model=MODEL), reference_spreads(ledger, made)
    assert reference_profiles(ledger, made) == profiles
    assert len(profiles) == 70
    pieces = [(since + day * DAY, since + (day + 1) * DAY) for day in range(8)]
    expected = daily_spreads([read_apart(ledger, *piece, model=MODEL) for piece in pieces], profiles)
    assert_close(found.whole_days, expected.whole, FLOAT32)
    hours = slow_spreads(ledger, since, until, read_apart)
    assert found.by_source.keys() == profiles.keys()
    for source, spread in found.by_source.items():
        assert_close(spread.days, expected.by_source[source], FLOAT32)
        assert_close(spread.hours, hours[source], FLOAT32)


def test_a_reference_of_too_many_sources_keeps_no_spreads(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of a source that had no place in its hour are under `other`."""
    monkeypatch.setattr(source_buckets, "MOST_SOURCES", 69)
    log_images(ledger, 140, spread=7 * HOUR, sources=tuple(f"camera-{number}" for number in range(70)))
    made = set_from_window(ledger, "normal", NOON, NOON + 8 * DAY, model=MODEL, note="", now=NOON)
    assert reference_profiles(ledger, made) == read_window(ledger, NOON, NOON + 8 * DAY, model=MODEL)
    assert "other" in reference_profiles(ledger, made)
    assert reference_spreads(ledger, made) == ReferenceSpreads()


def test_a_source_that_is_called_other_keeps_its_spreads(ledger: Ledger) -> None:
    """As long as every source has a place in its hour, no row of another one is under that name."""
    sources = ("other", *(f"camera-{number}" for number in range(MAX_SOURCES - 1)))
    log_images(ledger, 640, spread=5 * HOUR, sources=sources)
    made = set_from_window(ledger, "normal", NOON, NOON + 8 * DAY, model=MODEL, note="", now=NOON)
    found = reference_spreads(ledger, made)
    assert found.by_source.keys() == reference_profiles(ledger, made).keys() == set(sources)
    assert found.by_source["other"].hours


def test_the_newest_is_found_without_a_name(ledger: Ledger) -> None:
    with pytest.raises(FacemonError, match="no reference has been set"):
        find_reference(ledger, None)
    table = pa.table({"a": [1]})
    # The one that was set last, not that of the latest time: the clock may have been wrong.
    for name, age in (("old", 2), ("newer", 0), ("newest", 1)):
        set_from_table(ledger, name, table, kind="labels", note="", now=NOON - age * HOUR)
    assert [reference.name for reference in list_references(ledger)] == ["newest", "newer", "old"]
    assert find_reference(ledger, None).name == "newest"
    assert find_reference(ledger, "old").name == "old"
    with pytest.raises(FacemonError, match="no reference 'odl'") as caught:
        find_reference(ledger, "odl")
    assert caught.value.hint == "did you mean old? choose one of: newest, newer, old"
    assert caught.value.exit_code is ExitCode.USAGE


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
    assert children.crash_everywhere("refer", tmp_path, at_length=at_length) >= 12


def test_a_hint_names_a_few_of_many(ledger: Ledger) -> None:
    for number in range(12):
        set_from_table(ledger, f"r{number}", pa.table({"a": [1]}), kind="labels", note="", now=NOON)
    with pytest.raises(UsageError) as caught:
        find_reference(ledger, "zzz")
    assert caught.value.hint == (
        "choose one of: r11, r10, r9, r8, r7, r6, r5, r4, r3, r2 and 2 more: facemon reference list"
    )
