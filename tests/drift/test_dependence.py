from collections.abc import Mapping

import pytest

from facemon.domain.profile import Profile, Unit
from facemon.drift.dependence import Clustered, Layout, TooFewClusters, Within, design_effect, layout_of
from facemon.drift.sample import Sample
from tests.drift.worlds import profile, yes_no


def sample(rows: Mapping[str | None, int]) -> Sample:
    return Sample.of_sources({source: profile({"beard": yes_no(count // 2, count)}) for source, count in rows.items()})


def named(*numbers: int, rows: int = 100) -> dict[str | None, int]:
    return {f"camera {number}": rows for number in numbers}


def layout(reference: Mapping[str | None, int], current: Mapping[str | None, int]) -> Layout:
    return layout_of(sample(reference), sample(current), "beard", "source")


@pytest.mark.parametrize("sources", [1, 2, 8])
def test_shared_sources_are_compared_within_themselves(sources: int) -> None:
    found = layout(named(*range(sources)), named(*range(sources + 1)))
    assert isinstance(found, Within)
    assert len(found.sources) == sources


def test_sources_of_one_window_only_are_left_out() -> None:
    found = layout(named(*range(8)), named(*range(2, 9)))
    assert isinstance(found, Within)
    assert len(found.sources) == 6


def test_other_sources_are_two_samples() -> None:
    found = layout(named(*range(8)), named(*range(7, 14)))
    assert isinstance(found, Clustered)
    assert not found.paired
    assert not found.reference.independent


def test_shared_sources_with_few_of_the_rows_are_two_samples() -> None:
    found = layout(named(*range(8)), named(*range(6)) | named(*range(20, 30), rows=1000))
    assert isinstance(found, Clustered)
    assert not found.paired


def test_buckets_of_sources_are_paired() -> None:
    sides = [Sample.of_sources(sample(named(*range(100))).by_source).in_buckets() for _ in range(2)]
    found = layout_of(sides[0], sides[1], "beard", "source")
    assert isinstance(found, Clustered)
    assert found.paired


def test_rows_without_a_source_are_one_source() -> None:
    found = layout({None: 500}, {None: 300})
    assert isinstance(found, Within)
    assert [each.weight for each in found.sources] == [500 * 300 / 800]


def test_a_few_named_rows_among_many_do_not_matter() -> None:
    found = layout({None: 500, "camera 1": 20}, {None: 300})
    assert isinstance(found, Within)
    assert [[counts.total for counts in each.counts] for each in found.sources] == [[500, 300]]


def test_a_few_rows_without_a_source_are_one_source_more() -> None:
    found = layout(named(*range(5)) | {None: 50}, named(*range(5)) | {None: 50})
    assert isinstance(found, Within)
    assert len(found.sources) == 6


def test_fewer_than_five_other_clusters_are_too_few() -> None:
    assert layout(named(*range(4)), named(*range(4, 8))) == TooFewClusters(4, "reference")
    assert layout({None: 500}, named(1)) == TooFewClusters(1, "current data")


def test_the_user_may_say_that_rows_are_independent() -> None:
    found = layout_of(sample(named(1)), sample(named(2)), "beard", "none")
    assert isinstance(found, Within)
    assert found.is_declared


@pytest.mark.parametrize(("unit", "effect"), [(Unit.FACE, 2.5), (Unit.IMAGE, 1.0)])
def test_faces_of_one_image_count_by_their_effective_number(unit: Unit, effect: float) -> None:
    # Two images, with one face and with three: 16 / 10 effective faces, 4 rows.
    assert design_effect(Profile(images=2, faces=4, squares=10), unit) == effect
