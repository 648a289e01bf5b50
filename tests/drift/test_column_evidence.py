import numpy as np
import pytest
from numpy.typing import NDArray

from facemon.domain.profile import ColumnCounts, ColumnKind, categorical_counts
from facemon.drift.column_evidence import Evidence, evidence_of
from facemon.drift.dependence import Comparison, effects_of, layout_of
from facemon.drift.design_effect import INDEPENDENT
from facemon.drift.sample import Sample
from tests.drift.worlds import numbers, profile, single, yes_no

SIZES = (500, 50)


def weigh(reference: Sample, current: Sample) -> Evidence:
    layout = layout_of(reference, current, "x", "source")
    effect = effects_of({"x": Comparison(layout)}).get("x", INDEPENDENT)
    return evidence_of(reference, current, "x", layout, effect, significance=0.05)


def by_camera(columns: list[ColumnCounts]) -> Sample:
    return Sample.of_sources({f"camera {at}": profile({"x": column}) for at, column in enumerate(columns)})


def colours(rng: np.random.Generator, shares: NDArray[np.float64], rows: int) -> ColumnCounts:
    found = rng.multinomial(rows, shares)
    return categorical_counts({f"colour {at}": int(count) for at, count in enumerate(found)})


def test_clustered_labels_and_numbers_keep_their_level() -> None:
    rng = np.random.default_rng(41)
    found: dict[str, list[float]] = {"labels": [], "numbers": []}
    for _ in range(150):
        mixes = rng.dirichlet(9 * np.array([0.5, 0.3, 0.15, 0.05]), 20)
        levels = rng.normal(0, 0.33, 20)
        for kind, p_values in found.items():
            sides = []
            for rows in SIZES:
                columns = (
                    [colours(rng, mix, rows) for mix in mixes]
                    if kind == "labels"
                    else [numbers(rng.normal(10 + level, 1, rows)) for level in levels]
                )
                sides.append(by_camera(columns))
            p_value = weigh(sides[0], sides[1]).p_value
            assert p_value is not None
            p_values.append(p_value)
    for p_values in found.values():
        assert (np.array(p_values) <= 0.05).mean() <= 0.05 + 3 * np.sqrt(0.05 / 150)


def test_clustered_numbers_that_shift_or_vanish_are_found() -> None:
    rng = np.random.default_rng(42)
    levels = rng.normal(10, 0.33, 20)
    before = by_camera([numbers(rng.normal(level, 1, 500)) for level in levels])
    shifted = by_camera([numbers(rng.normal(level + 0.5, 1, 50)) for level in levels])
    holes = by_camera([numbers(np.where(rng.random(50) < 0.6, np.nan, rng.normal(level, 1, 50))) for level in levels])
    for after in (shifted, holes):
        evidence = weigh(before, after)
        assert evidence.p_value is not None
        assert evidence.p_value < 1e-4
        assert evidence.test is not None
        assert evidence.test.startswith("stratified Kolmogorov-Smirnov over 20 sources")


def test_new_cameras_are_two_samples() -> None:
    rng = np.random.default_rng(43)
    before = by_camera([numbers(rng.normal(10, 1, 500)) for _ in range(6)])
    after = Sample.of_sources({f"new {at}": profile({"x": numbers(rng.normal(13, 1, 50))}) for at in range(7)})
    evidence = weigh(before, after)
    assert evidence.test == "cluster-robust t over 6 sources and 7 sources"
    assert evidence.p_value is not None
    assert evidence.p_value < 0.001
    assert evidence.score is not None
    assert evidence.score > 0.8


def test_too_few_new_cameras_have_a_score_and_no_p_value() -> None:
    columns = [yes_no(100, 500) for _ in range(4)]
    other = Sample.of_sources({f"new {at}": profile({"x": column}) for at, column in enumerate(columns)})
    evidence = weigh(by_camera(columns), other)
    assert evidence.score == 0
    assert evidence.p_value is None
    assert evidence.reason is not None
    assert evidence.reason.startswith(
        "reference and current data hold different sources, and 4 sources are in the reference, fewer"
    )


@pytest.mark.parametrize("cameras", [1, 2, 4])
def test_few_cameras_that_are_the_same_in_both_windows_decide(cameras: int) -> None:
    before = by_camera([yes_no(100 + 90 * at, 500) for at in range(cameras)])
    after = by_camera([yes_no(170 + 90 * at, 500) for at in range(cameras)])
    evidence = weigh(before, after)
    assert evidence.score == pytest.approx(0.14)
    assert evidence.p_value is not None
    assert evidence.p_value < 1e-5
    assert evidence.detectable is not None
    assert evidence.detectable < 0.12


def test_a_changed_mix_of_unchanged_cameras_is_told_and_decides_nothing() -> None:
    before = by_camera([yes_no(50, 1000), yes_no(500, 1000)])
    after = by_camera([yes_no(5, 100), yes_no(950, 1900)])
    evidence = weigh(before, after)
    assert evidence.score == 0
    assert evidence.p_value == pytest.approx(1, abs=0.02)
    assert evidence.pooled_score == pytest.approx(0.2025)


def test_faces_of_group_photographs_weigh_less() -> None:
    column = {"x": yes_no(300, 1000)}, {"x": yes_no(360, 1000)}
    alone = [single(**side) for side in column]
    groups = [Sample.of_rows(type(side.total)(250, 1000, 4000, side.total.columns)) for side in alone]
    first = weigh(alone[0], alone[1])
    second = weigh(groups[0], groups[1])
    assert first.score == second.score
    assert first.p_value is not None
    assert second.p_value is not None
    assert second.p_value > 0.1 > first.p_value
    assert second.detectable == pytest.approx(2 * (first.detectable or 0), rel=0.1)


@pytest.mark.parametrize("kind", list(ColumnKind))
def test_a_constant_that_changes_is_found_in_every_kind(kind: ColumnKind) -> None:
    def constant(value: float) -> ColumnCounts:
        if kind is ColumnKind.CATEGORICAL:
            return categorical_counts({str(value): 500})
        return numbers(np.full(500, value), kind)

    evidence = weigh(single(x=constant(0.5)), single(x=constant(0.6)))
    assert evidence.score == 1
    assert evidence.p_value is not None
    assert evidence.p_value < 1e-50


@pytest.mark.parametrize("sources", [1, 3])
@pytest.mark.parametrize("is_label", [True, False])
def test_a_column_that_does_not_vary_is_judged_as_one_that_hardly_does(sources: int, is_label: bool) -> None:
    """Where all rows are alike no test is made, and the rows detect no more than a rare label would need."""

    def sample(rows: int, others: int) -> Sample:
        values = np.repeat([1.0, 2.0], [rows - others, others])
        return by_camera([yes_no(others, rows) if is_label else numbers(values)] * sources)

    alike, nearly = weigh(sample(100_000, 0), sample(40_000, 0)), weigh(sample(100_000, 5), sample(40_000, 2))
    assert (alike.score, alike.p_value, alike.method) == (0, 1, nearly.method)
    assert alike.pooled_score == (None if sources == 1 else 0)
    assert nearly.score == pytest.approx(0, abs=1e-12)
    assert (nearly.p_value or 0) > 0.4
    assert 0 < (alike.detectable or 0) <= (nearly.detectable or 0)
