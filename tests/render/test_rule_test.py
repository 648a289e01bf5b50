"""The timeline of generated tests: turns tell times apart, and counts give shares to the last bit."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from facemon.render.rule_test import Phases, after, input_series, turn_of_hold, turn_of_window, up_to, window_turns
from facemon.render.scenario import Burst, Clock, Gauge, Growth
from facemon.render.traffic import error_counts_around, error_counts_at, fewer

lengths = st.integers(min_value=5, max_value=10**11)


@given(lengths)
def test_a_burst_is_seen_within_its_window_and_not_after_it(window: int) -> None:
    turn, last, gone = window_turns(window)
    assert turn <= last < window < gone
    assert last >= 0.75 * window
    assert gone <= 1.25 * window


@given(st.integers(min_value=2, max_value=10**11))
def test_half_of_a_time_is_over_before_its_last_turn(held: int) -> None:
    turn = turn_of_hold(held)
    assert held / 2 <= up_to(held, turn) < held <= after(held, turn) <= 1.5 * held


@given(lengths, lengths)
def test_turns_of_any_two_rules_fit_into_one_file(one: int, other: int) -> None:
    fine, coarse = sorted((turn_of_window(one), turn_of_hold(other)))
    assert coarse % fine == 0


def test_series_follow_their_phases() -> None:
    signals = (
        Gauge("a", 1, 0),
        Gauge("b", 1, None),
        Clock("c", 5),
        Growth("d", 2),
        Burst("e", 7),
        Burst("f", 7, late=True),
    )
    values = {row["series"]: row["values"] for row in input_series(signals, Phases(1000, 2000, 4000, 6000))}
    assert values == {
        "a": "1+0x1 0+0x2 1+0x1",
        "b": "1+0x1 stale _x2 1+0x1",
        "c": "-5+1x6",
        "d": "_x1 0 2+2x2 6+0x1",
        "e": "0 7+0x5",
        "f": "_x5 0 7",
    }


@given(st.integers(1, 999), st.integers(0, 1000), st.integers(500, 10**6))
def test_the_share_of_errors_at_a_limit_is_the_limit(thousandths: int, least: int, window: int) -> None:
    limit = thousandths / 1000
    errors, others = error_counts_at(limit, least, window)
    per_second = 1.0 / (window // 1000 + window % 1000 / 1000)
    assert errors * per_second / (errors * per_second + others * per_second) == limit
    assert errors + others >= least


@given(st.floats(0, 0.99), st.integers(0, 10**9))
def test_errors_around_a_limit_are_next_to_it(limit: float, least: int) -> None:
    under, over, every = error_counts_around(limit, least)
    assert every >= least
    assert Fraction(under, every) <= Fraction(repr(limit)) < Fraction(over, every)
    assert over - under <= 2


@given(st.integers(1, 10**9))
def test_too_few_are_fewer_by_less_than_a_mutant_changes(least: int) -> None:
    assert least * 0.99 <= fewer(least) < least or least - fewer(least) == 1
