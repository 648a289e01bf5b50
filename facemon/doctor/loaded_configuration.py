"""How a configuration that Alertmanager has loaded differs from the rendered one, whose keys it completes.

Alertmanager shows what it loaded with its defaults filled in, secrets replaced, and times and matchers in its own
spelling.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from facemon.config.durations import parse_duration

_SECRET = "<secret>"  # noqa: S105 - what it shows in the place of one
_MATCHERS = ("matchers", "source_matchers", "target_matchers", "equal")
_NARROWING = (
    "routes",
    "match",
    "match_re",
    "matchers",
    "mute_time_intervals",
    "active_time_intervals",
    "inhibit_rules",
)
"""Only these keys keep alerts from a receiver; all other keys that were not rendered are defaults."""
_TIMES = "time_intervals"
"""Their spelling differs too much to be compared: ranges of days and months have names or numbers."""


def differences(rendered: Any, loaded: Any, place: str = "") -> Iterator[str]:
    """Yield the places at which the loaded one is not what was rendered, such as `route.routes[0].receiver`."""
    match rendered, loaded:
        case dict(), dict():
            yield from _of_mappings(rendered, loaded, place)
        case list(), list():
            yield from _of_lists(rendered, loaded, place)
        case _ if not _is_same(rendered, loaded):
            yield place


def _of_mappings(rendered: dict[str, Any], loaded: dict[str, Any], place: str) -> Iterator[str]:
    for key, value in rendered.items():
        here = f"{place}.{key}" if place else str(key)
        if key == _TIMES and not place:
            yield from _of_names(value, loaded.get(key) or [], here)
        elif key not in loaded:
            # An empty value and a missing one are the same to it.
            if value not in ("", [], {}, False, None):
                yield here
        else:
            yield from differences(value, loaded[key], here)
    for key in _NARROWING:
        if loaded.get(key) and key not in rendered and not (key == "mute_time_intervals" and not place):
            yield f"{place}.{key}" if place else key


def _of_names(rendered: list[Any], loaded: list[Any], place: str) -> Iterator[str]:
    if [each.get("name") for each in rendered] != [each.get("name") for each in loaded]:
        yield place


def _of_lists(rendered: list[Any], loaded: list[Any], place: str) -> Iterator[str]:
    if place.rpartition(".")[2] in _MATCHERS:
        rendered, loaded = sorted(map(str, rendered)), sorted(map(str, loaded))
    if len(rendered) != len(loaded):
        yield place
        return
    for index, (first, second) in enumerate(zip(rendered, loaded, strict=True)):
        yield from differences(first, second, f"{place}[{index}]")


def _is_same(rendered: Any, loaded: Any) -> bool:
    if loaded in (_SECRET, rendered) or str(rendered) == str(loaded):
        return True
    try:
        return parse_duration(str(rendered)) == parse_duration(str(loaded))
    except ValueError:
        return _plain_url(rendered) == _plain_url(loaded)


def _plain_url(value: Any) -> str:
    """A URL as it is before its parser escapes characters and adds a slash."""
    return unquote(str(value)).rstrip("/")
