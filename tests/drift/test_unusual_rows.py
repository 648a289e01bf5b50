"""Scores of unusual images: what they are for normal data, by exact quartiles, and where a feature never differs."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from facemon.domain.binning import Scale, bins_of
from facemon.domain.profile import ColumnKind, Profile, Unit, binned_counts
from facemon.drift.unusual_rows import FEATURE_COLUMNS, centres_of, scores_of, unusual_of


def profile_of(**columns: NDArray[np.float64]) -> Profile:
    """The profile of such features, as the log keeps it."""
    counted = {
        name: binned_counts(
            bins_of(values, Scale.LOG_LINEAR), np.ones(len(values), np.int64), ColumnKind.NUMBER, Unit.IMAGE
        )
        for name, values in columns.items()
    }
    return Profile(len(next(iter(columns.values()))), 0, 0, counted)


def table_of(**columns: Sequence[float | None]) -> pa.Table:
    return pa.table({name: pa.array(values, pa.float32()) for name, values in columns.items()})


def test_normal_data_are_scored_in_standard_deviations() -> None:
    random = np.random.default_rng(1)
    centres = centres_of(profile_of(image_brightness=random.normal(0.5, 0.1, 100_000)))
    scores = scores_of(table_of(image_brightness=[0.5, 0.6, 0.2, 0.9]), centres)
    assert scores == pytest.approx([0, 1, 3, 4], abs=0.12)


@pytest.mark.parametrize("column", ["image_sharpness", "image_size"])
def test_a_half_and_a_double_are_equally_far(column: str) -> None:
    random = np.random.default_rng(2)
    centres = centres_of(profile_of(**{column: random.lognormal(3, 0.5, 100_000)}))
    middle = float(np.exp(3))
    half, double, twice = scores_of(table_of(**{column: [middle / 2, middle * 2, middle * 4]}), centres)
    assert half == pytest.approx(double, rel=0.1)
    assert twice == pytest.approx(2 * double, rel=0.1)


def test_each_side_has_its_own_spread() -> None:
    random = np.random.default_rng(3)
    skewed = random.beta(2, 8, 100_000)
    first, median, third = np.quantile(skewed, (0.25, 0.5, 0.75))
    below, above = scores_of(table_of(image_saturation=[first, third]), centres_of(profile_of(image_saturation=skewed)))
    assert (below, above) == (pytest.approx(0.674, rel=0.15), pytest.approx(0.674, rel=0.15))
    assert third - median > 1.1 * (median - first)


def test_outliers_do_not_hide_each_other() -> None:
    random = np.random.default_rng(4)
    usual = random.normal(0.5, 0.05, 1_000)
    spoiled = np.concatenate([usual, np.full(200, 0.01)])
    scores = [
        scores_of(table_of(image_brightness=[0.01]), centres_of(profile_of(image_brightness=values)))[0]
        for values in (usual, spoiled)
    ]
    assert min(scores) > 6


def test_a_feature_that_never_differs_makes_any_other_value_unusual() -> None:
    centres = centres_of(profile_of(image_size=np.full(500, 0.04), image_brightness=np.zeros(500)))
    same, other, light = scores_of(
        table_of(image_size=[0.04, 0.08, 0.04], image_brightness=[0.0, 0.0, 0.5]), centres
    ).tolist()
    assert same < 1
    assert other > 20
    assert light > 20
    assert np.isfinite([same, other, light]).all()


def test_what_has_no_feature_has_no_score() -> None:
    centres = centres_of(profile_of(image_brightness=np.linspace(0.2, 0.8, 100)))
    assert np.isnan(scores_of(table_of(image_brightness=[None], image_size=[4.0]), centres)).all()
    assert np.isnan(scores_of(table_of(image_size=[4.0]), centres)).all()
    assert np.isnan(scores_of(table_of(image_size=[4.0]), {})).all()
    assert centres_of(Profile()) == {}


def test_the_feature_that_is_furthest_away_is_named() -> None:
    random = np.random.default_rng(5)
    columns = {name: random.uniform(0.3, 0.7, 1_000) for name in FEATURE_COLUMNS}
    centres = centres_of(profile_of(**columns))
    dark: dict[str, Sequence[float | None]] = {name: [0.5, 0.5] for name in FEATURE_COLUMNS} | {
        "image_brightness": [0.02, None],
        "image_contrast": [0.4, 0.6],
    }
    table = table_of(**dark)
    first, second = unusual_of(table, centres).to_pylist()
    assert (first["feature"], first["value"]) == ("image_brightness", pytest.approx(0.02))
    assert first["median"] == pytest.approx(0.5, abs=0.03)
    assert second["feature"] != "image_brightness"
    assert [first["score"], second["score"]] == pytest.approx(scores_of(table, centres).tolist())
