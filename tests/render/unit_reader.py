"""Reads a systemd unit, by the words of systemd.syntax(7)."""

import re
from collections.abc import Iterator


def unit_value(text: str, key: str) -> str:
    """What a key is set to, where it is set once."""
    (found,) = re.findall(rf"^{key}=(.*)$", text, flags=re.MULTILINE)
    return str(found)


def unit_words(line: str) -> Iterator[str]:
    """The words of a line, and what specifiers make of them."""
    for match in re.finditer(r'"((?:[^"\\]|\\.)*)"|([^ ]+)', line):
        yield re.sub(r"\\(.)", r"\1", match[1] if match[2] is None else match[2]).replace("%%", "%")
