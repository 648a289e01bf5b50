"""What makes a dashboard good to read: explained panels with units, none over another, links that lead somewhere."""

import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from facemon.render.lint.finding import Finding, LintedFile
from facemon.render.rendered_content import Keys, is_dashboard, panels, strings

_GRID_WIDTH = 24
_WITHOUT_DATA = ("row", "text", "alertlist", "dashlist", "news")
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?:[:.][^}]*)?\}|(\w+))|\[\[(\w+)\]\]")
_LINK = re.compile(r"/d/([\w-]+)")


def dashboard_findings(files: tuple[LintedFile, ...]) -> Iterator[Finding]:
    """What is wrong with dashboards, each by itself and with links to the others."""
    dashboards = [file for file in files if is_dashboard(file.content)]
    uids = [file.content.get("uid") for file in dashboards if not _inputs(file)]
    for file in dashboards:
        # One for import by hand is the same dashboard once more, for another Grafana.
        is_doubled = not _inputs(file) and uids.count(file.content.get("uid")) > 1
        if is_doubled or not file.content.get("uid"):
            yield file.fault(("uid",), "is missing or another dashboard's", "give each dashboard a uid of its own")
        yield from _ids(file)
        yield from _overlaps(file)
        yield from _undefined(file)
        yield from _repeats(file)
        for place, panel in panels(file.content):
            yield from _explained(file, place, panel)
    if dashboards:
        for file in files:
            yield from _links(file, set(uids))


def _explained(file: LintedFile, place: Keys, panel: dict[str, Any]) -> Iterator[Finding]:
    if panel.get("type") in _WITHOUT_DATA:
        return
    if not panel.get("description", "").strip():
        yield file.fault((*place, "description"), "is missing", "say what the panel shows and what is good")
    if not panel.get("fieldConfig", {}).get("defaults", {}).get("unit"):
        yield file.fault((*place, "fieldConfig", "defaults", "unit"), "is missing", "name the unit, short for a count")
    letters = [target.get("refId") for target in panel.get("targets", ())]
    if not letters:
        yield file.fault((*place, "targets"), "asks for nothing", "give the panel a query")
    if len(set(letters)) != len(letters):
        yield file.fault((*place, "targets"), "two queries have the same refId", "give each a letter of its own")


def _ids(file: LintedFile) -> Iterator[Finding]:
    seen: set[Any] = set()
    for place, panel in panels(file.content):
        number = panel.get("id")
        if not isinstance(number, int) or number < 1 or number in seen:
            yield file.fault((*place, "id"), f"is {number}, which is not a number of its own",
                             "give each panel a positive number that stays")  # fmt: skip
        seen.add(number)


def _overlaps(file: LintedFile) -> Iterator[Finding]:
    grids = [
        ((*place, "gridPos"), panel.get("gridPos", {})) for place, panel in panels(file.content) if len(place) == 2
    ]
    fitting = [(place, grid) for place, grid in grids if _fits(grid)]
    for place, grid in grids:
        if not _fits(grid):
            yield file.fault(place, "is missing or leaves the grid", f"stay within its {_GRID_WIDTH} columns")
    for (_, one), (place, other) in combinations(fitting, 2):
        if all(one[at] < other[at] + other[size] and other[at] < one[at] + one[size] for at, size in ("xw", "yh")):
            yield file.fault(place, "lies over another panel", "move one of them")


def _fits(grid: Mapping[str, Any]) -> bool:
    x, y, width, height = (grid.get(key, -1) for key in "xywh")
    return min(x, y) >= 0 < min(width, height) and x + width <= _GRID_WIDTH


def _inputs(file: LintedFile) -> set[str]:
    """What Grafana asks for when a dashboard is imported by hand."""
    return {asked.get("name") for asked in file.content.get("__inputs", ())}


def _variables(file: LintedFile) -> set[str]:
    return {variable.get("name") for variable in file.content.get("templating", {}).get("list", ())}


def _repeats(file: LintedFile) -> Iterator[Finding]:
    for place, panel in panels(file.content):
        if (name := panel.get("repeat")) is not None and name not in _variables(file):
            yield file.fault((*place, "repeat"), f"is the variable {name}, which is not defined",
                             "define it under templating")  # fmt: skip


def _undefined(file: LintedFile) -> Iterator[Finding]:
    defined = _variables(file) | _inputs(file)
    for place, text in strings(file.content):
        if place[0] == "templating" and "current" in place:
            continue  # what is chosen is a name, such as a data source's, in which Grafana looks for no variables
        for groups in _VARIABLE.findall(text):
            name = next(group for group in groups if group)
            # Those with two underscores are Grafana's own; $1 is a group of a regular expression.
            if name not in defined and not name.startswith("__") and not name.isdigit():
                yield file.fault(place, f"uses the variable {name}, which is not defined", "define it under templating")


def _links(file: LintedFile, uids: set[str]) -> Iterator[Finding]:
    for place, text in strings(file.content):
        for uid in _LINK.findall(text) if _is_link(place) else ():
            if uid not in uids:
                yield file.fault(place, f"leads to the dashboard {uid}, which is not there", "link to one that is")


def _is_link(place: Keys) -> bool:
    return bool(place) and str(place[-1]) in ("url", "dashboard_url")
