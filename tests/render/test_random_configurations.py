"""What is rendered from any valid configuration: 5 of them, 100 at length, 1,000 by `prove PART=configurations`."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from facemon.config import alertmanager, alerts, metrics, prometheus, receivers, reload, stack
from facemon.config.document import Config
from facemon.config.section import Section
from facemon.render.purpose import fitted
from facemon.render.stack import RenderedStack, render_stack
from tests.render.configurations import DIRECTORY, config_of
from tests.render.random_configurations import configurations, sampled
from tests.render.rendered_laws import (
    PanelIds,
    digest,
    digest_elsewhere,
    first,
    linted,
    read_otherwise,
    refused,
    renumbered,
    secrets_told,
    with_fewer_tests,
)
from tests.short_form import examples

SEED = 6
COUNT = 100
COUNT_IN_SHORT = 5


@pytest.fixture(scope="module")
def texts(at_length: bool) -> list[str]:
    return sampled(COUNT if at_length else COUNT_IN_SHORT, SEED)


@pytest.fixture(scope="module")
def stacks(texts: list[str]) -> list[tuple[Config, RenderedStack]]:
    configs = [fitted(config_of(text), DIRECTORY) for text in texts]
    return [(config, render_stack(config)) for config in configs]


def test_the_same_seed_gives_the_same_configurations() -> None:
    assert sampled(3, 1) == sampled(3, 1) == sampled(5, 1)[:3]
    assert sampled(3, 1) != sampled(3, 2)


@settings(max_examples=examples(0.15), suppress_health_check=[HealthCheck.too_slow])
@given(configurations())
def test_every_random_configuration_is_valid(text: str) -> None:
    render_stack(config_of(text))


@pytest.mark.slow
def test_every_key_of_the_stack_is_varied() -> None:
    modules = (alertmanager, alerts, metrics, prometheus, receivers, reload, stack)
    known = set().union(*(keys_of(module) for module in modules))
    assert known - {key for text in sampled(COUNT, SEED) for key in keys_set(config_of(text))} == set()


def keys_of(module: ModuleType) -> set[tuple[type[Section], str]]:
    """Every key of the sections of a module."""
    models = [model for model in vars(module).values() if isinstance(model, type) and issubclass(model, Section)]
    return {(model, key) for model in models if model.__module__ == module.__name__ for key in model.model_fields}


def keys_set(value: Any) -> Iterator[tuple[type[Section], str]]:
    """Every key that a file has set, with the section that it stands in."""
    match value:
        case Section():
            yield from ((type(value), key) for key in value.model_fields_set)
            yield from (found for key in value.model_fields_set for found in keys_set(getattr(value, key)))
        case tuple():
            yield from (found for item in value for found in keys_set(item))


@pytest.mark.slow
@pytest.mark.long_proof
def test_every_reader_takes_the_files_for_what_was_built(stacks: list[tuple[Config, RenderedStack]]) -> None:
    assert first(fault for config, stack in stacks for fault in read_otherwise(config, stack)) == []


@pytest.mark.long_proof
def test_no_secret_is_told(texts: list[str], tmp_path: Path) -> None:
    folders = ((text, tmp_path / str(number)) for number, text in enumerate(texts))
    assert first(fault for text, folder in folders for fault in secrets_told(text, folder)) == []


@pytest.mark.long_proof
def test_the_lint_finds_nothing(stacks: list[tuple[Config, RenderedStack]]) -> None:
    assert first(fault for config, stack in stacks for fault in linted(config, stack)) == []


@pytest.mark.long_proof
def test_a_panel_keeps_its_id_in_every_configuration(stacks: list[tuple[Config, RenderedStack]]) -> None:
    known: PanelIds = {}
    assert first(fault for _, stack in stacks for fault in renumbered(stack, known)) == []
    assert known


@pytest.mark.slow
def test_another_process_renders_the_same_bytes(stacks: list[tuple[Config, RenderedStack]]) -> None:
    assert digest(stack for _, stack in stacks[:5]) == digest_elsewhere(5, SEED)


@pytest.mark.servers
@pytest.mark.slow
@pytest.mark.long_proof
def test_the_tools_accept_one_of_them(
    stacks: list[tuple[Config, RenderedStack]], newer_servers: Path, at_length: bool
) -> None:
    """One for which promtool has little to evaluate; `prove PART=configurations` lets it judge all of 1,000."""
    least = min((stack for _, stack in stacks), key=lambda stack: sum(map(len, rule_tests_of(stack))))
    assert rule_tests_of(least)
    assert list(refused(with_fewer_tests(least, 2, at_length), newer_servers)) == []


def rule_tests_of(stack: RenderedStack) -> list[str]:
    """The texts of the generated tests."""
    return [text for path, text in stack.files.items() if "/prometheus/tests/" in path]
