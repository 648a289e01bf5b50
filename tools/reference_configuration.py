"""The page of every key of `facemon.yaml`: its values, its default and its docstring, as facemon/config has them."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from facemon.config.document import Config
from facemon.config.field_descriptions import field_descriptions
from facemon.config.model import ModelConfig
from facemon.config.quantities import Listen, Size
from facemon.config.section import Section
from facemon.config.yaml_text import flow_text, plain_value, without_unset
from facemon.render.markdown import table

_OPENING = """\
# Configuration keys

Every key of `facemon.yaml`, with its values, its default and its meaning, written from `facemon/config`. Every
section may be left out: without `model`, or with `model: {bundle: age-gender}`, it is the built-in one. An unknown key,
and a value of another type, is an error with its line and column.

Durations are written as in Prometheus (`90s`, `24h`, `1h30m`), sizes with a unit (`64MiB`), paths relative to the
file's folder.
"""
_WHOLE = "The whole file"
_BOUNDS = {Ge: ("ge", "at least"), Gt: ("gt", "above"), Le: ("le", "at most"), Lt: ("lt", "below")}
_WORDS: dict[Any, str] = {
    bool: "`true` or `false`", int: "whole number", float: "number", str: "text", timedelta: "duration", Path: "path",
    Listen: "HOST:PORT",
}  # fmt: skip


def configuration_page() -> str:
    """Return the page: a section for each part of the configuration, in the file's order."""
    places: dict[type[BaseModel], list[str]] = {}
    for path, section in sections(Config):
        places.setdefault(section, []).append(path)
    parts = [_OPENING]
    for section, (path, *others) in places.items():
        parts.append(f"## {path or _WHOLE}\n\n{_summary(section)}\n")
        if others:
            parts.append(f"The same keys: {', '.join(f'`{each}`' for each in others)}.\n")
        parts.append(f"{table(tuple(_rows(section, places)))}\n")
    return "\n".join(parts)


def sections(section: type[BaseModel], path: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield a section and all below it, each with the path of its key; `NAME` and `[]` stand for what a user writes."""
    yield path, section
    for name, field in section.model_fields.items():
        if field.exclude:
            continue
        for mark, inner in _inside(field.annotation):
            key = f"{path}.{field.alias or name}{mark}".lstrip(".")
            yield from sections(inner, key)


def _inside(annotation: Any, mark: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """The sections that a value consists of, and how they lie in it."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield mark, annotation
    origin = get_origin(annotation)
    inner = {tuple: "[]", dict: ".NAME"}.get(origin, "" if origin in {Union, UnionType, Annotated} else None)
    if inner is None and isinstance(origin, type) and hasattr(origin, "keys"):
        inner = ".NAME"
    if inner is not None:
        for argument in get_args(annotation):
            yield from _inside(argument, mark + inner)


def _summary(section: type[BaseModel]) -> str:
    return (section.__doc__ or "").split("\n")[0]


def _rows(section: type[BaseModel], places: Mapping[type[BaseModel], list[str]]) -> Iterator[tuple[str, ...]]:
    yield "key", "value", "default", "meaning"
    said = field_descriptions(section)
    for name, field in section.model_fields.items():
        if field.exclude:
            continue
        inner = [each for _, each in _inside(field.annotation)]
        said_of_section = _summary(inner[0]) if len(inner) == 1 else ""
        meaning = said.get(name, said_of_section).replace("\n", " ").replace("|", "\\|")
        links = {each: f"[{_of(each)}](#{_anchor(places[each][0])})" for each in inner}
        values = " or ".join(links.values()) if links else _values(field)
        yield f"`{field.alias or name}`", values, _default(field), meaning


def _of(section: type[BaseModel]) -> str:
    """What a section is called in a table."""
    return section.__name__.removesuffix("Config")


def _anchor(path: str) -> str:
    """The anchor of a heading, as the site makes it."""
    return re.sub(r"[^\w -]", "", path).lower().replace(" ", "-")


def _default(field: FieldInfo) -> str:
    if field.annotation is ModelConfig:
        return "`{bundle: age-gender}`"
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None:
        return "unset"
    if isinstance(value, BaseModel):
        return "that of its keys"
    return f"`{flow_text(without_unset(plain_value(value, field)))}`".replace("|", "\\|")


def _values(field: FieldInfo) -> str:
    if tuple(field.metadata) == get_args(Size)[1:]:
        return "size"
    return _described(field.annotation, tuple(field.metadata))


def _described(annotation: Any, metadata: tuple[Any, ...]) -> str:
    """What may be written, in words."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inside = arguments[1:]
        nested = tuple(each for part in inside for each in getattr(part, "metadata", [part]))
        return "size" if annotation == Size else _described(arguments[0], nested)
    if origin is Literal:
        return ", ".join(f"`{each}`" for each in arguments)
    if origin in {Union, UnionType}:
        return " or ".join(dict.fromkeys(_described(each, ()) for each in arguments if each is not type(None)))
    if origin is tuple:
        return f"list of {_described(arguments[0], ())}" if arguments[-1:] == (Ellipsis,) else "list"
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return "section"
    if origin is not None:
        return "mapping"
    bounds = [f"{words} {getattr(each, name):g}" for each in metadata for kind, (name, words) in _BOUNDS.items()
              if isinstance(each, kind) and abs(getattr(each, name)) < 2**31 - 1]  # fmt: skip
    return ", ".join([_WORDS.get(annotation, "text"), *bounds])
