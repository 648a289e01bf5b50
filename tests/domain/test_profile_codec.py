"""Profiles as bytes: both forms, and bytes that are damaged."""

import json
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.profile import ColumnKind, Profile, add_profiles, binned_counts
from facemon.domain.profile_codec import DAMAGED, decode_profile, encode_profile, images_of
from tests.domain.drawn_profiles import profiles

MOST = 2**40


def as_version_5(profile: Profile) -> bytes:
    """The bytes that stores up to version 5 hold."""
    columns = [
        [name, column.kind.value, column.unit.value, len(column.counts), list(column.labels)]
        for name, column in profile.columns.items()
    ]
    header = {"rows": [profile.images, profile.faces, profile.squares], "columns": columns}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    counts = b"".join(column.counts.astype("<i8").tobytes() for column in profile.columns.values())
    bins = b"".join(column.bins.astype("<i4").tobytes() for column in profile.columns.values())
    return zlib.compress(struct.pack("<I", len(text)) + text + counts + bins, 1)


@given(profiles(300) | profiles(MOST))
def test_a_profile_comes_back_from_its_bytes(profile: Profile) -> None:
    back = decode_profile(encode_profile(profile))
    assert back == profile
    assert encode_profile(back) == encode_profile(profile)
    assert {column.counts.dtype for column in back.columns.values()} <= {np.dtype(np.int64)}
    assert {column.bins.dtype for column in back.columns.values()} <= {np.dtype(np.int32)}


@given(profiles(MOST))
def test_a_profile_of_an_older_store_is_read(profile: Profile) -> None:
    data = as_version_5(profile)
    assert decode_profile(data) == profile
    assert images_of(data) == profile.images
    assert encode_profile(decode_profile(data)) == encode_profile(profile)


@given(st.lists(st.tuples(profiles(), st.booleans()), max_size=5))
def test_both_forms_add_up(parts: list[tuple[Profile, bool]]) -> None:
    read = [decode_profile(as_version_5(each) if is_old else encode_profile(each)) for each, is_old in parts]
    assert add_profiles(read) == add_profiles(each for each, _ in parts)


@given(profiles(MOST))
def test_the_images_of_a_profile_are_read_from_its_first_bytes(profile: Profile) -> None:
    assert images_of(encode_profile(profile)) == profile.images


@given(profiles(), st.data(), st.sampled_from([as_version_5, encode_profile]))
def test_bytes_that_are_damaged_are_no_other_profile(
    profile: Profile, data: st.DataObject, encode: Callable[[Profile], bytes]
) -> None:
    whole = encode(profile)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(DAMAGED):
        decode_profile(whole[:cut])
    flipped = bytearray(whole)
    flipped[cut] ^= data.draw(st.integers(1, 255))
    with suppress(*DAMAGED):
        assert decode_profile(bytes(flipped)) == profile


def test_an_hour_of_a_camera_takes_less_than_half_of_what_it_took() -> None:
    rng = np.random.default_rng(0)
    columns = {
        f"label_{at}_confidence": binned_counts(
            np.round(rng.normal(150, 30, 200)).astype(np.int32), np.ones(200, np.int64), ColumnKind.CONFIDENCE
        )
        for at in range(20)
    }
    profile = Profile(200, 200, 200, columns)
    assert len(encode_profile(profile)) < 0.5 * len(as_version_5(profile))
