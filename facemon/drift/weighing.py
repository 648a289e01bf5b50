"""What the rows of many groups say of each column; how much they repeat is estimated from all columns together."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from facemon.config.drift import DriftConfig
from facemon.domain.drift_result import ACCURACY, Verdict
from facemon.domain.profile import ColumnCounts
from facemon.drift.column_evidence import Evidence, evidence_of
from facemon.drift.column_groups import ColumnGroups, Sides
from facemon.drift.compared_columns import ComparedColumn
from facemon.drift.dependence import Comparison, effects_of
from facemon.drift.design_effect import INDEPENDENT, DesignEffect
from facemon.drift.expected_columns import ExpectedColumns
from facemon.drift.sample import IGNORED, NO_VALUES
from facemon.drift.single_sources import SingleTest
from facemon.drift.untested_columns import kind_of_counts, why_untested


@dataclass(frozen=True, slots=True)
class Weighing:
    """The two sides of each group, how its columns are compared, and by how much their rows repeat."""

    pairs: Mapping[int, Sides]
    held: Mapping[str, ColumnGroups]
    comparisons: Mapping[tuple[int, str], Comparison]
    effects: Mapping[tuple[int, str], DesignEffect]
    settings: DriftConfig
    expected: ExpectedColumns

    @classmethod
    def of(
        cls,
        pairs: Mapping[int, Sides],
        columns: Sequence[ComparedColumn],
        settings: DriftConfig,
        expected: ExpectedColumns,
    ) -> Self:
        """Look at all the columns that show how much rows repeat, whether they will be weighed or not."""
        held = {
            column.name: ColumnGroups.of(column.name, of_column, settings.cluster)
            for column in columns
            if column.measure != ACCURACY and (of_column := _with_rows(pairs, column.name))
        }
        comparisons = {key: each for column in held.values() for key, each in column.comparisons(pairs).items()}
        return cls(pairs, held, comparisons, effects_of(comparisons), settings, expected)

    def weigh(self, columns: Sequence[ComparedColumn], due: Collection[str]) -> list[list[Evidence]]:
        """The evidence of each column in each group; those that are `due` cannot pass where they cannot be compared."""
        return [self._weigh_column(column, is_due=column.name in due) for column in columns]

    def _weigh_column(self, column: ComparedColumn, *, is_due: bool) -> list[Evidence]:
        held = self.held.get(column.name)
        tests = {} if held is None else held.tests(self.effects, self.settings.significance)
        return [self._weigh(at, column, tests.get((at, column.name)), is_due=is_due) for at in self.pairs]

    def _weigh(self, group: int, column: ComparedColumn, alone: SingleTest | None, *, is_due: bool) -> Evidence:
        sides, key = self.pairs[group], (group, column.name)
        found = why_untested(*sides, column, self.settings, self.expected)
        if found is None:
            found = evidence_of(
                *sides,
                column.name,
                self.comparisons[key].layout,
                self.effects.get(key, INDEPENDENT),
                significance=self.settings.significance,
                min_rows=self.settings.min_rows,
                alone=alone,
            )
        if not is_due or found.untested is not Verdict.NOT_COMPARED or found.reason in (IGNORED, NO_VALUES):
            return found
        return replace(found, untested=Verdict.UNDECIDED, reason=self.expected.overdue(found.reason or ""))


def _with_rows(groups: Mapping[int, Sides], name: str) -> dict[int, Sides]:
    """The groups that have rows of a column on both sides."""
    return {at: sides for at, sides in groups.items() if _is_comparable(*(side.column(name) for side in sides))}


def _is_comparable(reference: ColumnCounts | None, current: ColumnCounts | None) -> bool:
    if not (reference and current and reference.total and current.total):
        return False
    return kind_of_counts(reference) == kind_of_counts(current)
