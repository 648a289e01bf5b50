"""A test of columns in a file of its own and a line of the registry is all that a drift check needs to know."""

import math

import numpy as np
import pytest

from facemon.distribution_functions import kolmogorov
from facemon.domain.array_types import Counts
from facemon.domain.drift_result import Check, Verdict
from facemon.domain.profile import ColumnKind
from facemon.drift.column_tests.labels import Labels
from facemon.drift.column_tests.numbers import Numbers
from facemon.drift.column_tests.registry import COLUMN_TESTS
from facemon.drift.design_effect import DesignEffect
from facemon.drift.homogeneity import effective_rows
from facemon.drift.sample import Sample
from tests.drift.worlds import judge, numbers, profile, single, yes_no


class LimitAlone(Numbers):
    """Kolmogorov's limit, without the bound that is sharper where numbers are tied in few bins."""

    def p_value(self, reference: Counts, current: Counts, effect: DesignEffect) -> float:
        rows = effective_rows(float(reference.sum()), float(current.sum())) / effect.factor
        return float(kolmogorov(self.distance(reference.sum(axis=0), current.sum(axis=0)) * math.sqrt(rows)))

    def name(self, sources: int, keys: int) -> str:
        return "Kolmogorov's limit"


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COLUMN_TESTS, ColumnKind.NUMBER, LimitAlone())


def sides() -> tuple[Sample, Sample]:
    rng = np.random.default_rng(5)
    before, now = (numbers(np.round(rng.normal(mean, 1, 2_000))) for mean in (3, 3.1))
    return single(size=before, beard=yes_no(900, 2_000)), single(size=now, beard=yes_no(920, 2_000))


def test_the_columns_of_its_kind_are_tested_by_it(limit: None) -> None:
    reference, current = sides()
    found = {each.column: each for each in judge(reference, current, check=Check.DATA).columns}
    score, p_value = found["size"].score, found["size"].p_value
    assert score is not None
    assert found["size"].test == "Kolmogorov's limit"
    assert p_value == pytest.approx(float(kolmogorov(score * math.sqrt(1_000))))
    assert found["beard"].test == "exact mid-p"


def test_the_distance_and_the_verdict_are_reached_by_the_same_road(monkeypatch: pytest.MonkeyPatch) -> None:
    reference, current = sides()
    before = judge(reference, current, check=Check.DATA)
    monkeypatch.setitem(COLUMN_TESTS, ColumnKind.NUMBER, LimitAlone())
    now = judge(reference, current, check=Check.DATA)
    assert now.verdict is before.verdict is Verdict.OK
    for first, second in zip(before.columns, now.columns, strict=True):
        assert (first.score, first.detectable, first.method) == (second.score, second.detectable, second.method)
        assert (first.p_value or 0.0) <= (second.p_value or 0.0)


def test_a_test_without_tables_takes_each_source_alone(limit: None) -> None:
    rng = np.random.default_rng(6)

    def by_gate(mean: float) -> Sample:
        return Sample.of_sources(
            {f"gate {at}": profile({"size": numbers(rng.normal(mean, 1, 400))}) for at in range(3)}
        )

    result = judge(by_gate(3), by_gate(5), check=Check.DATA)
    assert [each.verdict for each in result.columns] == [Verdict.DRIFT]


def test_a_subclass_does_not_inherit_what_computes_another_test() -> None:
    assert (Numbers.tables, Labels.tables) != ((), ())
    assert LimitAlone.tables == ()


class EasilySeen(Labels):
    """Labels of which each shift would be detected."""

    def detectable(self, reference: Counts, rows: tuple[float, float], significance: float) -> float:
        return 0.0


def test_detectable_shifts_are_those_of_the_subclass() -> None:
    counts = np.array([[30, 70], [50, 50]])
    alone, usual = (
        test.detectable_shifts(list(counts), [(100, 100)] * 2, [1.0, 1.0], 0.05) for test in (EasilySeen(), Labels())
    )
    assert alone == [0.0, 0.0]
    assert min(usual) > 0
