"""What YAML 1.1 makes of words and numbers that people mean otherwise, and how to write them instead."""

import re
from datetime import date
from typing import Any

_EXPONENT = re.compile(r"([-+]?\d+)(?:\.(\d*))?[eE]([-+]?)(\d+)")
_OCTAL = re.compile(r"[-+]?0[0-7_]+")
_LONGEST = 40


def word_of(value: Any) -> str:
    """A value as YAML's reader would name it, in words: `true`, `the number 5`, `a list`."""
    match value:
        case None:
            return "empty"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}"
        case str():
            return "text"
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case date():
            return "a date"
    raise TypeError(f"no YAML value is a {type(value).__name__}")


def is_misread_number(text: str, value: Any) -> bool:
    """Whether YAML 1.1 makes a number of the unquoted `text` that hardly anybody means: `12:30` or `010`."""
    return isinstance(value, int | float) and not isinstance(value, bool) and (":" in text or is_octal(text))


def is_octal(text: str) -> bool:
    """Whether YAML 1.1 reads the unquoted `text` as a number of base 8."""
    return _OCTAL.fullmatch(text) is not None


def misreading(text: str | None, value: Any) -> str:
    """What YAML made of the unquoted `text`; empty if `value` is what everybody would read there."""
    if not text or len(text) > _LONGEST or isinstance(value, str | list | dict):
        return ""
    if value is None or isinstance(value, bool | date) or is_misread_number(text, value):
        meaning = "nothing" if value is None else word_of(value)
        return f"YAML reads {text} as {meaning}" if text.lower() != meaning else ""
    return ""


def text_hint(text: str | None, value: Any) -> str:
    """How to write the unquoted `text`, which YAML read as `value`, where text is wanted."""
    if not text or len(text) > _LONGEST or isinstance(value, str | list | dict):
        return ""
    read = misreading(text, value)
    return f'{read}: write "{text}"' if read else f'write "{text}"'


def number_hint(value: Any) -> str:
    """How to write text as the number that it looks like; empty if it looks like none."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        return ""
    if match := _EXPONENT.fullmatch(value):
        whole, fraction, sign, power = match.groups()
        return f"YAML reads {value} as text: write {whole}.{fraction or '0'}e{sign or '+'}{power}"
    if re.fullmatch(r"[-+]?\d+(?:\.\d+)?", value):
        return f"write {value if '.' in value else int(value)} without quotes"
    return ""


def boolean_hint(value: Any) -> str:
    """How to write text as the truth value that it looks like; empty if it looks like none."""
    if isinstance(value, str) and value.lower() in ("y", "yes", "on", "true", "t", "1"):
        return "write true without quotes"
    if isinstance(value, str) and value.lower() in ("n", "no", "off", "false", "f", "0"):
        return "write false without quotes"
    return ""
