import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.evaluation.scores import (
    balanced_accuracy,
    calibration_error,
    confusion_matrix,
    score_labels,
    score_numbers,
    wilson_interval,
)

PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 3), st.floats(0, 1)), min_size=1, max_size=60)


@given(PAIRS)
def test_against_plain_python(rows: list[tuple[int, int, float]]) -> None:
    true, predicted = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    confidence = np.array([row[2] for row in rows])
    score = score_labels("x", "abcd", true, predicted, confidence)
    right = [one == other for one, other, _ in rows]
    assert (score.labelled, score.correct) == (len(rows), sum(right))
    assert score.accuracy == sum(right) / len(rows)
    recalls = []
    for label in range(4):
        own = [one == other for one, other, _ in rows if one == label]
        if own:
            recalls.append(sum(own) / len(own))
    assert score.balanced_accuracy == pytest.approx(sum(recalls) / len(recalls))
    expected = 0.0
    for low in range(10):
        own_bin = [(ok, share) for ok, (_, _, share) in zip(right, rows, strict=True) if min(int(share * 10), 9) == low]
        if own_bin:
            accuracy = sum(ok for ok, _ in own_bin) / len(own_bin)
            expected += len(own_bin) / len(rows) * abs(accuracy - sum(share for _, share in own_bin) / len(own_bin))
    assert score.calibration_error == pytest.approx(expected, abs=1e-12)
    for one in range(4):
        for other in range(4):
            assert score.confusion[one][other] == sum(row[:2] == (one, other) for row in rows)
    assert sum(map(sum, score.confusion)) == len(rows)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    # Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_s_interval_has_the_published_numbers(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=5e-5)
    assert wilson_interval(trials, trials)[1] == pytest.approx(1)


def test_what_cannot_be_known_is_none() -> None:
    nothing = np.empty(0, np.intp)
    score = score_labels("x", "ab", nothing, nothing, np.empty(0))
    assert (score.accuracy, score.interval, score.balanced_accuracy, score.calibration_error) == (None,) * 4
    assert calibration_error(np.empty(0), np.empty(0, bool)) is None
    assert balanced_accuracy(confusion_matrix(nothing, nothing, 2)) is None
    unknown = score_labels("x", "ab", np.array([0]), np.array([0]), np.array([math.nan]))
    assert (unknown.accuracy, unknown.calibration_error) == (1.0, None)


def test_numbers_have_their_absolute_error() -> None:
    score = score_numbers("age", np.array([1.0, 2.0, 6.0]))
    assert (score.labelled, score.mean_absolute_error, score.accuracy) == (3, 3.0, None)
