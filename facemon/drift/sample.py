"""One side of a comparison: the profiles of its rows per source, and what could not be counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Self

from facemon.domain.profile import ColumnCounts, Profile, add_profiles
from facemon.domain.source_buckets import SourceProfiles, bucket_of, in_buckets
from facemon.domain.spread import Spread, SpreadProfile

IGNORED = "ignored by tables.kinds"
"""Why a column is not comparable that the user wants to be left out."""
NO_VALUES = "no value on either side"
"""Why a column that both sides have is not compared: all of its values are missing."""


@dataclass(frozen=True, slots=True)
class StrangeCells:
    """Cells of one column that are neither labels nor numbers."""

    examples: tuple[str, ...]
    way_out: str
    """What to do about them."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The rows of a window, a reference or a table.

    `by_source` holds one profile per source, or where `bucketed` one per bucket of sources; the rows without one
    are under None. `total` is their sum.
    For columns of a table that were not counted, `not_comparable` says why they cannot be compared by their
    nature, and `faulty` what is wrong with them. `names` are the columns that the user could have meant.
    """

    by_source: Mapping[str | None, Profile]
    total: Profile
    not_comparable: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    faulty: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    names: tuple[str, ...] = ()
    bucketed: bool = False
    labelled: Mapping[str | None, Profile] = field(default_factory=lambda: MappingProxyType({}))
    """Of the labelled images, by source, a column of right and wrong predictions for each attribute."""
    spreads: Mapping[str | None, SpreadProfile] = field(default_factory=lambda: MappingProxyType({}))
    """How much the hours and days of a source differ, by source; empty where it is not known, and in buckets."""
    whole_days: Mapping[str, Spread] = field(default_factory=lambda: MappingProxyType({}))
    """How much the days of all sources together differ, by column, at a fixed mix of sources; empty as `spreads`."""
    strange: Mapping[str, StrangeCells] = field(default_factory=lambda: MappingProxyType({}))
    """Of columns of attributes in a table, the cells that are neither labels nor numbers."""
    days: float | None = None
    """How many days the rows span, where they have times."""

    @classmethod
    def of_profiles(cls, profiles: SourceProfiles, *, days: float | None = None) -> Self:
        """The sample of profiles that were gathered by source, whose rows span so many days."""
        sample = cls.of_sources(profiles.by_source)
        return replace(sample, bucketed=profiles.bucketed, spreads=dict(profiles.spreads), days=days)

    @classmethod
    def of_sources(cls, by_source: Mapping[str | None, Profile]) -> Self:
        """The sample of a store's profiles, one per source."""
        # Each column is asked for many times.
        plain = {source: replace(profile, columns=dict(profile.columns)) for source, profile in by_source.items()}
        total = add_profiles(plain.values())
        return cls(plain, total, names=tuple(total.columns))

    @classmethod
    def of_rows(cls, profile: Profile) -> Self:
        """A sample in which every image stands for itself."""
        return cls.of_sources({None: profile})

    def of_source(self, source: str | None) -> "Sample":
        """The rows of one source alone; within it each image stands for itself."""
        alone = self.by_source.get(source, Profile())
        labelled: dict[str | None, Profile] = {None: self.labelled[source]} if source in self.labelled else {}
        spread = self.spreads.get(source, SpreadProfile())
        return replace(
            self,
            by_source={None: alone},
            total=alone,
            bucketed=False,
            labelled=labelled,
            spreads={None: spread} if source in self.spreads else {},
            whole_days=spread.days,
        )

    def place_of(self, source: str | None) -> str | None:
        """What the rows of a source stand under in `by_source`."""
        return bucket_of(source) if self.bucketed else source

    def in_buckets(self) -> "Sample":
        """The same rows in buckets of sources."""
        if self.bucketed:
            return self
        by_source, labelled = in_buckets(self.by_source), in_buckets(self.labelled)
        return replace(self, by_source=by_source, labelled=labelled, bucketed=True, spreads={}, whole_days={})

    def accuracy(self) -> "Sample":
        """The labelled images alone, as a sample whose columns are the attributes."""
        return replace(Sample.of_sources(self.labelled), bucketed=self.bucketed)

    @property
    def rows(self) -> int:
        """How many faces, or images where no face was counted, the sample holds."""
        return self.total.faces or self.total.images

    def column(self, name: str) -> ColumnCounts | None:
        """The counts of a column over all sources; None where the sample lacks it."""
        return self.total.columns.get(name)

    def column_by_source(self, name: str) -> dict[str | None, ColumnCounts]:
        """The counts of a column per source, without the sources that have no row of it."""
        return {
            source: column
            for source, profile in self.by_source.items()
            if (column := profile.columns.get(name)) is not None and column.total > 0
        }


def alike(reference: Sample, current: Sample) -> tuple[Sample, Sample]:
    """Both samples by source, or both in buckets where either is, so that what belongs together still has one name."""
    if reference.bucketed or current.bucketed:
        return reference.in_buckets(), current.in_buckets()
    return reference, current
