"""Values of a configuration as text that reads back as the same values: plain ones, and YAML of them."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from facemon.config.durations import format_duration
from facemon.config.quantities import Listen, Size
from facemon.config.yaml_source import Keys, read_yaml

_UNITS = (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("m", timedelta(minutes=1)), ("s", timedelta(seconds=1)))
_SIZES = (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10))
_PLAIN = re.compile(r"[\w./]*\w[\w./:-]*")
_INDENT = 2
_COMMENTS = 38
"""The column at which comments begin, where a line is not longer."""


def plain_value(value: Any, field: FieldInfo | None = None) -> Any:
    """Return a value as `facemon.yaml` writes it, of types that JSON has; `field` tells sizes from other numbers.

    A section is a mapping by the names of its keys, in which unset keys are None.
    """
    match value:
        case timedelta():
            return duration_text(value)
        case bool():
            return value
        case int() if field is not None and _is_size(field):
            return next((f"{value // size}{unit}" for unit, size in _SIZES if value and value % size == 0), value)
        case Listen() | Path():
            return str(value)
        case BaseModel():
            fields = {name: field for name, field in type(value).model_fields.items() if not field.exclude}
            return {each.alias or name: plain_value(getattr(value, name), each) for name, each in fields.items()}
        case Mapping():
            return {key: plain_value(each) for key, each in value.items()}
        case tuple() | list():
            return [plain_value(each) for each in value]
        case _:
            return value


def without_unset(plain: Any) -> Any:
    """Return a plain value without the keys that are None, in mappings at any depth."""
    match plain:
        case dict():
            return {key: without_unset(each) for key, each in plain.items() if each is not None}
        case list():
            return [without_unset(each) for each in plain]
        case _:
            return plain


def duration_text(value: timedelta) -> str:
    """Return a duration in the largest unit of which it is more than one, as 24h and not 1d."""
    for unit, length in _UNITS:
        if value % length == timedelta(0) and value > length:
            return f"{value // length}{unit}"
    return format_duration(value)


def flow_text(plain: Any) -> str:
    """Return a plain value as YAML in one line."""
    match plain:
        case None:
            return "null"
        case bool():
            return str(plain).lower()
        case int():
            return str(plain)
        case float():
            return _number(plain)
        case Mapping():
            return f"{{{', '.join(f'{flow_text(key)}: {flow_text(each)}' for key, each in plain.items())}}}"
        case list():
            return f"[{', '.join(map(flow_text, plain))}]"
        case _:
            return _text(str(plain))


def yaml_lines(plain: Any, comment: Callable[[Keys], str], keys: Keys = (), indent: int = 0) -> Iterator[str]:
    """Yield a plain value as lines of YAML, with a comment after the value of each key; an empty one is left out."""
    pad = " " * indent
    if not _has_lines(plain):
        yield _commented(f"{pad}{flow_text(plain)}", comment(keys))
    elif isinstance(plain, Mapping):
        for key, value in plain.items():
            head = f"{pad}{flow_text(key)}:"
            if _has_lines(value):
                yield head
                yield from yaml_lines(value, comment, (*keys, key), indent + _INDENT)
            else:
                yield _commented(f"{head} {flow_text(value)}", comment((*keys, key)))
    else:
        for index, item in enumerate(plain):
            first, *others = yaml_lines(item, comment, (*keys, index), indent + _INDENT)
            yield f"{pad}- {first[indent + _INDENT :]}"
            yield from others


def _is_size(field: FieldInfo) -> bool:
    return tuple(field.metadata) == get_args(Size)[1:] or Size in get_args(field.annotation)


def _has_lines(plain: Any) -> bool:
    """Whether a value is written in lines of its own: a list of numbers and texts fits into one."""
    if isinstance(plain, list):
        return any(isinstance(each, Mapping | list) and each for each in plain)
    return isinstance(plain, Mapping) and bool(plain)


def _commented(line: str, comment: str) -> str:
    return f"{line:<{_COMMENTS}}  # {comment}" if comment else line


def _number(value: float) -> str:
    short = f"{value:.12g}"
    text = short if float(short) == value else repr(value)
    # YAML 1.1 reads 1e-05 as text.
    return text.replace("e", ".0e") if "e" in text and "." not in text else text


def _text(text: str) -> str:
    """A text without quotes where it reads back as that text, else with what is not printable escaped."""
    if _PLAIN.fullmatch(text) and read_yaml(text).value == text:
        return text
    escaped = "".join(_escaped(sign) for sign in text)
    return f'"{escaped}"'


def _escaped(sign: str) -> str:
    if sign in '"\\':
        return f"\\{sign}"
    return sign if sign.isprintable() else f"\\U{ord(sign):08x}"
