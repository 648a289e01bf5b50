"""Columns in one row hold what single ones hold."""

from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.packed_columns import packed, subtracted
from facemon.domain.profile import Profile, add_profiles, subtract_profile
from tests.domain.drawn_profiles import profiles


@given(profiles())
def test_packed_columns_are_the_columns(profile: Profile) -> None:
    columns = packed(profile.columns)
    assert columns == profile.columns
    assert list(columns) == list(profile.columns)
    assert packed(columns) is columns
    keys = [(name, label) for name, column in profile.columns.items() for label in column.labels]
    assert list(columns.label_keys()) == keys


@given(profiles())
def test_one_column_of_labels_is_counted_without_the_others(profile: Profile) -> None:
    columns = packed(profile.columns)
    for name, column in profile.columns.items():
        assert columns.counts_of(name) == dict(zip(column.labels, column.counts.tolist(), strict=False))
    assert columns.counts_of("no such column") == {}


@given(profiles(), profiles(), st.booleans())
def test_what_was_added_is_taken_away_without_taking_the_columns_apart(
    one: Profile, other: Profile, was_added: bool
) -> None:
    whole = add_profiles([one, other]) if was_added else one
    rest = subtracted(packed(whole.columns), packed(other.columns))
    if rest is not None:
        assert rest == subtract_profile(whole, other).columns
    elif was_added:
        assert not whole.columns.keys() <= one.columns.keys()
