"""Values that a caller gives: what neither a file nor the log could hold is refused before anything is written."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facemon.application.local_paths import refuse_home, refuse_url
from facemon.errors import UsageError


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


def _shown(text: str) -> str:
    """The text with its foreign bytes in hexadecimal; a surrogate from Python may be none of a byte."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode("utf-8")
