"""Values that a caller gives: what neither a file nor the log could hold is refused before anything is written."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facemon.application.local_paths import refuse_home, refuse_url
from facemon.errors import UsageError

_NAME_ONE = "give the name of a source, or leave it out"


def refuse_unusable(given: Mapping[str, Any]) -> None:
    """UsageError for a path that is an address or begins with ~, and for a text that is not Unicode.

    Other values are not looked at.
    A path may be any bytes, which Python keeps as surrogates. A name may not: neither the log nor a report can hold it.
    """
    for name, value in given.items():
        if isinstance(value, Path):
            refuse_url(value)
            refuse_home(value)
        elif isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
            raise UsageError(f"{name.strip('_').replace('_', ' ')} {_shown(value)}: is not UTF-8")


def refuse_source(name: str, source: object) -> None:
    """UsageError for a source that the log could not hold; `name` is what the caller calls it, and None is accepted."""
    from facemon.domain.image_input import source_fault

    if source is None:
        return
    if not isinstance(source, str):
        raise UsageError(f"{name} is {source!r}, not text", _NAME_ONE)
    if not source.strip():
        raise UsageError(f"{name} is empty", _NAME_ONE)
    if fault := source_fault(source):
        raise UsageError(f"{name} {fault}", "a source becomes a label of metrics: give a short name")


def _shown(text: str) -> str:
    """The text with its foreign bytes in hexadecimal; a surrogate from Python may be none of a byte."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode("utf-8")
