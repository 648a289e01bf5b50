"""How one column is compared in each of many groups of rows, and what is computed of all of them at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self

from facemon.drift.column_tests.column_test import SingleTable
from facemon.drift.column_tests.registry import COLUMN_TESTS, column_test
from facemon.drift.dependence import Comparison, Layout, Within, layout_of
from facemon.drift.design_effect import INDEPENDENT, DesignEffect, SourceRows, SourceVariances
from facemon.drift.sample import Sample
from facemon.drift.single_sources import SingleTest

Sides = tuple[Sample, Sample]


@dataclass(frozen=True, slots=True)
class ColumnGroups:
    """The layouts of one column by group; `tables` hold the groups of one source each that are computed together."""

    name: str
    layouts: Mapping[int, Layout]
    tables: tuple[tuple[tuple[int, ...], SingleTable], ...]

    @classmethod
    def of(cls, name: str, groups: Mapping[int, Sides], cluster: Literal["source", "none"]) -> Self:
        """The column in the reference and the current rows of groups, all of which have rows of it, of one kind."""
        layouts = {at: layout_of(*sides, name, cluster) for at, sides in groups.items()}
        alone = {
            at: layout.sources[0]
            for at, layout in layouts.items()
            if isinstance(layout, Within) and len(layout.sources) == 1
        }
        return cls(name, layouts, _tables(alone))

    def comparisons(self, groups: Mapping[int, Sides]) -> dict[tuple[int, str], Comparison]:
        """The comparison in each group."""
        variances = _variances(self.tables)
        return {
            (at, self.name): Comparison(
                layout, groups[at][0].whole_days.get(self.name), groups[at][1].days, own=variances.get(at)
            )
            for at, layout in self.layouts.items()
        }

    def tests(
        self, effects: Mapping[tuple[int, str], DesignEffect], significance: float
    ) -> dict[tuple[int, str], SingleTest]:
        """The test in each of the groups of `tables`, given the design effects of all groups."""
        found: dict[tuple[int, str], SingleTest] = {}
        for places, table in self.tables:
            tests = table.tests([effects.get((at, self.name), INDEPENDENT) for at in places], significance)
            found |= {(at, self.name): each for at, each in zip(places, tests, strict=True)}
        return found


def single_variances(rows: Sequence[SourceRows]) -> list[SourceVariances]:
    """As `SourceVariances.of` each of the sources alone; all are rows of one column."""
    found = _variances(_tables(dict(enumerate(rows))))
    return [found.get(at) or SourceVariances.of([each]) for at, each in enumerate(rows)]


def _tables(alone: Mapping[int, SourceRows]) -> tuple[tuple[tuple[int, ...], SingleTable], ...]:
    """The sources by how they are computed; those that no table can hold are left out."""
    found = []
    for test in dict.fromkeys(COLUMN_TESTS.values()):
        own = {at: rows for at, rows in alone.items() if column_test(rows.counts[0]) is test}
        for fits, table_of in test.tables:
            if chosen := {at: rows for at, rows in own.items() if fits(rows)}:
                found.append((tuple(chosen), table_of(list(chosen.values()))))
    return tuple(found)


def _variances(tables: Sequence[tuple[tuple[int, ...], SingleTable]]) -> dict[int, SourceVariances]:
    return {at: each for places, table in tables for at, each in zip(places, table.variances(), strict=True)}
