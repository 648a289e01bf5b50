"""The configuration: which file it is, and where each value came from."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from facemon.config.document import Config
from facemon.doctor.area import Area
from facemon.doctor.examination import Examination
from facemon.doctor.finding import Examined, Finding, Severity
from facemon.domain.counted import counted
from facemon.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ConfigurationFacts:
    """Where the values of the configuration came from; all that is not named here has its default."""

    file: Path | None
    """None where there is none, so that all values are defaults."""
    lines: tuple[tuple[str, int], ...] = ()
    """The keys that the file gives, each with its line."""
    variables: tuple[str, ...] = ()
    """The variables of the environment that give options to commands; their values may be secrets."""
    typos: tuple[tuple[str, str, str], ...] = ()
    """Keys that name no attribute or column that there is, each with what is said of it and what to do."""


def gather(examination: Examination) -> ConfigurationFacts:
    """Read the file once more, for the places of its keys."""
    return replace(configuration_facts(examination.config), typos=tuple(_typos(examination.config)))


def _typos(config: Config) -> Iterator[tuple[str, str, str]]:
    """Keys that have no effect, and those of columns of tables whose names are nearly that of a known column."""
    from facemon.config.loader import dotted
    from facemon.drift.unknown_columns import unknown_columns

    for each in unknown_columns(config):
        if each.has_no_effect or each.near:
            yield dotted(each.keys), each.message, each.hint


def configuration_facts(config: Config) -> ConfigurationFacts:
    """Where the values of a configuration came from; its file is read once more, for the places of its keys."""
    from facemon.config.loader import given_keys

    file = config.directory / config.file_name
    variables = tuple(sorted(name for name in os.environ if name.startswith("FACEMON_")))
    if not file.exists():
        return ConfigurationFacts(None, variables=variables)
    return ConfigurationFacts(file, given_keys(file), variables)


def judge(facts: ConfigurationFacts) -> Examined:
    """Say where values came from; a configuration with faults is a finding of `unreadable`."""
    given = f", {', '.join(facts.variables)} from the environment" if facts.variables else ""
    name = "" if facts.file is None else facts.file.name
    lines = tuple(f"{key}: line {line} of {name}" for key, line in facts.lines)
    variables = tuple(f"{name}: the environment" for name in facts.variables)
    if facts.file is None:
        looked_at = f"no facemon.yaml: all values are defaults{given}"
    else:
        looked_at = f"{facts.file}: {counted(len(facts.lines), 'value')} from it{given}, all others are defaults"
    findings = tuple(
        Finding(f"{key} may be a typo", message, f"correct or remove the key: {hint}", Severity.WARNING)
        for key, message, hint in facts.typos
    )
    return Examined(looked_at, findings, facts=(*lines, *variables))


def unreadable(error: ConfigError) -> Examined:
    """What a configuration that cannot be read leads to: nothing else can be looked at."""
    first, *others = error.message.splitlines()
    evidence = f"and {counted(len(others), 'fault')} more" if others else ""
    finding = Finding(
        f"the configuration has a fault: {first}", evidence, error.hint or "correct the file at that place"
    )
    return Examined(findings=(finding,), not_looked_at=("all other areas: they follow from the configuration",))


AREA = Area("configuration", gather, judge)
