"""MetricsAbsent over time, by promtool: missed scrapes and other targets neither begin its wait again nor double it.

The rendered rules of the alerts that may say why nothing arrives run on series as scrapes leave them. When each fires
is stated in minutes, and is looked at in each minute.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from facemon.render.alert_rules import alert_rules
from facemon.render.rule_test import Phases, input_series, time_text
from facemon.render.scenario import Course
from facemon.render.series_models import turning
from facemon.render.stack_text import yaml_text
from tests.render.configurations import DEFAULTS, config_of
from tests.servers import promtool

SCRAPE = timedelta(seconds=15)
LENGTH = 60
NEVER = 10**6
"""In minutes, after the end of every course."""
WATCHED = ("MetricsAbsent", "TargetDown", "SourceUnreadable")
Spans = Mapping[str, Sequence[tuple[float, float]]]


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


@dataclass(frozen=True, slots=True)
class Target:
    """An exporter that is scraped each 15 s, and what goes wrong with it, in minutes from the beginning."""

    name: str = "exporter:1"
    gone: float = NEVER
    """When its metrics of the store end for good, although it answers."""
    missed: tuple[tuple[float, float], ...] = ()
    """From when to when no scrape of it succeeds."""
    unreadable: float = NEVER
    """From when on its store cannot be read."""

    def courses(self) -> tuple[Course, ...]:
        """Its series: whether it is up, and what it exports while it is."""
        labels = f'job="exporter",instance="{self.name}"'
        stops = min(self.gone, self.unreadable)
        changes = sorted({0.0, stops, self.unreadable, *(at for span in self.missed for at in span)})

        def course(series: str, good: float, bad: float | None, since: float) -> Course:
            """The level since each change: `bad` from then on, and none without a scrape."""
            levels = [
                (minutes(at), None if self._is_missed(at) else good if at < since else bad)
                for at in changes if at < NEVER
            ]  # fmt: skip
            return turning(f"{series}{{{labels}}}", *levels)

        up = [(minutes(at), float(not self._is_missed(at))) for at in changes if at < NEVER]
        return (
            turning(f"up{{{labels}}}", *up),
            course("images_processed_total", 5, None, stops),
            turning(
                f'facemon_source_up{{{labels},source="store"}}',
                *course("facemon_source_up", 1, 0, self.unreadable).levels,
            ),
        )

    def _is_missed(self, at: float) -> bool:
        return any(begins <= at < ends for begins, ends in self.missed)


def scrapes(number: int, at: float) -> tuple[tuple[float, float], ...]:
    """So many missed scrapes from a minute on."""
    return ((at, at + number * SCRAPE / minutes(1)),)


GONE = Target(gone=5)
TOLD_OF_GONE: Spans = {"MetricsAbsent": [(20, NEVER)]}
COURSES: Mapping[str, tuple[Sequence[Target], Spans]] = {
    "all is well": ([Target()], {}),
    "gone while the target is up": ([GONE], TOLD_OF_GONE),
    **{
        f"{number} missed scrapes {when}": ([Target(gone=5, missed=scrapes(number, at))], TOLD_OF_GONE)
        for number in (1, 2, 3)
        for when, at in (("while it is pending", 12.5), ("just before it fires", 19.5), ("while it fires", 40.0))
    },
    "a missed scrape each ten minutes": (
        [Target(gone=5, missed=tuple(span for at in range(7, LENGTH, 10) for span in scrapes(1, at)))], TOLD_OF_GONE,
    ),
    "the target is down for good": ([Target(missed=((5, NEVER),))], {"TargetDown": [(7, NEVER)]}),
    "the exporter restarts": ([Target(missed=scrapes(3, 5))], {}),
    "the exporter restarts without its metrics": (
        [Target(gone=5, missed=scrapes(3, 5))], {"MetricsAbsent": [(20, NEVER)]},
    ),
    "down for a while, and back without its metrics": (
        [Target(gone=5, missed=((5, 20),))], {"TargetDown": [(7, 21)], "MetricsAbsent": [(35, NEVER)]},
    ),
    "gone, and later the target is down for good": (
        [Target(gone=5, missed=((40, NEVER),))], {"MetricsAbsent": [(20, 43)], "TargetDown": [(42, NEVER)]},
    ),
    "one of two targets is down, the other brings its metrics": (
        [Target(missed=((5, NEVER),)), Target("exporter:2")], {"TargetDown": [(7, NEVER)]},
    ),
    "one of two targets is down, the other is up without metrics": (
        [Target(missed=((5, NEVER),)), Target("exporter:2", gone=5)],
        {"TargetDown": [(7, NEVER)], "MetricsAbsent": [(20, NEVER)]},
    ),
    "both targets are down": (
        [Target(missed=((5, NEVER),)), Target("exporter:2", missed=((8, NEVER),))], {"TargetDown": [(7, NEVER)]},
    ),
    "the store cannot be read, and scrapes are missed": (
        [Target(unreadable=5, missed=(*scrapes(2, 15), *scrapes(3, 40)))], {"SourceUnreadable": [(10, NEVER)]},
    ),
}  # fmt: skip


def checks(spans: Spans) -> list[dict[str, Any]]:
    """Which alerts fire in each minute, but for the minute around each of their beginnings and ends."""
    unclear = {round(at) for times in spans.values() for span in times for at in span}
    made = []
    for minute in range(1, LENGTH):
        if minute in unclear:
            continue
        firing = [name for name, times in spans.items() if any(begins < minute < ends for begins, ends in times)]
        samples = [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in firing]
        expr = 'group by (alertname) (ALERTS{alertstate="firing"})'
        made.append({"expr": expr, "eval_time": f"{minute}m30s", "exp_samples": samples})
    return made


def group(name: str) -> dict[str, Any]:
    targets, spans = COURSES[name]
    spacing, length = SCRAPE // timedelta(milliseconds=1), minutes(LENGTH) // timedelta(milliseconds=1)
    signals = [course for target in targets for course in target.courses()]
    return {
        "name": name,
        "interval": time_text(spacing),
        "input_series": input_series(signals, Phases(spacing, 0, length, length)),
        "promql_expr_test": checks(spans),
    }


@pytest.mark.servers
@pytest.mark.long_proof
def test_it_is_told_once_and_in_time(each_generation: Path, tmp_path: Path) -> None:
    groups = alert_rules(config_of(DEFAULTS))["groups"]
    rules = [rule for each in groups for rule in each["rules"] if rule["alert"] in WATCHED]
    (tmp_path / "rules.yml").write_text(yaml_text({"groups": [{"name": "watched", "rules": rules}]}))
    content = {"rule_files": ["rules.yml"], "evaluation_interval": "15s", "tests": [group(name) for name in COURSES]}
    (tmp_path / "test.yml").write_text(yaml_text(content))
    tested = promtool(each_generation, "test", "rules", tmp_path / "test.yml")
    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.parametrize(("held", "explains"), [("2m", True), ("15m", True), ("30m", False)])
def test_an_alert_that_comes_later_explains_nothing(held: str, explains: bool) -> None:
    groups = alert_rules(config_of(f"{DEFAULTS}\nalerts: {{TargetDown: {{for: {held}}}}}"))["groups"]
    (rule,) = (rule for group in groups for rule in group["rules"] if rule.get("alert") == "MetricsAbsent")
    assert ("up{" in rule["expr"].replace("source_up{", "")) is explains
