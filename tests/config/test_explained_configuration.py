"""The explained configuration: every key is in it, and what it says of one is the model's default and docstring."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from facemon.config.alerts import BUILT_IN
from facemon.config.explained_configuration import TEMPLATE, explained_configuration, keys
from facemon.config.loader import parse_config
from facemon.config.section import Section

NOT_IN_THE_FILE = {("directory",), ("file_name",), ("absolute_paths",)}


def paths(section: Section, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every key of the default configuration; of an alert its name alone, for the keys are the same in all."""
    for name, field in type(section).model_fields.items():
        path, value = (*above, field.alias or name), getattr(section, name)
        yield path
        if isinstance(value, Section) and path[0] != "model" and path[-1] not in BUILT_IN:
            yield from paths(value, path)


def test_every_key_is_explained() -> None:
    template = TEMPLATE.read_text(encoding="utf-8")
    written = explained_configuration(template)
    named = {path for _, _, path in keys(written)}
    # Sections in one line have their keys between braces.
    in_one_line = {path for _, match, path in keys(template) if match and match["value"] == "@"}
    missing = [path for path in paths(parse_config("", name="facemon.yaml", directory=Path())) if path not in named]
    assert {path for path in missing if path[:-1] not in in_one_line and path not in NOT_IN_THE_FILE} == set()


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("store:\n  retention_days: @", "store:\n  retention_days: 90\n"),
        ("drift:\n  window: @", "drift:\n  window: 24h\n"),
        ("api:\n  max_body: @", "api:\n  max_body: 16MiB\n"),
        ("api:\n  max_sources: @", "api:\n  max_sources: 64\n"),
        ("api:\n  listen: @", "api:\n  listen: 127.0.0.1:8000\n"),
        ("drift:\n  data: @", "drift:\n  data: {threshold: 0.1}\n"),
        ("tables:\n  csv:\n    decimal: @", 'tables:\n  csv:\n    decimal: "."\n'),
        ("prometheus:\n  target_version: @", 'prometheus:\n  target_version: "2.42"\n'),
        ("alerts:\n  Watchdog: {enabled: @}", "alerts:\n  Watchdog: {enabled: true}\n"),
        ("alerts:\n  # DiskFilling: x  # below @(DiskFilling.limit)", "below 0.1\n"),
        ("api:\n  tokens_file:  # @", "who may ask for predictions: one token a line; unset = no authentication\n"),
        ("alerts:\n  TargetDown:  # @", "# Prometheus cannot reach a target\n"),
        ("stack:\n  reload: @", "stack:\n  reload: {timeout: 30s}\n"),
    ],
)
def test_a_key_has_the_default_and_the_description_of_its_field(line: str, written: str) -> None:
    assert explained_configuration(line).endswith(written)


def test_what_is_written_as_a_slot_is_read_back_as_the_default() -> None:
    written = explained_configuration(TEMPLATE.read_text(encoding="utf-8"))
    read, defaults = (parse_config(text, name="facemon.yaml", directory=Path()) for text in (written, ""))
    assert read == defaults


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("store:\n  days: @", "line 2: store.days: .*StoreConfig has no key days"),
        ("store:\n  retention_days: 90", "has a value of its own"),
        ("api:\n  tokens_file: @", "is unset by default"),
        ("api:  # @\n  listen: @", "Config.api has no docstring"),
        ("store:\n# @", "stands where no key is"),
        ("alerts:\n  Watchdog:  # @(Watchdogs.limit)", "Watchdogs"),
    ],
)
def test_a_template_that_fits_no_key_is_refused(template: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        explained_configuration(template)
