"""Every kind of fault that the schema can raise has a sentence of its own."""

from collections.abc import Iterator
from typing import Any

import pytest

from facemon.config.alerts import LatencyAlertConfig
from facemon.config.document import Config
from facemon.config.receivers import SlackConfig
from facemon.config.validation_faults import PATTERNS, did_you_mean, is_secret, known_keys


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
    assert did_you_mean("treshold", ["threshold", "window"]) == "did you mean threshold?"
    assert did_you_mean("x", ["threshold", "window"]) == "known here: threshold, window"
    assert did_you_mean("x", [f"key{n}" for n in range(20)]) == ""
