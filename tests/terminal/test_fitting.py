"""What a terminal of any width shows of a table: laws over random columns, and examples."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.reports.printed_parts import Table
from facemon.terminal.drawn_table import GAP, DrawnTable, drawn_table
from facemon.terminal.fitting import Column, fitted_widths


@st.composite
def columns(draw: st.DrawFn) -> list[Column]:
    """Up to eight columns with importances of their own."""
    count = draw(st.integers(1, 8))
    order = draw(st.permutations(range(count)))
    found = []
    for importance in order:
        width = draw(st.integers(1, 60))
        found.append(Column(width, draw(st.integers(1, width)), importance))
    return found


@given(columns(), st.integers(1, 200), st.integers(0, 3))
def test_fitted_columns(given_columns: list[Column], room: int, gap: int) -> None:
    widths = fitted_widths(given_columns, room, gap)
    kept = [(column, width) for column, width in zip(given_columns, widths, strict=True) if width]
    left_out = [column for column, width in zip(given_columns, widths, strict=True) if not width]
    assert sum(width for _, width in kept) + gap * (len(kept) - 1) <= room
    assert kept
    assert all(width <= column.width for column, width in kept)
    assert all(width >= min(column.least, room) for column, width in kept)
    most_kept = max(column.importance for column, _ in kept)
    assert all(column.importance > most_kept for column in left_out)
    wider = fitted_widths(given_columns, room + 1, gap)
    assert all(width or not narrow for width, narrow in zip(wider, widths, strict=True))
    needed = sum(column.width for column in given_columns) + gap * (len(given_columns) - 1)
    if needed <= room:
        assert list(widths) == [column.width for column in given_columns]
    elif not left_out or len(kept) > 1:
        narrowed = [column for column, width in kept if width < column.width]
        assert left_out or narrowed


CHECK = Table(
    ("check", "column", "verdict", "rows", "why"),
    (
        ("data", "image_brightness", "drift", "4,000 / 3,000", ""),
        ("model", "gender_confidence", "undecided", "40 / 30", "fewer rows than drift.min_rows"),
        ("model", "age", "undecided", "40 / 30", "fewer rows than drift.min_rows"),
    ),
    importance=("column", "verdict", "check"),
    reasons=("why",),
)


def drawn(table: Table, room: int) -> DrawnTable:
    return drawn_table(table, room, len)


def test_in_a_wide_terminal_all_is_shown() -> None:
    found = drawn(CHECK, 120)
    assert (found.headings, found.rows, found.below) == (CHECK.headings, CHECK.rows, ())


def test_reasons_go_below_each_once() -> None:
    found = drawn(CHECK, 60)
    assert found.headings == ("check", "column", "verdict", "rows")
    assert found.below == ("gender_confidence, age: fewer rows than drift.min_rows",)


def test_what_is_left_out_is_said() -> None:
    found = drawn(CHECK, 40)
    assert found.headings == ("check", "column", "verdict")
    reason = "gender_confidence, age: fewer rows than drift.min_rows"
    assert found.below == (reason, "not shown for lack of room: rows")


def test_a_column_of_reasons_without_any_is_not_shown() -> None:
    table = Table(("column", "why"), (("age", ""),), reasons=("why",))
    assert (drawn(table, 80).headings, drawn(table, 80).below) == (("column",), ())


@pytest.mark.parametrize("room", [1, 5, 17, 24, 40, 60, 80, 200])
def test_no_width_is_too_small_and_names_stay_whole_where_they_can(room: int) -> None:
    found = drawn(CHECK, room)
    assert "column" in found.headings
    assert sum(found.widths) + GAP * (len(found.widths) - 1) <= room
    if room >= 24:
        assert found.widths[found.headings.index("column")] == len("gender_confidence")


def test_a_name_that_is_longer_than_the_terminal_leaves_room_for_what_is_said_of_it() -> None:
    table = Table(("image", "outcome"), (("photos/" * 30, "unreadable"),), importance=("image", "outcome"))
    found = drawn(table, 80)
    assert found.headings == ("image", "outcome")
    assert found.rows == table.rows


def test_facts_are_wrapped_and_never_left_out() -> None:
    table = Table(
        ("what", "value"), (("first observed at", "2026-11-25T23:10:53.184519Z"), ("note", "before the lamps"))
    )
    for room in (30, 38, 80):
        found = drawn(table, room)
        assert (found.headings, found.below) == (("what", "value"), ())


def test_a_terminal_may_be_shown_other_rows_and_a_program_gets_all() -> None:
    few = replace(CHECK, rows=CHECK.rows[:1], below=("41 ok, --all shows them",))
    both = Table(CHECK.headings, CHECK.rows, for_terminal=few)
    assert drawn(both, 120).rows == (CHECK.rows[0][:-1],)
    assert drawn(both, 120).below == ("41 ok, --all shows them",)
    assert drawn(both.whole(), 120).rows == CHECK.rows
