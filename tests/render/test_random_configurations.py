"""What is rendered from any valid configuration: 100 of them here, 1,000 in `make prove`."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from facemon.config import alertmanager, alerts, prometheus, stack
from facemon.config.section import Section
from facemon.render.stack import render_stack
from tests.render.configurations import config_of
from tests.render.random_configurations import configurations, sampled

SEED = 6


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return sampled(100, SEED)


def test_the_same_seed_gives_the_same_configurations() -> None:
    assert sampled(3, 1) == sampled(3, 1) == sampled(5, 1)[:3]
    assert sampled(3, 1) != sampled(3, 2)


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(configurations())
def test_every_random_configuration_is_valid(text: str) -> None:
    render_stack(config_of(text))


@pytest.mark.parametrize("module", [alertmanager, alerts, prometheus, stack])
def test_every_key_of_the_stack_is_varied(module: ModuleType, texts: list[str]) -> None:
    models = [model for model in vars(module).values() if isinstance(model, type) and issubclass(model, Section)]
    known = {(model, key) for model in models if model.__module__ == module.__name__ for key in model.model_fields}
    assert known - {key for text in texts for key in keys_set(config_of(text))} == set()


def keys_set(value: Any) -> Iterator[tuple[type[Section], str]]:
    """Every key that a file has set, with the section that it stands in."""
    match value:
        case Section():
            yield from ((type(value), key) for key in value.model_fields_set)
            yield from (found for key in value.model_fields_set for found in keys_set(getattr(value, key)))
        case tuple():
            yield from (found for item in value for found in keys_set(item))
