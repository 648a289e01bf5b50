"""Names that may mean one image, against the definition in plain Python."""

import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.evaluation.name_forms import NameForms, how_they_differ, normal_name, without_suffix

PARTS = st.sampled_from(["a", "b", "0", "00", "v.2", "a.b1", "x y", "ß"])
SUFFIXES = st.sampled_from(["", ".jpg", ".png", ".JPG", ".1", ".jpg.png"])
NAMES = st.builds(
    lambda folders, end, suffix: "/".join([*folders, end + suffix]), st.lists(PARTS, max_size=3), PARTS, SUFFIXES
)


def are_compatible(one: str, other: str) -> bool:
    """The definition: folders that both have are equal, and suffixes that both have."""
    *folders, end = one.split("/")
    *others, other_end = other.split("/")
    shorter = min(len(folders), len(others))
    if folders[len(folders) - shorter :] != others[len(others) - shorter :]:
        return False
    stem, other_stem = (re.sub(r"\.[A-Za-z][A-Za-z0-9]{1,4}$", "", each) for each in (end, other_end))
    return end in (other_end, other_stem) or stem == other_end


@given(st.lists(NAMES, min_size=1, max_size=8, unique=True), st.lists(NAMES, min_size=1, max_size=8, unique=True))
def test_pairs_are_those_of_the_definition(labels: list[str], logged: list[str]) -> None:
    forms, names = NameForms(labels), pa.array(logged)
    places, found, shared = forms.pairs(names)
    pairs = set(zip(places.tolist(), found.tolist(), strict=True))
    assert len(pairs) == len(places)
    expected = {
        (place, label)
        for place, name in enumerate(logged)
        for label, text in enumerate(labels)
        if are_compatible(text, name)
    }
    assert pairs <= expected
    # What is not listed pair by pair is said of the label as a whole, and then another label has that name too.
    assert {label for _, label in expected - pairs} <= set(shared.tolist())
    for label in shared.tolist():
        assert any(
            are_compatible(labels[label], name) and are_compatible(other, name)
            for name in logged
            for other in labels
            if other != labels[label]
        )
    may_match = forms.may_match(pa.chunked_array([names])).to_pylist()
    assert all(may_match[place] for place, _ in expected)


@pytest.mark.parametrize(
    ("label", "logged", "how"),
    [
        ("a.jpg", "a.jpg", "name"),
        ("./photos/a.jpg", "photos/a.jpg", "name"),
        ("photos\\a.jpg", "photos/a.jpg", "name"),
        ("a.jpg", "photos/day/a.jpg", "file name without folder"),
        ("day/a.jpg", "photos/day/a.jpg", "file name without folder"),
        ("/data/photos/a.jpg", "photos/a.jpg", "file name without folder"),
        ("photos/a.jpg", "a.jpg", "file name without folder"),
        ("000001", "000001.jpg", "file name without suffix"),
        ("000001.jpg", "000001", "file name without suffix"),
        ("person.001", "person.001.jpg", "file name without suffix"),
        ("000001", "photos/000001.jpg", "file name without folder and suffix"),
        ("mu\u0308ller/e\u0301.jpg", "m\u00fcller/\u00e9.jpg", "name"),
        ("m\u00fcller.jpg", "a/mu\u0308ller.jpg", "file name without folder"),
        ("muller.jpg", "m\u00fcller.jpg", None),
        ("1", "000001.jpg", None),
        ("a.png", "a.jpg", None),
        ("a.JPG", "a.jpg", None),
        ("train/a.jpg", "test/a.jpg", None),
        ("a", "ba", None),
        ("a.jpg", "b/ca.jpg", None),
        ("img", "img.5", None),
    ],
)
def test_pairs_of_names(label: str, logged: str, how: str | None) -> None:
    places, labels, _ = NameForms([label]).pairs(pa.array([logged]))
    assert (places.tolist(), labels.tolist()) == (([0], [0]) if how else ([], []))
    if how:
        assert how_they_differ(label, logged) == how


def test_what_is_no_suffix_stays() -> None:
    assert [without_suffix(name) for name in ("a.jpg", "a.1", "a.b.jpeg", ".jpg", "a.", "a.verylong")] == [
        "a", "a.1", "a.b", "", "a.", "a.verylong",
    ]  # fmt: skip
    assert normal_name(".//a\\b/./c.jpg") == "a/b/c.jpg"
