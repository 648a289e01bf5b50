"""`facemon.yaml` with every key: its default and its description, as the models of this folder say.

The template beside this file has the order, the headings and the examples. In it `@` after a key is the key's default,
and `# @` at the end of a line is its description: the first paragraph of the docstring below the field.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from facemon.config.alerts import DEFAULT_ALERTS
from facemon.config.field_descriptions import field_descriptions
from facemon.config.loader import parse_config
from facemon.config.yaml_text import flow_text, plain_value, without_unset

TEMPLATE = Path(__file__).with_name("explained_configuration.template")
_KEY = re.compile(r"(?P<indent> *)(?P<off># )?(?P<key>[A-Za-z_]+):(?: (?P<value>.*?))?(?:(?P<gap> +)# (?P<said>.*))?")
_SLOT = re.compile(r"(?:(?P<key>\w+): )?@")
_OF_ALERT = re.compile(r"@\((?P<alert>\w+)\.(?P<what>\w+)\)")
_LOST_SLOT = re.compile(r"(?:^|[ {(])@")
_COLUMN, _COLUMN_OF_ALERTS, _WIDTH = 34, 41, 120
"""Where comments begin, and where a list is continued on the next line."""
_GAP = "  "
_NAMES = ("Airflow", "Alertmanager", "Prometheus")


def explained_configuration(template: str) -> str:
    """The template with its defaults and descriptions; ValueError names the line that fits no key."""
    defaults = parse_config("", name="facemon.yaml", directory=Path())
    lines: list[str] = []
    for number, (line, match, path) in enumerate(keys(template), 1):
        if match is None:
            if _LOST_SLOT.search(line):
                raise ValueError(f"line {number}: @ stands where no key is: {line.strip()}")
            lines.append(line)
            continue
        try:
            lines += _written(match, path, defaults)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"line {number}: {'.'.join(path)}: {error}") from error
    return "\n".join(lines) + "\n"


def keys(template: str) -> Iterator[tuple[str, re.Match[str] | None, tuple[str, ...]]]:
    """Each line with its parts and the path of its key, also of a key that is a comment; lines without a key too."""
    parents: list[tuple[int, str]] = []
    for line in template.splitlines():
        match = None if line.startswith("#") else _KEY.fullmatch(line)
        if match is None:
            yield line, None, ()
            continue
        indent = len(match["indent"])
        above = [(at, key) for at, key in parents if at < indent]
        if not match["off"]:
            parents = [*above, (indent, match["key"])]
        yield line, match, (*(key for _, key in above), match["key"])


def _written(match: re.Match[str], path: tuple[str, ...], defaults: BaseModel) -> Iterator[str]:
    """The lines of one key."""
    value = match["value"] or ""
    if value and "@" not in value and not match["off"] and path[0] != "model":
        raise ValueError("has a value of its own: write @ for the default")
    head = f"{match['indent']}{match['off'] or ''}{match['key']}:"

    def default(slot: re.Match[str]) -> str:
        keys = (*path, slot["key"]) if slot["key"] else path
        return (f"{slot['key']}: " if slot["key"] else "") + _default(keys, defaults)

    content = "\n".join(_wrapped(f"{head} {_SLOT.sub(default, value)}" if value else head))
    if match["said"] is None:
        yield content
        return
    said = _described(path, defaults) if match["said"] == "@" else _OF_ALERT.sub(_of_alert, match["said"])
    first, *more = said.split("\n")
    column = _COLUMN_OF_ALERTS if path[0] == "alerts" and len(path) > 1 and path[1] in DEFAULT_ALERTS else _COLUMN
    gap = " " * (column - len(content) if column - len(content) > 1 else 3)
    # A comment that the template moves to a column of its own stays there.
    yield f"{content}{match['gap'] if len(match['gap']) > len(_GAP) else gap}# {first}"
    yield from (f"{' ' * _COLUMN}# {line}" for line in more)


def _wrapped(line: str) -> Iterator[str]:
    """The line; a list that is too long goes on below its first item."""
    if len(line) > _WIDTH and "[" in line:
        cut = line.rindex(", ", 0, _WIDTH) + 1
        yield line[:cut]
        line = " " * (line.index("[") + 1) + line[cut + 1 :]
    yield line


def _parent(path: tuple[str, ...], defaults: BaseModel) -> tuple[BaseModel, str]:
    """The section that has the key, and the name of the key's field."""
    section: Any = defaults
    for key in path[:-1]:
        section = getattr(section, _field(section, key))
    return section, _field(section, path[-1])


def _field(section: BaseModel, key: str) -> str:
    for name, field in type(section).model_fields.items():
        if (field.alias or name) == key:
            return name
    raise KeyError(f"{type(section).__name__} has no key {key}")


def _default(path: tuple[str, ...], defaults: BaseModel) -> str:
    section, name = _parent(path, defaults)
    value = getattr(section, name)
    if value is None:
        raise ValueError("is unset by default: write the line as a comment, with an example")
    return flow_text(without_unset(plain_value(value, type(section).model_fields[name])))


def _of_alert(match: re.Match[str]) -> str:
    return flow_text(plain_value(getattr(DEFAULT_ALERTS[match["alert"]], match["what"])))


def _described(path: tuple[str, ...], defaults: BaseModel) -> str:
    """What the docstring of the key's field says, as a comment: without a capital and a full stop."""
    section, name = _parent(path, defaults)
    said = field_descriptions(type(section)).get(name)
    if said is None:
        raise ValueError(f"{type(section).__name__}.{name} has no docstring")
    text = said.split("\n\n")[0].removesuffix(".")
    return text if text.startswith(_NAMES) else text[0].lower() + text[1:]
