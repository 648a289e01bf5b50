"""Walks what was rendered: rules of rule files, panels of dashboards, texts of any document, each with its place."""

from collections.abc import Hashable, Iterator
from typing import Any

Keys = tuple[Hashable, ...]


def rules(content: Any) -> Iterator[tuple[Keys, dict[str, Any]]]:
    """The rules of a rule file; nothing of any other document."""
    groups = content.get("groups", ()) if isinstance(content, dict) else ()
    for place, group in enumerate(groups):
        for index, rule in enumerate(group.get("rules", ())):
            yield ("groups", place, "rules", index), rule


def panels(content: Any) -> Iterator[tuple[Keys, dict[str, Any]]]:
    """The panels of a dashboard, those that are folded into a row behind it; nothing of any other document."""
    for place, panel in enumerate(content["panels"] if is_dashboard(content) else ()):
        yield ("panels", place), panel
        for index, folded in enumerate(panel.get("panels", ())):
            yield ("panels", place, "panels", index), folded


def is_dashboard(content: Any) -> bool:
    """Whether a document is a Grafana dashboard."""
    return isinstance(content, dict) and "panels" in content and "schemaVersion" in content


def strings(content: Any, above: Keys = ()) -> Iterator[tuple[Keys, str]]:
    """Every text in a document, in its order."""
    pending = [(above, content)]
    while pending:
        place, value = pending.pop()
        match value:
            case str():
                yield place, value
            case dict():
                pending.extend(((*place, key), value[key]) for key in reversed(value))
            case list():
                pending.extend(((*place, index), value[index]) for index in reversed(range(len(value))))
