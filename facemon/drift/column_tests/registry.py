"""Which test compares which kind of column."""

from facemon.domain.profile import ColumnCounts, ColumnKind
from facemon.drift.column_tests.column_test import ColumnTest
from facemon.drift.column_tests.labels import Labels
from facemon.drift.column_tests.numbers import Numbers
from facemon.drift.distances import aligned

_NUMBERS = Numbers()

COLUMN_TESTS: dict[ColumnKind, ColumnTest] = {
    ColumnKind.NUMBER: _NUMBERS,
    ColumnKind.CONFIDENCE: _NUMBERS,
    ColumnKind.CATEGORICAL: Labels(),
}


def column_test(counts: ColumnCounts) -> ColumnTest:
    """Return the test of a column."""
    return COLUMN_TESTS[counts.kind]


def distance(reference: ColumnCounts, current: ColumnCounts) -> float:
    """Return the score of a column: the distance of its test."""
    first, second = aligned([reference, current])
    return column_test(reference).distance(first, second)
