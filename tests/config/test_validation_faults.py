"""Every kind of fault that the schema can raise has a sentence of its own."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from facemon.config.alerts import LatencyAlertConfig
from facemon.config.document import Config
from facemon.config.receivers import SlackConfig
from facemon.config.validation_faults import PATTERNS, is_secret, known_keys, nearest_or_all, validation_faults
from facemon.config.yaml_source import read_yaml

SHIPPED = yaml.safe_load((Path(__file__).parents[2] / "configs/facemon.yaml").read_text(encoding="utf-8"))


def _patterns(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(pattern := schema.get("pattern"), str):
            yield pattern
        for inner in schema.values():
            yield from _patterns(inner)
    elif isinstance(schema, list | tuple):
        for inner in schema:
            yield from _patterns(inner)


def test_every_pattern_of_the_schema_is_put_in_words_and_none_besides() -> None:
    assert set(_patterns(Config.__pydantic_core_schema__)) == set(PATTERNS)


@pytest.mark.parametrize(
    ("keys", "known"),
    [
        ((), set(Config.model_fields)),
        (("alerts", "HighLatency"), {"for", *LatencyAlertConfig.model_fields} - {"for_"}),
        (("alertmanager", "receivers", 0, "slack", 3), set(SlackConfig.model_fields)),
        (("drift", "columns", "anything"), {"threshold"}),
        (("prometheus", "remote_write", 0, "basic_auth"), {"username", "password_file"}),
        (("drift", "columns"), set()),
        (("wat", 0, "x"), set()),
    ],
)
def test_the_keys_that_a_section_knows(keys: tuple[str | int, ...], known: set[str]) -> None:
    assert set(known_keys(keys)) == known


@pytest.mark.parametrize(
    ("keys", "secret"),
    [
        (("api", "tokens_file"), True),
        (("smtp", "smtp_auth_password"), True),
        (("slack", 0, "api_url"), True),
        (("password", "deeper"), True),
        (("store", "path"), False),
        (("prometheus", "remote_write", 0, "url"), False),
    ],
)
def test_secrets_are_known_by_their_keys(keys: tuple[str | int, ...], secret: bool) -> None:
    assert is_secret(keys) is secret


def test_a_hint_names_what_was_meant_or_what_there_is() -> None:
    assert nearest_or_all("treshold", ["threshold", "window"]) == "did you mean threshold?"
    assert nearest_or_all("x", ["threshold", "window"]) == "known here: threshold, window"
    assert nearest_or_all("x", [f"key{n}" for n in range(20)]) == ""


def _replaced(value: Any, depth: int, wrong: Any) -> Any:
    if depth == 0:
        return wrong
    if isinstance(value, dict):
        return {key: _replaced(each, depth - 1, wrong) for key, each in value.items()}
    return [_replaced(each, depth - 1, wrong) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("wrong", ["x", -1, 0.5, True, None, ["a", 1], [[]], {"a": 1}, 10**40], ids=repr)
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_no_wrong_value_is_told_in_the_words_of_pydantic(depth: int, wrong: Any) -> None:
    """Every value at one depth of the shipped configuration is wrong at once."""
    document = read_yaml(yaml.safe_dump(_replaced(SHIPPED, depth, wrong)))
    with pytest.raises(ValidationError) as caught:
        Config.model_validate(document.value)
    faults = validation_faults(caught.value, document)
    assert faults or document.faults
    said = [fault.message for fault in faults]
    assert not [text for text in said if re.search("Input should|Value error|unable to parse|instance of", text)]
