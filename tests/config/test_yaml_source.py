"""YAML is read with the place of each part; what is not plain data is refused."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from facemon.config import yaml_source
from facemon.config.yaml_source import Keys, Place, read_yaml

_json_like = st.recursive(
    st.none() | st.booleans() | st.integers(1 - 2**63, 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def _paths(value: Any, keys: Keys = ()) -> Iterator[Keys]:
    yield keys
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _paths(inner, (*keys, key))


def _faults(text: str) -> list[tuple[int, int, str]]:
    return [(fault.place.line, fault.place.column, fault.message) for fault in read_yaml(text).faults]


@pytest.fixture(params=["CSafeLoader", "SafeLoader"])
def _either_parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(yaml, request.param):
        pytest.skip("PyYAML was built without libyaml")
    monkeypatch.setattr(yaml_source, "_LOADER", getattr(yaml, request.param))


@given(_json_like, st.booleans())
def test_what_is_dumped_is_read_back_with_a_place_for_every_path(value: Any, flow: bool) -> None:
    text = yaml.safe_dump(value, default_flow_style=flow)
    document = read_yaml(text)
    assert document.faults == ()
    assert document.value == value
    lines = text.split("\n")
    for keys in _paths(value):
        place = document.values[keys]
        assert 1 <= place.line <= len(lines)
        assert 1 <= place.column <= len(lines[place.line - 1]) + 1
        if keys and isinstance(keys[-1], str):
            assert document.keys[keys] <= place


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_but_never_crashes(text: str) -> None:
    document = read_yaml(text)
    assert set(document.values) >= document.unreadable
    assert all(fault.place >= Place(1, 1) and fault.message for fault in document.faults)


@pytest.mark.usefixtures("_either_parser")
def test_places_are_those_of_keys_and_of_values() -> None:
    document = read_yaml("a: 1\nbé:\n  - x\n  - {c: 'd',   e: f}\n")
    assert document.value == {"a": 1, "bé": ["x", {"c": "d", "e": "f"}]}
    assert document.values[()] == Place(1, 1)
    assert document.values["a",] == Place(1, 4)
    assert document.keys["bé",] == Place(2, 1)
    assert document.values["bé",] == Place(3, 3)
    assert document.values["bé", 1, "e"] == Place(4, 19)
    assert document.keys["bé", 1, "e"] == Place(4, 16)
    assert document.plain["bé", 1, "e"] == "f"
    assert ("bé", 1, "c") not in document.plain


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "---\n# nothing\n"])
def test_an_empty_document_is_an_empty_mapping(text: str) -> None:
    document = read_yaml(text)
    assert document.value == {}
    assert document.faults == ()
    assert document.values[()] == Place(1, 1)


@pytest.mark.usefixtures("_either_parser")
@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a: [1, 2\n", 1, 4, "this list [ is not closed, or a comma is missing in it"),
        ("a: {b: 1\n", 1, 4, "this mapping { is not closed, or a comma is missing in it"),
        ("a: [1,\n", 2, 1, "a value is missing before this place, or a bracket is not closed"),
        ("a: 'x\n", 1, 4, "the quotation mark is not closed"),
        ("a: 1\nb: c: d\n", 2, 5, "a colon is not allowed here"),
        ("a:\n\tb: 1\n", 2, 1, "this character cannot begin a value"),
        ("- a\nb: 1\n", 2, 1, "is not aligned with the lines above it"),
        ("a: *x\n", 1, 4, "an alias (*) names no anchor (&)"),
        ("a: 1\n---\nb: 2\n", 2, 1, "a second document begins here"),
        ("a: 1\nb: \x00\n", 2, 4, "the character U+0000 is not allowed in YAML"),
        ("a: 1\na: 2\n", 2, 1, "is there twice; the first is at line 1, column 1"),
        ("a: {b: 1, 'b': 2}\n", 1, 11, "is there twice; the first is at line 1, column 5"),
        ("a: !!python/object/apply:os.system [ls]\n", 1, 4, "has a tag (!), which means nothing here"),
        ("a: !!int '5'\n", 1, 4, "has a tag (!), which means nothing here"),
        ("a: !!set {b}\n", 1, 4, "has a tag (!), which means nothing here"),
        ("? [a]\n: 1\n", 1, 3, "a key must be text, not a list or a mapping"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", 3, 3, "merge keys (<<) are not supported"),
        ("a: 2026-13-45\n", 1, 4, "looks like a number or a date, but is not a valid one"),
        ("a: &x [1, *x]\n", 1, 4, "an alias (*) refers to a value that it is itself part of"),
    ],
)
def test_what_is_refused_is_one_fault_with_its_place(text: str, line: int, column: int, message: str) -> None:
    assert _faults(text) == [(line, column, message)]


def test_every_fault_that_is_no_syntax_error_is_found() -> None:
    assert [place[:2] for place in _faults("a: !x 1\nb: 1\nb: 2\nc: {<<: 1}\n")] == [(1, 4), (3, 1), (4, 5)]


def test_what_cannot_be_read_is_marked_so() -> None:
    document = read_yaml("a: !x 1\nb: 1\n")
    assert document.value == {"a": None, "b": 1}
    assert document.unreadable == {("a",)}


def test_an_alias_is_the_value_of_its_anchor_and_stands_there() -> None:
    document = read_yaml("a: &x {b: 1}\nc: *x\n")
    assert document.value == {"a": {"b": 1}, "c": {"b": 1}}
    assert document.values["c", "b"] == Place(1, 11)
    assert document.keys["c",] == Place(2, 1)


def test_a_billion_laughs_are_refused_before_they_fill_the_memory() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert _faults("\n".join(lines)) == [(1, 1, "unfolds to more than 100000 values")]


@pytest.mark.usefixtures("_either_parser")
@pytest.mark.parametrize("depth", [51, 100_000])
def test_deep_nesting_is_refused_without_a_crash(depth: int) -> None:
    assert _faults("[" * depth + "]" * depth) == [(1, 51, "is nested more than 50 levels deep")]


def test_deep_nesting_by_aliases_is_refused_too() -> None:
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 60))]
    assert {message for _, _, message in _faults("\n".join(lines))} == {"is nested more than 50 levels deep"}


def test_scalars_keep_the_text_that_yaml_may_have_misread() -> None:
    document = read_yaml('a: no\nb: 12:30\nc: 010\nd: 2026-01-02\ne: 1e-3\nf: "no"\non: x\ng: !!str 5\nh: =\n')
    assert document.value == {
        "a": False, "b": 750, "c": 8, "d": date(2026, 1, 2), "e": "1e-3", "f": "no", True: "x", "g": "5", "h": "=",
    }  # fmt: skip
    assert [document.plain.get((key,)) for key in "abcdefgh"] == [
        "no", "12:30", "010", "2026-01-02", "1e-3", None, None, "=",
    ]  # fmt: skip
    assert document.plain_keys[True,] == "on"
