import numpy as np
import pytest

from facemon.domain.profile import ColumnCounts, ColumnKind, binned_counts, categorical_counts
from facemon.drift.column_shapes import GROUPS, shape_of
from facemon.drift.table_counts import quantile_bins, quantile_edges
from tests.drift.worlds import numbers


def test_labels_stand_by_their_frequency() -> None:
    shape = shape_of(categorical_counts({"no": 60, "yes": 30, "": 10}), categorical_counts({"no": 1, "new": 1}))
    assert shape.groups == ("no", "yes", "missing", "new")
    assert shape.reference == (0.6, 0.3, 0.1, 0.0)
    assert shape.current == (0.5, 0.0, 0.0, 0.5)
    assert not shape.is_ordered


def test_cuts_are_where_the_named_ranges_begin() -> None:
    values = np.append(np.linspace(0, 1, 1_000), np.nan)
    shape = shape_of(numbers(values, ColumnKind.NUMBER), numbers(values, ColumnKind.NUMBER))
    first = len(shape.groups) - len(shape.cuts)
    assert shape.groups[:first] == ("missing",)
    assert shape.groups[first + 1 :] == tuple(f"from {cut:.4g}" for cut in shape.cuts[1:])
    assert list(shape.cuts) == sorted(shape.cuts)
    assert shape_of(categorical_counts({"a": 1}), categorical_counts({"a": 1})).cuts == ()


def test_many_labels_leave_a_rest() -> None:
    many = categorical_counts({f"l{number:02}": 100 - number for number in range(40)})
    shape = shape_of(many, many)
    assert len(shape.groups) == GROUPS
    assert (shape.groups[0], shape.groups[-1]) == ("l00", "all others")
    assert sum(shape.reference) == pytest.approx(1)


@pytest.mark.parametrize("kind", [ColumnKind.NUMBER, ColumnKind.CONFIDENCE])
def test_numbers_fall_into_ranges_that_an_outlier_does_not_flatten(kind: ColumnKind) -> None:
    rng = np.random.default_rng(5)
    values = rng.beta(20, 3, 10_000) if kind is ColumnKind.CONFIDENCE else rng.normal(0, 1, 10_000)
    outlier = 1.0 if kind is ColumnKind.CONFIDENCE else 1e9
    shape = shape_of(numbers(values, kind), numbers(np.append(values, [outlier, np.nan]), kind))
    assert shape.is_ordered
    assert (shape.groups[0], len(shape.groups)) == ("missing", GROUPS + 1)
    assert sum(share > 0.02 for share in shape.reference) >= 6
    for side in (shape.reference, shape.current):
        assert sum(side) == pytest.approx(1)


def test_a_tables_quantile_bins_are_read_back_as_values() -> None:
    values = np.random.default_rng(6).normal(100, 20, 5_000)
    edges = quantile_edges(values)
    bin_of = quantile_bins(edges)

    def counted(part: np.ndarray) -> ColumnCounts:
        return binned_counts(bin_of(part), np.ones(len(part), np.int64), ColumnKind.NUMBER)

    shape = shape_of(counted(values), counted(values + 15), edges)
    cuts = [float(name.split()[-1]) for name in shape.groups]
    assert cuts == sorted(cuts)
    assert 40 < cuts[1] < 80
    # A shift to the right empties the left.
    assert shape.current[1] < shape.reference[1]
    assert shape.current[-1] > shape.reference[-1]


def test_a_constant_and_an_empty_side_have_a_shape() -> None:
    constant, nothing = numbers(np.full(9, 3.0)), numbers(np.full(4, np.nan))
    assert shape_of(constant, constant).groups == ("about 3",)
    assert shape_of(nothing, nothing).groups == ("missing",)
    assert shape_of(constant, constant).reference == (1.0,)
