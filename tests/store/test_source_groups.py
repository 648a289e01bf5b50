from datetime import timedelta

import pyarrow as pa
import pytest

from facemon.domain import source_buckets
from facemon.domain.profile import Profile, add_profiles
from facemon.domain.source_buckets import in_buckets
from facemon.store import source_groups
from facemon.store.row_profiles import profile_rows, profile_sources
from facemon.store.source_groups import SourceGroups
from tests.store.log_rows import make_batch

SOURCES = (None, "", *(f"person {number}" for number in range(30)))
ROWS = pa.Table.from_batches([make_batch(0, 900, run="r", sources=SOURCES, spread=timedelta(hours=9)).rows])


def test_profiles_by_source_are_those_of_all_hours_together() -> None:
    expected: dict[str | None, list[Profile]] = {}
    for key, profile in profile_rows(ROWS).items():
        expected.setdefault(key.source, []).append(profile)
    assert profile_sources(ROWS) == {source: add_profiles(parts) for source, parts in expected.items()}
    assert profile_sources(ROWS.slice(0, 0)) == {}


@pytest.mark.parametrize("batch", [1, 100, 10_000])
@pytest.mark.parametrize("most", [3, 30])
def test_pieces_add_up_whenever_the_sources_become_too_many(
    monkeypatch: pytest.MonkeyPatch, batch: int, most: int
) -> None:
    monkeypatch.setattr(source_groups, "_BATCH_ROWS", batch)
    monkeypatch.setattr(source_buckets, "MOST_SOURCES", most)
    groups = SourceGroups()
    starts = [at for at, face in enumerate(ROWS["face"].to_pylist()) if not face]
    for start, end in zip(starts[::20], [*starts[20::20], ROWS.num_rows], strict=True):
        groups.add_rows(ROWS.slice(start, end - start))
    whole = profile_sources(ROWS)
    found = groups.sums()
    assert found.bucketed is (most == 3)
    assert found.by_source == (in_buckets(whole) if found.bucketed else whole)


def test_columns_that_some_rows_lack_are_not_counted_as_missing_there() -> None:
    groups = SourceGroups()
    groups.add_rows(ROWS.drop_columns("gender"))
    groups.add_rows(ROWS)
    total = add_profiles(groups.sums().by_source.values())
    assert total.columns["gender"] == add_profiles(profile_sources(ROWS).values()).columns["gender"]
    assert total.images == 2 * add_profiles(profile_sources(ROWS).values()).images
