"""How one column is compared in each of many groups of rows, and what is computed of all of them at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

from facemon.drift.dependence import Comparison, Layout, Within, layout_of
from facemon.drift.design_effect import INDEPENDENT, DesignEffect
from facemon.drift.sample import Sample
from facemon.drift.single_sources import NumbersTest, SingleSources, is_numbers

Sides = tuple[Sample, Sample]


@dataclass(frozen=True, slots=True)
class ColumnGroups:
    """The layouts of one column by group; `alone` are the groups of one source each whose numbers `table` holds."""

    name: str
    layouts: Mapping[int, Layout]
    alone: tuple[int, ...]
    table: SingleSources

    @classmethod
    def of(cls, name: str, groups: Mapping[int, Sides], cluster: Literal["source", "none"]) -> Self:
        """The column in the reference and the current rows of groups, all of which have rows of it, of one kind."""
        layouts = {at: layout_of(*sides, name, cluster) for at, sides in groups.items()}
        alone = {
            at: layout.sources[0]
            for at, layout in layouts.items()
            if isinstance(layout, Within) and len(layout.sources) == 1 and is_numbers(layout.sources[0])
        }
        return cls(name, layouts, tuple(alone), SingleSources.of(list(alone.values())))

    def comparisons(self, groups: Mapping[int, Sides]) -> dict[tuple[int, str], Comparison]:
        """The comparison in each group."""
        variances = dict(zip(self.alone, self.table.variances(), strict=True))
        return {
            (at, self.name): Comparison(
                layout, groups[at][0].whole_days.get(self.name), groups[at][1].days, own=variances.get(at)
            )
            for at, layout in self.layouts.items()
        }

    def tests(self, effects: Mapping[tuple[int, str], DesignEffect]) -> dict[tuple[int, str], NumbersTest]:
        """The test in each of the groups `alone`, given the design effects of all groups."""
        found = self.table.tests([effects.get((at, self.name), INDEPENDENT) for at in self.alone])
        return {(at, self.name): each for at, each in zip(self.alone, found, strict=True)}
