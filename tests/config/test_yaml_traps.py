"""Each trap of YAML 1.1 is named and comes with the way to write what was meant."""

import math
from datetime import date
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from facemon.config.yaml_traps import boolean_hint, is_misread_number, number_hint, text_hint, word_of


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("no", 'YAML reads no as false: write "no"'),
        ("on", 'YAML reads on as true: write "on"'),
        ("false", 'write "false"'),
        ("5", 'write "5"'),
        ("12:30", 'YAML reads 12:30 as the number 750: write "12:30"'),
        ("010", 'YAML reads 010 as the number 8: write "010"'),
        ("2026-01-02", 'YAML reads 2026-01-02 as a date: write "2026-01-02"'),
        ("~", 'YAML reads ~ as nothing: write "~"'),
        ("", ""),
        ("0" * 50, ""),
    ],
)
def test_text_that_was_read_as_something_else_is_to_be_quoted(text: str, hint: str) -> None:
    assert text_hint(text, yaml.safe_load(text)) == hint


@given(st.from_regex(r"[-+]?[0-9]{1,3}(\.[0-9]{0,3})?[eE][-+]?[0-9]{1,2}", fullmatch=True))
def test_the_number_that_a_hint_proposes_is_read_as_that_number(text: str) -> None:
    if isinstance(yaml.safe_load(text), str):
        proposed = yaml.safe_load(number_hint(text).rpartition("write ")[2])
        assert isinstance(proposed, float)
        assert math.isclose(proposed, float(text))


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("1e-3", "YAML reads 1e-3 as text: write 1.0e-3"),
        ("2.5E3", "YAML reads 2.5E3 as text: write 2.5e+3"),
        ("08", "write 8 without quotes"),
        ("0.5", "write 0.5 without quotes"),
        ("much", ""),
        (True, ""),
    ],
)
def test_text_that_looks_like_a_number(value: Any, hint: str) -> None:
    assert number_hint(value) == hint


@pytest.mark.parametrize(
    ("value", "hint"),
    [("yes", "write true without quotes"), ("Off", "write false without quotes"), ("maybe", ""), (1, "")],
)
def test_text_that_looks_like_a_truth_value(value: Any, hint: str) -> None:
    assert boolean_hint(value) == hint


@pytest.mark.parametrize(
    ("text", "misread"),
    [("010", True), ("-012", True), ("1:30", True), ("1:30.5", True), ("0", False), ("10", False), ("0.5", False)],
)
def test_numbers_that_hardly_anybody_means(text: str, misread: bool) -> None:
    assert is_misread_number(text, yaml.safe_load(text)) is misread


@pytest.mark.parametrize(
    ("value", "word"),
    [(None, "empty"), (False, "false"), (1.5, "the number 1.5"), ("x", "text"), ([], "a list"), ({}, "a mapping"),
     (date(2026, 1, 2), "a date")],
)  # fmt: skip
def test_values_have_names(value: Any, word: str) -> None:
    assert word_of(value) == word


def test_what_no_yaml_holds_has_no_name() -> None:
    with pytest.raises(TypeError, match="bytes"):
        word_of(b"")
