"""Rows that are sought in the log equal those that plain Python finds in a list of all rows."""

import fnmatch
import operator
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.times import micros
from facemon.store import row_search, segment_writer
from facemon.store.compaction import compact
from facemon.store.ledger.protocol import Ledger
from facemon.store.row_conditions import (
    COMPARISONS,
    RowCondition,
    compares,
    fulfilling,
    has_failed,
    is_any_below,
    is_named,
    is_none_of,
    is_one_of,
)
from facemon.store.row_search import FoundRows, RowSearch, all_rows, first_rows
from tests.store.damage import truncate
from tests.store.log_rows import MODEL, NOON, SCHEMA, log_images

Row = Mapping[str, Any]
Holds = Callable[[Row], bool]
SIGNS = {"=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
CONDITIONS: list[tuple[RowCondition, Holds]] = [
    (is_one_of("gender", ["male"]), lambda row: row["gender"] == "male"),
    (is_none_of("gender", ["male"]), lambda row: row["gender"] == "female"),
    (is_one_of("source", ["gate", "yard"]), lambda row: row["source"] in ("gate", "yard")),
    (is_one_of("error", ["no_face"]), lambda row: row["error"] == "no_face"),
    (has_failed(), lambda row: row["error"] == "unreadable"),
    (is_named("*7?.jpg"), lambda row: fnmatch.fnmatchcase(row["image"], "*7?.jpg")),
    (compares("age_value", "<", 20.5), lambda row: row["age_value"] is not None and row["age_value"] < 20.5),
    (
        is_any_below(["gender_confidence", "age_confidence"], 0.55),
        lambda row: any((row[f"{name}_confidence"] or 1) < 0.55 for name in ("gender", "age")),
    ),
    (is_one_of("no_such_column", ["male"]), lambda _: False),
]


def newest_first(row: Row) -> tuple[Any, ...]:
    time = -micros(row["observed_at"]), -micros(row["predicted_at"])
    return *time, tuple(-ord(letter) for letter in row["run"]), -row["ordinal"], row["face"] or 0


@pytest.fixture
def rows(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> list[Row]:
    """A log whose segments overlap in time, some in files and some in the ledger; each of its rows."""
    spread, sources = timedelta(hours=30), ("gate", "yard", None)
    monkeypatch.setattr(segment_writer, "INLINE_ROWS", 1)
    log_images(ledger, 300, spread=spread, sources=sources)
    log_images(ledger, 200, observed=NOON + timedelta(hours=3), spread=-spread, sources=sources, seed=1)
    compact(ledger, NOON + timedelta(days=9))
    log_images(ledger, 120, observed=NOON + timedelta(hours=5), sources=sources, seed=2)
    monkeypatch.setattr(segment_writer, "INLINE_ROWS", 1_000)
    log_images(ledger, 110, observed=NOON + timedelta(hours=2), spread=spread, seed=3)
    found = list(all_rows(ledger, RowSearch(MODEL), SCHEMA, []))
    assert {segment.path is None for segment in ledger.segments.within()} == {True, False}
    return sorted((row for table in found for row in table.to_pylist()), key=newest_first)


@pytest.mark.parametrize("most", [1, 7, 100, 10_000])
@pytest.mark.parametrize("at", range(len(CONDITIONS)))
def test_conditions(ledger: Ledger, rows: list[Row], at: int, most: int) -> None:
    condition, holds = CONDITIONS[at]
    wanted = [row for row in rows if holds(row)]
    found = first_rows(ledger, RowSearch(MODEL, conditions=(condition,)), most, SCHEMA)
    assert_the_first(found, wanted, most)


@pytest.mark.parametrize("most", [3, 50, 10_000])
def test_windows(ledger: Ledger, rows: list[Row], most: int) -> None:
    for begin, end in ((0, 4), (-1, 3), (2.5, 2.6), (5, 5.0001), (30, 31)):
        since, until = (NOON + timedelta(hours=hours) for hours in (begin, end))
        wanted = [row for row in rows if since <= row["observed_at"] < until]
        found = first_rows(ledger, RowSearch(MODEL, micros(since), micros(until)), most, SCHEMA)
        assert_the_first(found, wanted, most)
    assert_the_first(first_rows(ledger, RowSearch(MODEL), most, SCHEMA), rows, most)


def assert_the_first(found: FoundRows, wanted: list[Row], most: int) -> None:
    """The first rows were found, in order; of those that were observed at the time of the last one, some."""
    chosen = found.rows.to_pylist()
    assert (found.matched, len(chosen), found.left_out) == (len(wanted), min(most, len(wanted)), [])
    assert chosen == sorted(chosen, key=newest_first)
    last = chosen[-1]["observed_at"] if chosen else None
    assert [row for row in chosen if row["observed_at"] != last] == [
        row for row in wanted[:most] if row["observed_at"] != last
    ]
    assert all(row in wanted for row in chosen)


def test_conditions_hold_together(ledger: Ledger, rows: list[Row], monkeypatch: pytest.MonkeyPatch) -> None:
    both = [CONDITIONS[at] for at in (0, 6)]
    wanted = [row for row in rows if all(holds(row) for _, holds in both)]
    search = RowSearch(MODEL, conditions=tuple(condition for condition, _ in both))
    assert_the_first(first_rows(ledger, search, 20, SCHEMA), wanted, 20)
    monkeypatch.setattr(row_search, "_ROWS_AT_ONCE", 7)
    found = [row for table in all_rows(ledger, search, SCHEMA, []) for row in table.to_pylist()]
    assert sorted(found, key=newest_first) == wanted


def test_another_models_rows_are_not_found(ledger: Ledger) -> None:
    log_images(ledger, 10)
    assert first_rows(ledger, RowSearch("other@1"), 5, SCHEMA).matched == 0


def test_a_damaged_segment_is_named_and_the_others_are_read(ledger: Ledger, rows: list[Row]) -> None:
    hurt = next(segment for segment in ledger.segments.within() if segment.path is not None)
    truncate(ledger.folder / str(hurt.path))
    left_out: list[Any] = []
    found = first_rows(ledger, RowSearch(MODEL, conditions=(is_named("*"),)), 10_000, SCHEMA)
    again = sum(table.num_rows for table in all_rows(ledger, RowSearch(MODEL), SCHEMA, left_out))
    assert len(found.left_out) == len(left_out) == 1
    assert found.matched == again == len(rows) - hurt.rows


@given(st.text("a.b/[]!^-c*?\\", max_size=6), st.lists(st.text("a.b/]!^-c\\", max_size=6), max_size=5))
def test_patterns_match_as_those_of_a_shell(pattern: str, names: list[str]) -> None:
    table = pa.table({"image": pa.array(names, pa.string())})
    try:
        found = fulfilling(table, [is_named(pattern)]).tolist()
    except ValueError:
        assert re.search(r"\[.*-.*\]", pattern)
        return
    if "[" not in pattern:  # what is in brackets is read in ways of its own by fnmatch: see the examples
        ends = names if "/" in pattern else [name.rpartition("/")[2] for name in names]
        assert found == [fnmatch.fnmatchcase(end, pattern) for end in ends]


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("[ab].jpg", {"a.jpg", "x/a.jpg"}),
        ("[!a].jpg", {"c.jpg", "].jpg"}),
        ("[^a].jpg", {"c.jpg", "].jpg"}),
        ("[]c].jpg", {"c.jpg", "].jpg"}),
        ("x/*", {"x/a.jpg", "x/y/[1].jpg"}),
        ("[[]1].jpg", {"x/y/[1].jpg"}),
        ("*", {"a.jpg", "x/a.jpg", "c.jpg", "].jpg", "x/y/[1].jpg"}),
        ("a", set()),
    ],
)
def test_patterns_by_example(pattern: str, matched: set[str]) -> None:
    names = ["a.jpg", "x/a.jpg", "c.jpg", "].jpg", "x/y/[1].jpg"]
    found = fulfilling(pa.table({"image": names}), [is_named(pattern)])
    assert {name for name, is_found in zip(names, found.tolist(), strict=True) if is_found} == matched


@pytest.mark.parametrize("sign", COMPARISONS)
def test_a_number_that_is_missing_compares_with_nothing(sign: str) -> None:
    numbers = [1.0, 2.0, None, 3.0]
    found = fulfilling(pa.table({"age_value": pa.array(numbers, pa.float32())}), [compares("age_value", sign, 2)])
    assert found.tolist() == [number is not None and SIGNS[sign](number, 2) for number in numbers]


def test_memory_does_not_grow_with_the_log(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_writer, "INLINE_ROWS", 1)

    def peak() -> int:
        """The most bytes that Arrow has held since the first call."""
        pa.set_memory_pool(pool)
        try:
            first_rows(ledger, RowSearch(MODEL, conditions=(CONDITIONS[6][0],)), 50, SCHEMA)
            for _ in all_rows(ledger, RowSearch(MODEL), SCHEMA, []):
                pass
        finally:
            pa.set_memory_pool(usual)
        return int(pool.max_memory())

    usual, pool = pa.default_memory_pool(), pa.system_memory_pool()
    log_images(ledger, 2_000, batch=500, observed=NOON)
    small = peak()
    for hour in range(1, 9):
        log_images(ledger, 2_000, batch=500, observed=NOON + timedelta(hours=hour))
    assert peak() <= 2 * small
