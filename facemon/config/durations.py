"""How durations are written in the configuration, in options and in rules; commands load this without pydantic."""

import re
from datetime import timedelta

_DURATION = re.compile("".join(rf"(?:(\d{{1,40}}){unit})?" for unit in ("w", "d", "h", "m", "s", "ms")))
_DURATION_UNITS = ("weeks", "days", "hours", "minutes", "seconds", "milliseconds")
_SHOWN = 60


def parse_duration(text: str) -> timedelta:
    """Read a Prometheus duration such as `24h`, `90s`, `1h30m`, `500ms`; ValueError for anything else."""
    match = _DURATION.fullmatch(text.strip())
    if not match or not any(match.groups()):
        raise ValueError(f"{shown(text)} is not a duration: write a number and a unit, like 30s, 10m, 24h, 7d")
    amounts = {unit: int(n) for unit, n in zip(_DURATION_UNITS, match.groups(), strict=True) if n}
    try:
        return timedelta(**amounts)
    except OverflowError:
        raise ValueError(f"{shown(text)} is too long: the longest duration is 999999999d") from None


def format_duration(duration: timedelta) -> str:
    """Write a duration as Prometheus reads it; the inverse of `parse_duration`."""
    rest = round(duration.total_seconds() * 1000)
    if rest == 0:
        return "0s"
    parts = []
    for unit, length in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        amount, rest = divmod(rest, length)
        if amount:
            parts.append(f"{amount}{unit}")
    return "".join(parts)


def shown(text: str) -> str:
    """A text as an error quotes it, cut where it is long."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
