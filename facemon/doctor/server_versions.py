"""Versions of servers, compared by their first two numbers."""

import re


def is_older(version: str, least: str) -> bool:
    """Whether a server's version is below one such as `2.42`; False for one that is not of that form."""
    found, wanted = _numbers(version), _numbers(least)
    return found is not None and wanted is not None and found < wanted


def _numbers(text: str) -> tuple[int, int] | None:
    match = re.match(r"v?(\d+)\.(\d+)", text)
    return None if match is None else (int(match[1]), int(match[2]))
