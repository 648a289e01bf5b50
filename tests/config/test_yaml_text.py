"""Values as YAML text: whatever is written reads back as the same value."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.config.drift import DriftConfig
from facemon.config.durations import parse_duration
from facemon.config.serving import PredictConfig
from facemon.config.yaml_source import read_yaml
from facemon.config.yaml_text import duration_text, flow_text, plain_value, without_unset, yaml_lines

KEYS = st.text(max_size=12) | st.integers(-9, 9) | st.booleans()
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20) | st.sampled_from(["no", "12:30", "010", "null", "1e5", "- a", "a: b", "24h", "*", "#", "~"])
)  # fmt: skip
VALUES = st.recursive(
    SCALARS, lambda inside: st.lists(inside, max_size=4) | st.dictionaries(KEYS, inside, max_size=4), max_leaves=12
)


@given(st.dictionaries(st.text(max_size=8), VALUES, min_size=1, max_size=4))
def test_each_value_reads_back(value: Any) -> None:
    for text in (flow_text(value), "\n".join(yaml_lines(value, lambda _: "")), commented(value)):
        document = read_yaml(text)
        assert (document.value, document.faults) == (value, ()), text


def commented(value: Any) -> str:
    return "\n".join(yaml_lines(value, lambda keys: f"line {len(keys)}"))


def test_each_value_has_the_comment_of_its_key() -> None:
    lines = yaml_lines({"a": {"b": 1, "c": []}, "d": [{"e": "x"}, {"f": None}]}, lambda keys: "/".join(map(str, keys)))
    assert [line.split() for line in lines] == [
        ["a:"], ["b:", "1", "#", "a/b"], ["c:", "[]", "#", "a/c"], ["d:"], ["-", "e:", "x", "#", "d/0/e"],
        ["-", "f:", "null", "#", "d/1/f"],
    ]  # fmt: skip


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=10_000)))
def test_a_duration_reads_back_to_the_millisecond(duration: timedelta) -> None:
    rounded = timedelta(milliseconds=duration // timedelta(milliseconds=1))
    assert parse_duration(duration_text(rounded)) == rounded


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(days=1), "24h"), (timedelta(days=2), "2d"), (timedelta(minutes=90), "90m"), (timedelta(0), "0s"),
        (timedelta(milliseconds=1500), "1s500ms"),
    ],
)  # fmt: skip
def test_a_duration_is_in_the_largest_unit_of_which_it_is_more_than_one(duration: timedelta, text: str) -> None:
    assert duration_text(duration) == text


def test_sections_are_written_as_a_file_would() -> None:
    assert plain_value(PredictConfig())["max_bytes"] == "256MiB"
    assert plain_value(PredictConfig(max_bytes=1000))["max_bytes"] == 1000
    assert plain_value(DriftConfig())["window"] == "24h"
    assert plain_value(DriftConfig())["reference"] is None
    assert "reference" not in without_unset(plain_value(DriftConfig()))
