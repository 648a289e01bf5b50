"""The promise of rows is kept in simulated windows, and is not made where rows decide nothing."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from facemon.config.drift import DriftConfig
from facemon.config.model import AttributeConfig
from facemon.domain.drift_result import Check, ColumnResult, DriftResult, Verdict
from facemon.domain.explanation import RowsToDecide
from facemon.domain.profile import ColumnKind, binned_counts, categorical_counts
from facemon.domain.spread import Spread
from facemon.drift.drift_check import run_checks
from facemon.drift.lacking_rows import lacking_rows
from facemon.drift.rows_to_decide import rows_to_decide
from facemon.drift.sample import Sample
from tests.drift.worlds import EMPTY, NOW, binary, cameras, single, yes_no
from tests.short_form import examples

Shares = Sequence[float] | NDArray[np.float64]

EVEN, RARE = np.full(7, 1 / 7), np.array([0.9, 0.05, 0.03, 0.01, 0.005, 0.003, 0.002])
BELL = np.exp(-0.5 * ((np.arange(200) - 100) / 30) ** 2)
BELL /= BELL.sum()


def labels(counts: NDArray[np.int64]) -> Sample:
    return single(beard=categorical_counts({f"label {at}": int(count) for at, count in enumerate(counts)}))


def numbers(counts: NDArray[np.int64]) -> Sample:
    return single(beard_value=binned_counts(np.arange(len(counts), dtype=np.int32), counts, ColumnKind.NUMBER))


def checked(reference: Sample, current: Sample, **given: object) -> DriftResult:
    is_number = reference.column("beard_value") is not None
    attribute = AttributeConfig(name="beard", output="out", kind="number") if is_number else binary("beard")
    return run_checks(
        reference,
        current,
        checks=[Check.MODEL],
        attributes=[attribute],
        settings=DriftConfig.model_validate(given),
        at=NOW,
        reference_side=EMPTY,
        current_side=EMPTY,
    )


def beard(result: DriftResult) -> ColumnResult:
    (column,) = result.checks[Check.MODEL].columns
    return column


def lacking(reference: Sample, current: Sample, **given: object) -> RowsToDecide | None:
    result = checked(reference, current, **given)
    columns = result.checks[Check.MODEL].columns
    found = lacking_rows(result, Check.MODEL, columns, reference, current, DriftConfig.model_validate(given))
    (rows,) = found.values()
    return rows


def moved(shares: Shares, by: float, at: int, to: int) -> NDArray[np.float64]:
    changed = np.array(shares, dtype=np.float64)
    changed[at] -= by
    changed[to] += by
    return changed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "normal", "now", "rows", "min_rows"),
    [
        pytest.param(labels, [0.7, 0.3], [0.7, 0.3], 120, 20, id="two labels, quiet"),
        pytest.param(labels, [0.7, 0.3], [0.62, 0.38], 120, 20, id="two labels, moved"),
        pytest.param(labels, [0.7, 0.3], [0.645, 0.355], 300, 20, id="two labels, moved to the threshold"),
        pytest.param(labels, [0.7, 0.3], [0.7, 0.3], 120, 200, id="two labels, fewer than min_rows"),
        pytest.param(labels, EVEN, EVEN, 220, 200, id="seven labels, quiet"),
        pytest.param(labels, EVEN, moved(EVEN, 0.06, 0, 1), 300, 200, id="seven labels, moved"),
        pytest.param(labels, RARE, RARE, 60, 20, id="rare labels, quiet"),
        pytest.param(labels, RARE, moved(RARE, 0.06, 0, 4), 100, 20, id="rare labels, moved"),
        pytest.param(numbers, BELL, BELL, 150, 20, id="numbers, quiet"),
        pytest.param(numbers, BELL, np.roll(BELL, 5), 220, 200, id="numbers, moved"),
    ],
)
def test_the_promised_rows_decide(
    make: Callable[[NDArray[np.int64]], Sample], normal: Shares, now: Shares, rows: int, min_rows: int
) -> None:
    """At least 80 % of windows with a fifth more rows, and not yet 99 % of those with a third fewer."""
    random = np.random.default_rng(3)
    reference = make(random.multinomial(10_000, normal))
    undecided = (random.multinomial(rows, now) for _ in range(100))
    counts = next(
        each
        for each in undecided
        if beard(checked(reference, make(each), min_rows=min_rows)).verdict is Verdict.UNDECIDED
    )
    found = lacking(reference, make(counts), min_rows=min_rows)
    assert found is not None
    assert found.rows is not None
    assert found.rows > 0

    def decided(total: float) -> float:
        windows = random.multinomial(round(total), counts / counts.sum(), 150)
        verdicts = [beard(checked(reference, make(each), min_rows=min_rows)).verdict for each in windows]
        return sum(verdict is not Verdict.UNDECIDED for verdict in verdicts) / len(verdicts)

    total = rows + found.rows
    # Three standard errors of 150 windows.
    assert decided(1.2 * total) >= 0.8 - 0.1
    assert decided(1.0 * total) >= 0.75 - 0.1
    if 0.67 * total > rows:
        assert decided(0.67 * total) < 0.99


@settings(max_examples=examples(0.5))
@given(st.integers(0, 400), st.integers(20, 400), st.integers(200, 4_000), st.integers(0, 100))
def test_it_never_promises_nothing(yes: int, rows: int, before: int, percent: int) -> None:
    """An undecided column lacks at least one row, or more rows decide nothing and it says why."""
    reference = single(beard=yes_no(before * percent // 100, before))
    found = lacking(reference, single(beard=yes_no(min(yes, rows), rows)), min_rows=20)
    if found is not None:
        assert (found.rows or 0) > 0 or found.reason


def test_a_reference_that_is_too_small_is_told_and_how_large_it_must_be() -> None:
    current = single(beard=yes_no(3000, 10_000))
    found = lacking(single(beard=yes_no(75, 250)), current, model={"threshold": 0.02})
    assert found is not None
    assert found.rows is None
    assert found.reason is not None
    assert found.reason.startswith("the reference is too small: it takes one of about ")
    assert found.remedy == "facemon reference set with a longer --since"
    least = int(found.reason.removesuffix(" rows").rpartition(" ")[2].replace(",", ""))
    plenty = single(beard=yes_no(300_000, 1_000_000))
    for rows, verdict in ((least, Verdict.OK), (least // 2, Verdict.UNDECIDED)):
        larger = single(beard=yes_no(rows * 3 // 10, rows))
        assert beard(checked(larger, plenty, model={"threshold": 0.02})).verdict is verdict


def test_fewer_reference_rows_than_min_rows_are_told() -> None:
    found = lacking(single(beard=yes_no(30, 100)), single(beard=yes_no(3000, 10_000)))
    assert found == RowsToDecide(
        None, "the reference holds 100 rows, fewer than min_rows 200", "facemon reference set with a longer --since"
    )


def test_without_the_samples_the_number_follows_from_the_result() -> None:
    column = beard(checked(single(beard=yes_no(3000, 10_000)), single(beard=yes_no(33, 100)), min_rows=20))
    found = rows_to_decide(column, DriftConfig(min_rows=20))
    assert found is not None
    assert 20 < (found.rows or 0) < 1_000
    # What would say "about 0 more rows" says nothing.
    assert rows_to_decide(replace(column, detectable=0.05), DriftConfig(min_rows=20)) is None
    clustered = replace(column, test="cluster-robust t over 9 sources and 9 sources")
    assert (rows_to_decide(clustered, DriftConfig(min_rows=20)) or RowsToDecide(1)).rows is None
    assert rows_to_decide(replace(column, verdict=Verdict.OK), DriftConfig()) is None


def test_few_of_many_sources_that_moved_are_judged_by_source() -> None:
    """Three of forty cameras moved far: over all it is undecided, however many rows these forty have."""
    random, sizes = np.random.default_rng(1), np.full(40, 400)
    rates = np.full(40, 0.3)
    now = rates.copy()
    now[:3] = 0.95
    found = lacking(cameras(random, rates, sizes), cameras(random, now, sizes), model={"threshold": 0.04})
    assert found is not None
    assert found.rows is None
    assert "more rows of the same sources do not narrow" in (found.reason or "")
    assert "facemon drift-check --by source" in (found.remedy or "")


def test_other_sources_need_more_sources() -> None:
    random, rates = np.random.default_rng(2), np.linspace(0.1, 0.9, 8)
    sides = [cameras(random, rates, np.full(8, 300), name=name) for name in ("street", "hall")]
    found = lacking(*sides)
    assert found is not None
    assert found.rows is None
    assert "it takes more sources, not more rows of these" in (found.reason or "")
    few = lacking(sides[0], cameras(random, rates[:3], np.full(3, 300), name="yard"))
    assert few is not None
    assert "3 are too few" in (few.reason or "")


def with_days(sample: Sample, deviation: float, days: int) -> Sample:
    """A reference whose daily share of beards has a standard deviation."""
    spread = Spread(np.full(2, deviation**2), 1.0, days - 1, labels=("no", "yes"))
    return replace(sample, whole_days={"beard": spread})


def test_days_that_differ_ask_for_rows_of_other_days() -> None:
    reference = with_days(single(beard=yes_no(6_000, 20_000)), 0.04, 28)
    found = lacking(reference, replace(single(beard=yes_no(600, 2_000)), days=1.0))
    assert found is not None
    assert found.rows is not None
    assert found.remedy is not None
    assert found.remedy.startswith("more rows of the same days do not decide, because days differ; at this rate ")
    days = 1 + found.rows / 2_000
    later = replace(single(beard=yes_no(round(600 * days), round(2_000 * days))), days=days)
    assert beard(checked(reference, later)).verdict is Verdict.OK
    same_days = replace(single(beard=yes_no(60_000, 200_000)), days=1.0)
    assert beard(checked(reference, same_days)).verdict is Verdict.UNDECIDED


def test_a_reference_of_too_few_days_is_told() -> None:
    reference = with_days(single(beard=yes_no(6_000, 20_000)), 0.15, 7)
    found = lacking(reference, replace(single(beard=yes_no(600, 2_000)), days=1.0))
    assert found is not None
    assert found.rows is None
    assert "the days of the reference differ" in (found.reason or "")
    assert "a reference of more days" in (found.remedy or "")


def test_it_says_over_how_many_days_so_many_rows_are_found() -> None:
    reference, current = single(beard=yes_no(3_000, 10_000)), replace(single(beard=yes_no(33, 100)), days=1.0)
    found = lacking(reference, current, min_rows=20)
    assert found is not None
    assert found.rows is not None
    days = -(-(100 + found.rows) // 100)
    assert found.remedy == f"at this rate {days} days hold so many: facemon drift-check --since {days}d compares them"
