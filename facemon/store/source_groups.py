"""Profiles added up by source while rows are read, in memory that does not grow with the rows or the sources."""

import pyarrow as pa
import pyarrow.compute

from facemon.domain.profile import Profile, add_profiles
from facemon.domain.source_buckets import SourceProfiles, bucket_of, has_too_many
from facemon.store.row_profiles import profile_sources

_BATCH_ROWS = 131_072
"""Small tables are counted together, since each costs as much time as it has sources."""
_MOST_PARTS = 4
"""Profiles of one source that are held before they are added up."""


class SourceGroups:
    """Gathers profiles by source; once the sources are too many, all of them are put into buckets."""

    def __init__(self) -> None:
        self._parts: dict[str | None, list[Profile]] = {}
        self._bucketed = False
        self._waiting: list[pa.Table] = []

    def add(self, source: str | None, profile: Profile) -> None:
        """Add a profile to its source's."""
        self._add_to(bucket_of(source) if self._bucketed else source, profile)
        if not self._bucketed and has_too_many(self._parts):
            self._put_into_buckets()

    def add_rows(self, table: pa.Table) -> None:
        """Add log rows: `source`, `face`, `error` and the columns to be counted; images must be whole."""
        # A column that rows lack must not become one without values.
        if self._waiting and not self._waiting[0].schema.equals(table.schema):
            self._count_waiting()
        self._waiting.append(table)
        if sum(waiting.num_rows for waiting in self._waiting) >= _BATCH_ROWS:
            self._count_waiting()

    def sums(self) -> SourceProfiles:
        """What was gathered."""
        self._count_waiting()
        return SourceProfiles({source: add_profiles(parts) for source, parts in self._parts.items()}, self._bucketed)

    def _count_waiting(self) -> None:
        if not self._waiting:
            return
        table = pa.concat_tables(self._waiting)
        self._waiting = []
        sources = table["source"].unique().to_pylist()
        if not self._bucketed and has_too_many({*self._parts, *(source or None for source in sources)}):
            self._put_into_buckets()
        if not self._bucketed:
            for source, profile in profile_sources(table).items():
                self.add(source, profile)
            return
        buckets = pa.array([bucket_of(source or None) for source in sources], pa.string())
        places = pa.compute.index_in(table["source"], pa.array(sources, pa.string()))
        at = table.column_names.index("source")
        for bucket, profile in profile_sources(table.set_column(at, "source", buckets.take(places))).items():
            self._add_to(bucket, profile)

    def _put_into_buckets(self) -> None:
        parts, self._parts, self._bucketed = self._parts, {}, True
        for source, held in parts.items():
            self._add_to(bucket_of(source), add_profiles(held))

    def _add_to(self, group: str | None, profile: Profile) -> None:
        parts = self._parts.setdefault(group, [])
        parts.append(profile)
        if len(parts) > _MOST_PARTS:
            parts[:] = [add_profiles(parts)]
