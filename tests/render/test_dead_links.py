"""The chain from the store to an alert, one link dead at a time: that link is named within its time, and no other.

The series are those that a healthy stack of each transport has: hourly exports, nightly checks, scrapes. Nothing
of them is taken from the rules, so that a rule that waits for a rhythm of its own is found.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from facemon.render.alert_rules import alert_rules
from facemon.render.rule_test import Phases, input_series, time_text
from facemon.render.scenario import Course
from facemon.render.series_models import always, rhythm, stamps, turning
from facemon.render.stack_text import yaml_text
from tests.render.configurations import DEFAULTS, config_of
from tests.servers import promtool

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
DAYS = 3
DEATH = 26 * HOUR + 30 * MINUTE
"""When a link dies: after nights and exports in good order, half an hour after an export."""
SPACING = 2 * MINUTE
EXPORT_TAKES = 1.5 * MINUTE
"""From the time that an export has of itself until it arrives."""
TARGETS = {
    "exporter": 'job="exporter",instance="exporter:8001"',
    "textfile": 'job="node",instance="node-exporter:9100"',
    "pushgateway": 'job="facemon",instance=""',
}
SCRAPED = {**TARGETS, "pushgateway": 'job="pushgateway",instance="pushgateway:9091"'}


@dataclass(frozen=True, slots=True)
class Dead:
    """A link that dies: what is named, how long after its last sign of life at most, and when nothing is named yet."""

    alert: str
    within: timedelta
    not_before: timedelta


LINKS: Mapping[str, Mapping[str, Dead]] = {
    "exporter": {
        "scrape": Dead("TargetDown", HOUR, timedelta(0)),
        "store": Dead("SourceUnreadable", HOUR, timedelta(0)),
        "check": Dead("DriftCheckStale", 29 * HOUR, 25 * HOUR),
        "never checked": Dead("DriftCheckStale", 27 * HOUR, 25 * HOUR),
        "never a reference": Dead("ReferenceStale", 41 * HOUR, 39 * HOUR),
        "never evaluated": Dead("AccuracyStale", 37 * HOUR, 35 * HOUR),
    },
    "textfile": {
        "scrape": Dead("TargetDown", HOUR, timedelta(0)),
        "export": Dead("ExportStale", 4 * HOUR, 2 * HOUR),
        "textfile": Dead("TextfileStale", 4 * HOUR, 2 * HOUR),
        "check": Dead("DriftCheckStale", 29 * HOUR, 25 * HOUR),
        "never checked": Dead("DriftCheckStale", 27 * HOUR, 25 * HOUR),
        "nothing ever": Dead("MetricsAbsent", HOUR, 10 * MINUTE),
    },
    "pushgateway": {
        "export": Dead("ExportStale", 4 * HOUR, 2 * HOUR),
        "push": Dead("PushStale", 4 * HOUR, 2 * HOUR),
        "check": Dead("DriftCheckStale", 29 * HOUR, 25 * HOUR),
        "nothing ever": Dead("MetricsAbsent", HOUR, 10 * MINUTE),
    },
}
CONFIGURATION = (
    DEFAULTS
    + """
prometheus: {jobs: [exporter, node, prometheus, alertmanager, pushgateway], store_metrics_from: TRANSPORT}
alerts:
  ReferenceStale: {threshold: 40h}
  AccuracyStale: {threshold: 36h}
"""
)


def chain(transport: str, dead: str | None) -> list[Course]:
    """The series of a stack for some days, of which one link dies."""
    target, scraped = TARGETS[transport], SCRAPED[transport]
    stops = {name: DEATH if name == dead else DAYS * 24 * HOUR for name in ("check", "export", "textfile", "push")}
    arriving = min(stops["textfile"], stops["push"])
    exports = before(rhythm(timedelta(0), HOUR, DAYS * 24), min(stops["export"], arriving))
    checks = before(rhythm(timedelta(0), 24 * HOUR, DAYS), stops["check"])
    if transport != "exporter":
        # A check is known from the export that follows it, if one does.
        checks = before(checks, exports[-1] + MINUTE)
    up = turning(f"up{{{scraped}}}", (timedelta(0), 1), *([(DEATH, 0.0)] if dead == "scrape" else []))
    if dead == "nothing ever":
        return [up]
    ever = {"reference": dead != "never a reference", "evaluate": dead != "never evaluated"}
    success = f"facemon_last_success_timestamp_seconds{{{target}"
    store = [
        always(f'images_processed_total{{{target},status="ok"}}', 900),
        *(stamps(f'{success},command="{command}"}}', checks) for command, was in ever.items() if was),
        *(
            stamps(f'drift_{stamp}_timestamp_seconds{{{target},check="{check}",model="age-gender@1"}}', checks)
            for stamp in ("check", "decided") for check in ("data", "model") if dead != "never checked"
        ),
        turning(f'facemon_source_up{{{target},source="store"}}', (timedelta(0), 1),
                *([(DEATH, 0.0)] if dead == "store" else [])),
    ]  # fmt: skip
    arrived = before(rhythm(timedelta(0), HOUR, DAYS * 24), arriving)
    if transport != "exporter":
        store.append(stamps(f'{success},command="export-metrics"}}', exports))
    if transport == "textfile":
        store += [
            stamps(f'node_textfile_mtime_seconds{{{target},file="/textfile/facemon.prom"}}', arrived),
            stamps(f'node_textfile_mtime_seconds{{{target},file="/textfile/other.prom"}}', (timedelta(0),)),
        ]
    if transport == "pushgateway":
        store += [stamps(f"push_time_seconds{{{target}}}", arrived), stamps('push_time_seconds{job="other"}', (HOUR,))]
    if dead in ("scrape", "store"):
        store = [series if "source_up" in series.series and dead == "store" else ended(series) for series in store]
    return [up, *store]


def before(times: tuple[timedelta, ...], end: timedelta) -> tuple[timedelta, ...]:
    return tuple(time for time in times if time < end)


def ended(course: Course) -> Course:
    return Course(course.series, (*(level for level in course.levels if level[0] < DEATH), (DEATH, None)))


def group(transport: str, dead: str | None) -> dict[str, Any]:
    """The test group: nothing is named before its time, then the dead link."""
    length = DAYS * 24 * 3_600_000
    spacing = int(SPACING.total_seconds() * 1000)
    checks = []
    if dead is None:
        checks = [firing(at, {}) for at in (HOUR, 25 * HOUR, 50 * HOUR)]
    else:
        link = LINKS[transport][dead]
        last = timedelta(0) if dead.startswith(("never", "nothing")) else last_sign(dead)
        checks = [firing(last + link.within, {link.alert: 1.0})]
        if link.not_before:
            checks.insert(0, firing(last + link.not_before, {}))
    return {
        "name": f"{transport}: {dead or 'all is well'}",
        "interval": time_text(spacing),
        "input_series": input_series(chain(transport, dead), Phases(spacing, 0, length, length)),
        "promql_expr_test": checks,
    }


def last_sign(dead: str) -> timedelta:
    """When the link was alive for the last time: its last success, or when it could be read last."""
    ends = {"scrape": DEATH, "store": DEATH, "check": 24 * HOUR}
    return ends.get(dead, DEATH - 30 * MINUTE)


def firing(at: timedelta, names: Mapping[str, float]) -> dict[str, Any]:
    """Which alerts fire at a time besides the Watchdog, which always does."""
    expr = 'group by (alertname) (ALERTS{alertstate="firing",alertname!="Watchdog"})'
    samples = [{"labels": f'{{alertname="{name}"}}', "value": value} for name, value in names.items()]
    return {"expr": expr, "eval_time": time_text(int(at.total_seconds() * 1000)), "exp_samples": samples}


@pytest.mark.servers
@pytest.mark.parametrize("transport", LINKS)
def test_a_dead_link_is_named_within_its_time(transport: str, servers: Path, tmp_path: Path) -> None:
    config = config_of(CONFIGURATION.replace("TRANSPORT", transport))
    (tmp_path / "rules.yml").write_text(yaml_text(alert_rules(config)))
    groups = [group(transport, dead) for dead in (None, *LINKS[transport])]
    content = {"rule_files": ["rules.yml"], "evaluation_interval": "30m", "tests": groups}
    (tmp_path / "test.yml").write_text(yaml_text(content))
    tested = promtool(servers, "test", "rules", tmp_path / "test.yml")
    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.servers
@pytest.mark.parametrize(
    ("transport", "arrival", "alert"),
    [("textfile", 'node_textfile_mtime_seconds{TARGET,file="/textfile/facemon.prom"}', "TextfileStale"),
     ("pushgateway", "push_time_seconds{TARGET}", "PushStale")],
)  # fmt: skip
def test_a_schedule_that_stops_is_one_alert(
    transport: str, arrival: str, alert: str, servers: Path, tmp_path: Path
) -> None:
    # What an export says of itself is older than its arrival, and is too old first: then no alert may fire yet.
    config = config_of(CONFIGURATION.replace("TRANSPORT", transport) + "  ExportStale: {threshold: 20m}\n")
    (tmp_path / "rules.yml").write_text(yaml_text(alert_rules(config)))
    ended, target = rhythm(timedelta(0), 5 * MINUTE, 6), TARGETS[transport]
    series = [
        stamps(f'facemon_last_success_timestamp_seconds{{{target},command="export-metrics"}}', ended),
        stamps(arrival.replace("TARGET", target), tuple(time + EXPORT_TAKES for time in ended)),
        always(f'images_processed_total{{{target},status="ok"}}', 900),
        always(f"up{{{SCRAPED[transport]}}}", 1),
    ]
    length = int((2 * HOUR).total_seconds() * 1000)
    at = time_text(int(HOUR.total_seconds() * 1000))
    ever = 'count by (alertname) (count_over_time(ALERTS{alertstate="firing",alertname!="Watchdog"}[1h]))'
    test = {
        "interval": "30s",
        "input_series": input_series(series, Phases(30_000, 0, length, length)),
        "promql_expr_test": [
            {"expr": ever, "eval_time": at, "exp_samples": [{"labels": f'{{alertname="{alert}"}}', "value": 1.0}]}
        ],
    }
    content = {"rule_files": ["rules.yml"], "evaluation_interval": "30s", "tests": [test]}
    (tmp_path / "test.yml").write_text(yaml_text(content))
    tested = promtool(servers, "test", "rules", tmp_path / "test.yml")
    assert tested.returncode == 0, tested.stdout + tested.stderr
