"""The configuration in force: each value with where it came from, and without secrets."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facemon.errors import UsageError

if TYPE_CHECKING:
    from facemon.config.document import Config
    from facemon.config.yaml_source import Keys

_SCHEMA = "facemon.config/1"
_HIDDEN = "<hidden>"
_PART = re.compile(r"""\.?([\w-]+)|\[(\d+)\]|\[(?:'([^']*)'|"([^"]*)")\]""")
"""A part of a key as messages write it: `.name`, `[0]`, `['a.b']`."""


@dataclass(frozen=True, slots=True)
class ShownConfiguration:
    """The values of a configuration, or of one of its keys."""

    file: Path | None
    """None where there is none, so that all values are defaults."""
    keys: "Keys"
    """Where the value stands; empty for the whole configuration."""
    value: Any
    """Of types that JSON has; secrets are hidden."""
    origin_of: "Callable[[Keys], str]"
    """Where the value of a key came from, such as `facemon.yaml:12`."""
    read: str
    """Which file was read, and which variables give options to commands."""

    def document(self, *, with_origins: bool) -> Mapping[str, Any]:
        """Return the values as JSON, `facemon.config/1`; with origins, the one of each key too."""
        from facemon.config.loader import dotted

        shown: dict[str, Any] = {
            "schema": _SCHEMA,
            "file": self.file and str(self.file),
            "key": dotted(self.keys) or None,
            "value": self.value,
        }
        if with_origins:
            shown["origins"] = {dotted(keys): self.origin_of(keys) for keys in _leaves(self.value, self.keys)}
        return shown

    def yaml(self, *, with_origins: bool) -> str:
        """Return the values as YAML; with origins, each has its own in a comment."""
        from facemon.config.yaml_text import yaml_lines

        lines = yaml_lines(self.value, self.origin_of if with_origins else lambda _: "", self.keys)
        return "\n".join([f"# {self.read}", *lines] if with_origins and not self.keys else lines)


def show_configuration(config: "Config", key: str | None = None) -> ShownConfiguration:
    """Return the configuration in force, or the value of a key such as `drift.window`.

    UsageError for a key that there is not; ConfigError where a key contradicts `stack.for`.
    """
    from facemon.config.changed_keys import changed_keys
    from facemon.config.loader import dotted
    from facemon.doctor.configuration import configuration_facts, judge
    from facemon.render.purpose import fitted

    facts = configuration_facts(config)
    in_force = fitted(config, Path())
    lines, follows = dict(facts.lines), set(changed_keys(config, in_force))

    def origin_of(keys: "Keys") -> str:
        name = dotted(keys)
        inside = (line for given, line in facts.lines if given.startswith((f"{name}.", f"{name}[")))
        if (line := lines.get(name) or next(inside, None)) is not None:
            return f"{config.file_name}:{line}"
        return "stack.for" if ".".join(map(str, keys[:2])) in follows else "default"

    whole = _without_secrets(_plain(in_force), (), lambda keys: origin_of(keys) in ("default", "stack.for"))
    keys, value = ((), whole) if key is None else _found(key, whole)
    return ShownConfiguration(facts.file, keys, value, origin_of, judge(facts).looked_at)


def _plain(config: "Config") -> Any:
    """The values as a file would write them: a built-in model by its name, and alerts with what is not changed."""
    from facemon.config.alerts import DEFAULT_ALERTS
    from facemon.config.builtin_bundles import builtin_bundle, bundle_names
    from facemon.config.yaml_text import duration_text, plain_value

    plain = plain_value(config)
    for name in bundle_names():
        if builtin_bundle(name).below(config.directory) == config.model:
            plain["model"] = {"bundle": name}
    for name, usual in DEFAULT_ALERTS.items():
        alert = plain["alerts"][name]
        known = {
            "severity": usual.severity,
            "for": None if usual.held is None else duration_text(usual.held),
            "threshold": usual.limit if usual.oldest is None else duration_text(usual.oldest),
        }
        alert |= {key: value for key, value in known.items() if key in alert and alert[key] is None}
    return plain


def _without_secrets(plain: Any, keys: "Keys", is_usual: "Callable[[Keys], bool]") -> Any:
    """The values without what may be a secret by its key's name: not the paths that facemon itself chose."""
    from facemon.config.validation_faults import is_secret

    match plain:
        case dict():
            return {key: _without_secrets(each, (*keys, key), is_usual) for key, each in plain.items()}
        case list():
            return [_without_secrets(each, (*keys, index), is_usual) for index, each in enumerate(plain)]
        case _:
            return plain if plain is None or not is_secret(keys) or is_usual(keys) else _HIDDEN


def _found(key: str, whole: Any) -> "tuple[Keys, Any]":
    """The keys that a text names, and the value there; UsageError names the part that there is not."""
    from facemon.config.loader import dotted
    from facemon.config.validation_faults import nearest_or_all

    keys: Keys = ()
    value, rest = whole, key
    while rest:
        if not (match := _PART.match(rest)):
            raise UsageError(f"{key}: is not a key", "write it like drift.window or alertmanager.receivers[0].name")
        name, rest = next(part for part in match.groups() if part is not None), rest[match.end() :]
        known = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
        part = next((each for each in known if str(each) == name), None)
        if part is None:
            where = dotted(keys) or "the configuration"
            unset = "is unset" if value is None else f"has no {name}"
            shown = f"facemon config show {dotted(keys)}".rstrip()
            raise UsageError(
                f"{key}: {where} {unset}", nearest_or_all(name, map(str, known)) or f"{shown} prints what there is"
            )
        keys, value = (*keys, part), value[part]
    return keys, value


def _leaves(plain: Any, keys: "Keys") -> "Iterator[Keys]":
    """The keys of each value that holds no others."""
    if isinstance(plain, dict) and plain:
        for key, each in plain.items():
            yield from _leaves(each, (*keys, key))
    elif isinstance(plain, list) and plain:
        for index, each in enumerate(plain):
            yield from _leaves(each, (*keys, index))
    else:
        yield keys
