"""Asks Prometheus what Grafana would ask for a dashboard: variables filled in, windows chosen, panel by panel."""

import json
import re
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from facemon.render.rendered_content import panels
from tests.patience import HANG_S

Choices = Mapping[str, Sequence[str] | None]
"""What is chosen of each variable; none = All."""
Series = tuple[dict[str, str], list[float]]

DAY = 86_400
_POINTS = 1000
"""What a panel as wide as half a screen asks for, about."""
_STEPS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, DAY)
_PLACE = re.compile(r"\$\{(?P<braced>\w+)(?::(?P<format>\w+))?\}|\$(?P<plain>\w+)")
_LABEL_VALUES = re.compile(r"label_values\((?P<selector>.+), (?P<label>\w+)\)")
_SPECIAL = re.compile(r"[\\^$*+?.()|\[\]{}/]")
_ALL = "(?s).*"
_UNITS = {"ms": 0.001, "s": 1.0}
# A proxy of the machine must not come between the test and its own server.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Asked:
    """One query of a panel, as it was sent, and what came back: the series as Prometheus writes them."""

    panel: str
    target: Mapping[str, Any]
    query: str
    step: float
    answer: tuple[Mapping[str, Any], ...]

    @property
    def series(self) -> tuple[Series, ...]:
        """The labels and the values of each series."""
        return tuple(_series(self.answer))

    @property
    def is_empty(self) -> bool:
        """Whether a person would see nothing."""
        return not any(value == value for _, values in self.series for value in values)  # noqa: PLR0124 - NaN is not


@dataclass(frozen=True, slots=True)
class Grafana:
    """Somebody who looks at dashboards on a Prometheus at one moment, in seconds since 1970."""

    url: str
    at: float

    def options(self, dashboard: Mapping[str, Any]) -> dict[str, list[str]]:
        """The values that each variable offers while all of the others are chosen."""
        everything: dict[str, None] = {variable["name"]: None for variable in _queried(dashboard)}
        found = {}
        for variable in _queried(dashboard):
            assert variable["definition"] == variable["query"]["query"]
            assert variable["allValue"] == _ALL
            definition = _LABEL_VALUES.fullmatch(variable["definition"])
            assert definition, variable["definition"]
            selector = filled(definition["selector"], everything, span=DAY, step=60, interval=15)
            parameters = {"match[]": selector, "start": self.at - 7 * DAY, "end": self.at + 1}
            found[variable["name"]] = self._get(f"label/{definition['label']}/values", parameters)
        return found

    def panels(self, dashboard: Mapping[str, Any], choices: Choices) -> Iterator[Asked]:
        """Every query of every panel; one that is repeated is asked once, for all values that are chosen."""
        span = {"now-24h": DAY, "now-7d": 7 * DAY}[dashboard["time"]["from"]]
        for _, panel in panels(dashboard):
            for target in panel.get("targets", ()):
                number, unit = re.fullmatch(r"(\d+)(ms|s)", target["interval"]).groups()  # type: ignore[union-attr]
                interval = float(number) * _UNITS[unit]
                step = max(interval, min(_STEPS, key=lambda each: abs(each - span / _POINTS)))
                query = filled(target["expr"], choices, span=span, step=step, interval=interval)
                answer = self._now(query) if target["instant"] else self._range(query, span, step)
                yield Asked(panel["title"], target, query, step, tuple(answer))

    def annotations(self, dashboard: Mapping[str, Any], choices: Choices) -> Iterator[str]:
        """The query of each annotation, filled in, the alerts' first."""
        for annotation in dashboard["annotations"]["list"]:
            yield filled(annotation["expr"], choices, span=DAY, step=60, interval=15)

    def instant(self, query: str) -> list[Series]:
        """The value of each series at the moment."""
        return list(_series(self._now(query)))

    def week(self, query: str) -> list[Series]:
        """The values of each series over a week, as an annotation asks for them."""
        return list(_series(self._range(query, 7 * DAY, 60)))

    def _now(self, query: str) -> list[Any]:
        return list(self._post("query", {"query": query, "time": self.at}))

    def _range(self, query: str, span: float, step: float) -> list[Any]:
        # Grafana aligns with multiples of the step; the moment itself is not lost here.
        parameters = {"query": query, "start": self.at - span // step * step, "end": self.at, "step": step}
        return list(self._post("query_range", parameters))

    def _get(self, path: str, parameters: Mapping[str, Any]) -> Any:
        with _direct.open(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}", timeout=HANG_S) as answer:
            return json.load(answer)["data"]

    def _post(self, path: str, parameters: Mapping[str, Any]) -> Any:
        form = urllib.parse.urlencode(parameters).encode()
        try:
            with _direct.open(f"{self.url}/api/v1/{path}", form, timeout=HANG_S) as answer:
                return json.load(answer)["data"]["result"]
        except urllib.error.HTTPError as error:
            with error:
                raise ValueError(f"{parameters['query']}: {error.read().decode()}") from error


def _series(answer: Sequence[Mapping[str, Any]]) -> Iterator[Series]:
    for each in answer:
        points = each["values"] if "values" in each else [each["value"]]
        yield each["metric"], [float(value) for _, value in points]


def filled(text: str, choices: Choices, *, span: float, step: float, interval: float) -> str:
    """The query as it leaves Grafana; KeyError for a variable that the dashboard lacks."""
    windows = {"__range": span, "__interval": step, "__rate_interval": max(step + interval, 4 * interval)}

    def value_of(place: re.Match[str]) -> str:
        name = place["braced"] or place["plain"]
        if name in windows:
            return f"{round(windows[name] * 1000)}ms"
        assert place["format"] == "regex", f"{place[0]}: a choice of many is a regular expression"
        chosen = choices[name]
        if chosen is None:
            return _ALL
        patterns = [_SPECIAL.sub(r"\\\g<0>", value) for value in chosen]
        return patterns[0] if len(patterns) == 1 else f"({'|'.join(patterns)})"

    return _PLACE.sub(value_of, text)


def _queried(dashboard: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [variable for variable in dashboard["templating"]["list"] if variable["type"] == "query"]
