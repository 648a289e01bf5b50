"""A real Prometheus that holds a simulated week, and evaluates the rendered rules on it."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from facemon.config.document import Config
from facemon.render.alert_rules import alert_rules
from facemon.render.promql import quoted
from facemon.render.recording_rules import recording_rules
from tests.render.grafana_queries import Grafana
from tests.render.real_expositions import Expositions
from tests.render.simulated_series import WEEK, Labels, Simulated, series_of_the_week
from tests.servers import promtool, run_prometheus, wait_for_query

_SPACING = 600
"""Seconds between two samples of the week; its end is as dense as the configuration scrapes, or nearly."""


@contextmanager
def grafana_on_the_week(
    config: Config, said: Expositions, servers: Path, folder: Path, pushed: Sequence[Labels] = ()
) -> Iterator[Grafana]:
    """A user who looks at Prometheus at the week's end, which is now; `pushed` as in `series_of_the_week`."""
    end = float(int(time.time()))
    _fill(servers, folder, _openmetrics(series_of_the_week(config, said, pushed), _moments(config), end))
    (folder / "rules.yml").write_text(yaml.safe_dump(_rules(config)), encoding="utf-8")
    settings = "global: {evaluation_interval: 1s}\nrule_files: [rules.yml]\n"
    (folder / "prometheus.yml").write_text(settings, encoding="utf-8")
    arguments = ("--storage.tsdb.retention.time=30d",)
    with run_prometheus(servers, folder / "prometheus.yml", folder, extra_args=arguments) as prometheus:
        # Each rule was evaluated once when the one that always fires has.
        wait_for_query(prometheus.url, 'ALERTS{alertname="Week"}')
        # What is recorded is there from now on; the week's last samples count for a few minutes more.
        yield Grafana(prometheus.url, float(int(time.time()) + 1))


def _rules(config: Config) -> dict[str, Any]:
    """The rendered rules, but alerts do not wait before they fire."""
    groups = [*recording_rules(config)["groups"], *alert_rules(config)["groups"]]
    rules = [
        {name: value for name, value in rule.items() if name != "for"} for group in groups for rule in group["rules"]
    ]
    return {"groups": [{"name": "all", "rules": [*rules, {"alert": "Week", "expr": "vector(1)"}]}]}


def _moments(config: Config) -> list[float]:
    """When there are samples, in seconds since the week's beginning."""
    settings = config.prometheus
    scrape, window = settings.scrape_interval.total_seconds(), settings.window.total_seconds()
    spacing = max(scrape, min(window / 4, 15))
    dense = max(2 * window, 8 * spacing, 600)
    sparse = max(scrape, _SPACING)
    moments = [WEEK - dense - sparse * number for number in range(1, int((WEEK - dense) / sparse))]
    return [*reversed(moments), *(WEEK - spacing * number for number in reversed(range(int(dense / spacing) + 1)))]


def _openmetrics(series: Iterable[Simulated], moments: list[float], end: float) -> Iterator[str]:
    begin = end - WEEK
    times = [f"{begin + moment:.3f}" for moment in moments]
    for each in series:
        labels = ",".join(f"{name}={quoted(value)}" for name, value in each.labels.items())
        head, first = f"{each.name}{{{labels}}}", begin if each.is_moment else 0.0
        yield from (
            f"{head} {first + each.course(moment)!r} {text}\n" for moment, text in zip(moments, times, strict=True)
        )
    yield "# EOF\n"


def _fill(servers: Path, folder: Path, lines: Iterable[str]) -> None:
    text = folder / "week.txt"
    with text.open("w", encoding="utf-8") as file:
        file.writelines(lines)
    # One block for all: promtool reads the whole file anew for each.
    command = ("tsdb", "create-blocks-from", "--max-block-duration=720h", "openmetrics")
    filled = promtool(servers, *command, text, folder / "prometheus")
    assert filled.returncode == 0, filled.stderr
    text.unlink()
