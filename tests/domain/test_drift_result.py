import json
from datetime import UTC, datetime
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facemon.domain.drift_result import (
    Check,
    CheckResult,
    ColumnResult,
    DriftResult,
    Side,
    Verdict,
    from_document,
    overall,
    to_document,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
shares = st.none() | st.floats(0, 1)
times = st.datetimes(timezones=st.just(UTC))
columns = st.builds(
    ColumnResult, texts, st.sampled_from(["categorical", "number", "accuracy"]), st.sampled_from(Verdict), shares,
    shares, shares, st.integers(0), st.integers(0), st.none() | texts, shares, shares, st.none() | texts,
    st.none() | texts, st.sampled_from(["label", "confidence", "value", "accuracy"]), st.none() | texts,
)  # fmt: skip
checks = st.builds(CheckResult, st.sampled_from(Verdict), st.floats(0, 1), st.lists(columns, max_size=3).map(tuple))
results = st.builds(
    DriftResult, st.sampled_from(Verdict), times,
    st.builds(Side, st.integers(0), st.none() | texts, st.none() | texts, st.none() | times, st.none() | times),
    st.builds(Side, st.integers(0), st.none() | texts.filter(bool), st.none(), st.none() | times, st.none() | times),
    st.dictionaries(st.sampled_from(Check), checks), st.none() | texts, st.none() | texts,
    st.lists(texts, max_size=2).map(tuple), not_recorded_because=st.none() | texts,
)  # fmt: skip


@settings(deadline=None)
@given(results)
def test_a_result_comes_back_from_its_json(result: DriftResult) -> None:
    assert from_document(json.loads(json.dumps(to_document(result), allow_nan=False))) == result


def test_the_document_has_the_fixed_keys() -> None:
    column = ColumnResult(
        "gender", "categorical", Verdict.DRIFT, 0.121, 1e-9, 2e-9, 10000, 812, "total_variation", 0.04
    )
    result = DriftResult(
        Verdict.DRIFT, datetime(2026, 11, 23, tzinfo=UTC), Side(10000, "normal", "predictions"), Side(812),
        {Check.MODEL: CheckResult(Verdict.DRIFT, 0.05, (column,))},
    )  # fmt: skip
    document = to_document(result)
    assert document["schema"] == "facemon.drift/1"
    assert {"verdict", "at", "reference", "current", "checks"} <= document.keys()
    assert {"name", "kind", "rows"} <= document["reference"].keys()
    assert {"since", "until", "rows"} <= document["current"].keys()
    (written,) = document["checks"]["model"]["columns"]
    fixed = {
        "column": "gender", "kind": "categorical", "verdict": "drift", "score": 0.121, "p_value": 1e-9,
        "p_adjusted": 2e-9, "n_reference": 10000, "n_current": 812, "method": "total_variation", "detectable": 0.04,
        "reason": None,
    }  # fmt: skip
    assert {key: written[key] for key in fixed} == fixed


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], Verdict.UNDECIDED),
        ([Verdict.NOT_COMPARED], Verdict.UNDECIDED),
        ([Verdict.OK, Verdict.NOT_COMPARED], Verdict.OK),
        ([Verdict.OK, Verdict.UNDECIDED, Verdict.NOT_COMPARED], Verdict.UNDECIDED),
        ([Verdict.OK, Verdict.UNDECIDED, Verdict.DRIFT], Verdict.DRIFT),
    ],
)
def test_drift_over_undecided_over_ok(verdicts: list[Verdict], expected: Verdict) -> None:
    assert {overall(order) for order in permutations(verdicts)} == {expected}
