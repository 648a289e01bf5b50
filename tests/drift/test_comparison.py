from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.drift_result import Check, ColumnResult, Verdict
from facemon.domain.profile import MISSING_LABEL, ColumnCounts, Profile, Unit, add_profiles, categorical_counts
from facemon.drift.sample import Sample
from tests.drift.worlds import cameras, correlated_attributes, judge, numbers, profile, single, yes_no
from tests.short_form import combinations

profiles = st.lists(
    st.tuples(st.integers(0, 300), st.integers(300, 600), st.integers(0, 9)), min_size=2, max_size=8
).map(
    lambda parts: [
        profile({"beard": yes_no(yes, rows), "image_size": numbers(np.full(rows, 100.0 + size))})
        for yes, rows, size in parts
    ]
)


def only(sample: Sample, other: Sample, **options: object) -> ColumnResult:
    return judge(sample, other, "beard", check=Check.MODEL, **options).columns[0]


def test_drift_needs_the_threshold_and_the_proof() -> None:
    found = only(single(beard=yes_no(3000, 10_000)), single(beard=yes_no(400, 1000)))
    assert found.verdict is Verdict.DRIFT
    assert found.score == pytest.approx(0.1)
    assert found.p_adjusted == found.p_value
    assert (found.n_reference, found.n_current, found.threshold) == (10_000, 1000, 0.05)
    assert (found.method, found.measure, found.attribute, found.reason) == ("total_variation", "label", "beard", None)


def test_a_proven_shift_below_the_threshold_is_ok() -> None:
    found = only(single(beard=yes_no(30_000, 100_000)), single(beard=yes_no(32_000, 100_000)))
    assert found.p_value is not None
    assert found.p_value < 1e-9
    assert found.verdict is Verdict.OK


def test_a_shift_that_is_not_proven_is_undecided() -> None:
    found = only(single(beard=yes_no(5000, 10_000)), single(beard=yes_no(113, 205)))
    assert found.verdict is Verdict.UNDECIDED
    assert found.reason is not None
    assert "do not prove it" in found.reason


def test_rows_that_could_not_show_a_shift_do_not_rule_drift_out() -> None:
    found = only(single(beard=yes_no(5000, 10_000)), single(beard=yes_no(500, 1000)), model={"threshold": 0.01})
    assert found.verdict is Verdict.UNDECIDED
    assert found.reason is not None
    assert "not enough data to rule out drift" in found.reason


@pytest.mark.parametrize(
    ("reference", "current", "reason"),
    [
        (10_000, 120, "120 rows, fewer than min_rows 200"),
        (150, 1000, "150 rows in the reference, fewer than min_rows 200"),
        (10_000, 1, "1 row, fewer than min_rows 200"),
    ],
)
def test_few_rows_are_undecided_however_far_apart(reference: int, current: int, reason: str) -> None:
    found = only(single(beard=yes_no(0, reference)), single(beard=yes_no(current, current)))
    assert (found.verdict, found.reason, found.score, found.p_value) == (Verdict.UNDECIDED, reason, 1, None)


def test_a_missing_column_is_undecided_and_named_with_its_neighbours() -> None:
    current = replace(single(bear=yes_no(1, 500)), names=("bear", "age"))
    found = only(single(beard=yes_no(100, 500)), current)
    assert found.verdict is Verdict.UNDECIDED
    assert found.reason == "the current data has no such column; the nearest are bear"


def test_no_faces_at_all_are_no_rows() -> None:
    current = Sample.of_rows(Profile(500, 0, 0, {"image_failed": yes_no(0, 500, Unit.IMAGE)}))
    found = only(single(beard=yes_no(100, 500)), current)
    assert (found.verdict, found.reason) == (Verdict.UNDECIDED, "0 rows, fewer than min_rows 200")


def test_an_attribute_that_the_reference_lacks_is_undecided() -> None:
    outcome = judge(
        single(beard=yes_no(100, 500)), single(beard=yes_no(100, 500), glasses=yes_no(1, 500)), "beard", "glasses"
    )
    assert [column.verdict for column in outcome.columns] == [Verdict.OK, Verdict.UNDECIDED]
    assert outcome.verdict is Verdict.UNDECIDED
    assert outcome.columns[1].reason == "the reference has no column glasses: compare with one that has it"


def test_a_data_column_that_the_reference_lacks_is_not_compared() -> None:
    side = single(width=yes_no(100, 500))
    outcome = judge(side, single(width=yes_no(100, 500), depth=yes_no(1, 500)), check=Check.DATA)
    assert {column.column: column.verdict for column in outcome.columns} == {
        "width": Verdict.OK, "depth": Verdict.NOT_COMPARED,
    }  # fmt: skip
    assert outcome.verdict is Verdict.OK
    outcome = judge(single(other=yes_no(1, 500)), single(depth=yes_no(1, 500)), check=Check.DATA)
    assert outcome.verdict is Verdict.UNDECIDED


def test_identifiers_and_faulty_columns() -> None:
    side = single(image_size=yes_no(100, 500))
    odd = replace(side, not_comparable={"id": "it names single rows"}, faulty={"width": "it mixes numbers and text"})
    outcome = judge(odd, side, check=Check.DATA)
    found = {column.column: (column.verdict, column.reason) for column in outcome.columns}
    assert found["id"] == (Verdict.NOT_COMPARED, "it names single rows in the reference")
    assert found["width"] == (Verdict.UNDECIDED, "it mixes numbers and text in the reference")


NOTHING = {
    "number": numbers(np.full(500, np.nan)),
    "label": categorical_counts({MISSING_LABEL: 500}, Unit.FACE),
}


@pytest.mark.parametrize("nothing", NOTHING.values(), ids=NOTHING.keys())
def test_what_has_no_value_on_either_side_is_never_ok(nothing: ColumnCounts) -> None:
    side = single(image_size=nothing, image_faces=yes_no(5, 500))
    data = judge(side, side, check=Check.DATA)
    assert {column.column: (column.verdict, column.reason) for column in data.columns} == {
        "image_size": (Verdict.NOT_COMPARED, "no value on either side"), "image_faces": (Verdict.OK, None),
    }  # fmt: skip
    assert data.verdict is Verdict.OK
    side = single(beard=nothing)
    model = judge(side, side, "beard", check=Check.MODEL)
    assert (model.columns[0].verdict, model.columns[0].reason) == (Verdict.NOT_COMPARED, "no value on either side")
    assert model.verdict is Verdict.UNDECIDED, "a check that compared nothing"


@pytest.mark.parametrize("nothing", NOTHING.values(), ids=NOTHING.keys())
def test_values_that_come_or_go_are_drift(nothing: ColumnCounts) -> None:
    some = numbers(np.arange(500.0)) if nothing.bins.size else yes_no(5, 500)
    for sides in ((single(beard=nothing), single(beard=some)), (single(beard=some), single(beard=nothing))):
        assert only(*sides).verdict is Verdict.DRIFT


def test_numbers_that_became_labels_are_undecided() -> None:
    found = judge(single(image_size=numbers(np.arange(300.0))), single(image_size=yes_no(1, 300)), check=Check.DATA)
    assert found.columns[0].reason == "numbers in the reference, labels in the current data"
    assert found.verdict is Verdict.UNDECIDED


def test_a_column_may_have_its_own_threshold() -> None:
    sides = single(beard=yes_no(200, 10_000)), single(beard=yes_no(600, 10_000))
    assert only(*sides).verdict is Verdict.OK
    assert only(*sides, columns={"beard": {"threshold": 0.02}}).verdict is Verdict.DRIFT


def test_p_values_are_adjusted_over_the_tested_columns_only() -> None:
    reference = single(a=yes_no(300, 1000), b=yes_no(300, 1000), c=yes_no(3, 10))
    current = single(a=yes_no(345, 1000), b=yes_no(300, 1000), c=yes_no(3, 10))
    columns = judge(reference, current, "a", "b", "c").columns
    assert columns[0].p_adjusted == pytest.approx(2 * (columns[0].p_value or 0))
    assert columns[2].p_adjusted is None


def test_the_data_check_lists_the_features_in_their_order() -> None:
    side = single(
        image_faces=numbers(np.full(500, 1.0)), image_brightness=numbers(np.full(500, 9.0)), beard=yes_no(5, 500)
    )
    outcome = judge(side, side, "beard", check=Check.DATA)
    assert [column.column for column in outcome.columns] == ["image_brightness", "image_faces"]
    assert outcome.verdict is Verdict.OK


@given(profiles)
def test_a_reference_against_itself_scores_0_and_never_drifts(parts: list[Profile]) -> None:
    by_camera = Sample.of_sources({f"camera {at}": part for at, part in enumerate(parts)})
    for sample in (Sample.of_rows(add_profiles(parts)), by_camera):
        for check in (Check.MODEL, Check.DATA):
            outcome = judge(sample, sample, "beard", check=check)
            assert all(column.score == 0 for column in outcome.columns)
            assert outcome.verdict in (Verdict.OK, Verdict.UNDECIDED)


@given(profiles, st.data())
def test_the_grouping_of_profiles_changes_nothing(parts: list[Profile], data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(parts) - 1))
    order = data.draw(st.permutations(parts))
    whole = Sample.of_rows(add_profiles(parts))
    regrouped = Sample.of_rows(add_profiles([add_profiles(order[cut:]), add_profiles(order[:cut])]))
    other = Sample.of_rows(parts[0])
    assert judge(whole, other, "beard") == judge(regrouped, other, "beard")
    assert judge(other, whole, check=Check.DATA) == judge(other, regrouped, check=Check.DATA)


SHARES = np.random.default_rng(0).beta(0.7, 2, 40) * 0.9 + 0.01


@pytest.mark.slow
@pytest.mark.long_proof
@pytest.mark.parametrize(("rows", "threshold"), combinations([200, 1000], [0.0, 0.05]))
def test_quiet_days_of_forty_attributes(rows: int, threshold: float, at_length: bool) -> None:
    rng = np.random.default_rng(51)
    names = [f"a{at}" for at in range(40)]
    repeats, alarms, quiet = 150 if at_length else 50, 0, 0
    for _ in range(repeats):
        sides = correlated_attributes(rng, 10_000, SHARES), correlated_attributes(rng, rows, SHARES)
        outcome = judge(*sides, *names, model={"threshold": threshold})
        alarms += outcome.verdict is Verdict.DRIFT
        quiet += sum(column.verdict is Verdict.OK for column in outcome.columns)
    assert alarms / repeats <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / repeats)
    if threshold and rows >= 1000:
        assert quiet / repeats / 40 >= 0.9


def test_eight_points_are_found_with_a_thousand_rows() -> None:
    rng = np.random.default_rng(52)
    found = [
        only(single(beard=yes_no(int(a), 10_000)), single(beard=yes_no(int(b), 1000))).verdict is Verdict.DRIFT
        for a, b in zip(rng.binomial(10_000, 0.3, 300), rng.binomial(1000, 0.38, 300), strict=True)
    ]
    assert np.mean(found) >= 0.95


def test_eight_points_on_twenty_cameras_are_found() -> None:
    rng = np.random.default_rng(53)
    found = []
    for _ in range(150):
        rates = rng.beta(0.3 * 9, 0.7 * 9, 20)
        before = cameras(rng, rates, np.full(20, 500))
        after = cameras(rng, np.clip(rates + 0.08, 0, 1), np.full(20, 50))
        found.append(only(before, after).verdict is Verdict.DRIFT)
    assert np.mean(found) >= 0.9
