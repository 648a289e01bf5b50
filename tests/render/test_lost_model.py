"""A model that is lost and comes back: what ModelNotLoaded keeps silent ends before it, by promtool.

Alertmanager keeps an alert silent for as long as the other one fires. Requests that failed without a model count until
they are older than the window of rates.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from facemon.config.document import Config
from facemon.render.alert_rules import alert_rules, alerts_of
from facemon.render.rule_test import Phases, input_series, milliseconds, time_text
from facemon.render.scenario import Course
from facemon.render.series_models import turning
from facemon.render.stack_text import yaml_text
from tests.render.configurations import DEFAULTS, config_of
from tests.servers import promtool

LOST = timedelta(minutes=10)
NAMES = ("HighErrorRate", "HighLatency", "ModelNotLoaded")
TARGET = 'job="api",instance="api:1"'
REQUEST = f'{TARGET},endpoint="/predict",method="POST"'
SETTINGS = {
    "defaults": "",
    "a long window": "prometheus: {rate_window: 20m}",
    "rare scrapes": "prometheus: {scrape_interval: 1m}",
    "alerts that fire on": "alerts: {HighErrorRate: {keep_firing_for: 7m}, HighLatency: {keep_firing_for: 3m}}",
    "alerts at once": "alerts: {HighErrorRate: {for: 0s}, HighLatency: {for: 0s}}",
}
OUTAGES = tuple(timedelta(minutes=each) for each in (2, 4, 30))
TRAFFIC = {"no requests afterwards": 0, "good requests afterwards": 2}
"""Requests between two scrapes when the model is back; without it there are ten."""


def counted(series: str, scrape: timedelta, length: timedelta, back: timedelta, lost: int, later: int) -> Course:
    """A counter that grows by `lost` with each scrape without a model, and by `later` with each one afterwards."""
    levels, count, at = [(timedelta(0), 0.0)], 0.0, scrape
    while at <= length:
        count += lost if LOST < at <= back else later if at > back else 0
        levels.append((at, count))
        at += scrape
    return turning(series, *levels)


def group(config: Config, outage: timedelta, traffic: str) -> dict[str, Any]:
    """Everything fails and is slow without the model; then the model is back."""
    scrape, back = config.prometheus.scrape_interval, LOST + outage
    length, later = back + timedelta(minutes=45), TRAFFIC[traffic]
    bucket = f"api_request_latency_seconds_bucket{{{REQUEST},le="
    status = f"api_requests_total{{{REQUEST},code="
    loaded = (timedelta(0), 1.0), (LOST, 0.0), (back, 1.0)
    signals = [
        turning(f'model_loaded{{{TARGET},model="faces@1"}}', *loaded),
        turning(f"api_workers_configured{{{TARGET}}}", (timedelta(0), 2.0)),
        *(
            counted(series, scrape, length, back, lost, good)
            for series, lost, good in (
                (f'{status}"500",status="error"}}', 10, 0),
                (f'{status}"200",status="success"}}', 0, later),
                *((f'{bucket}"{edge}"}}', 0, later) for edge in (0.5, 0.75)),
                (f'{bucket}"+Inf"}}', 10, later),
                (f"api_request_latency_seconds_count{{{REQUEST}}}", 10, later),
            )
        ),
    ]
    spacing, end = milliseconds(scrape), milliseconds(length)
    unsilenced = 'ALERTS{alertstate="firing"} unless on () ALERTS{alertstate="firing",alertname="ModelNotLoaded"}'
    # While it is lost, each alert that has held by then; at its end, none for as long as it is looked at.
    longest = max(alert.for_ for alert in alerts_of(config) if alert.name in NAMES)
    held = "count(count by (alertname) (ALERTS{alertstate='firing'}))"
    return {
        "name": f"lost for {outage}, {traffic}",
        "interval": time_text(spacing),
        "input_series": input_series(signals, Phases(spacing, 0, end, end)),
        "promql_expr_test": [
            *(
                {"expr": unsilenced, "eval_time": time_text(at), "exp_samples": []}
                for at in range(milliseconds(LOST + timedelta(minutes=2)), end + 1, 30_000)
            ),
            *(
                {
                    "expr": held,
                    "eval_time": time_text(milliseconds(back)),
                    "exp_samples": [{"labels": "{}", "value": 3}],
                }
                for _ in range(outage > longest + timedelta(minutes=2))
            ),
            {"expr": held, "eval_time": time_text(end), "exp_samples": []},
        ],
    }


@pytest.mark.servers
@pytest.mark.parametrize("setting", SETTINGS)
def test_what_it_keeps_silent_ends_before_it(setting: str, servers: Path, tmp_path: Path) -> None:
    config = config_of(f"{DEFAULTS}\n{SETTINGS[setting]}")
    rules = [rule for each in alert_rules(config)["groups"] for rule in each["rules"] if rule["alert"] in NAMES]
    (tmp_path / "rules.yml").write_text(yaml_text({"groups": [{"name": "api", "rules": rules}]}))
    groups = [group(config, outage, traffic) for outage in OUTAGES for traffic in TRAFFIC]
    interval = time_text(milliseconds(config.prometheus.scrape_interval))
    content = {"rule_files": ["rules.yml"], "evaluation_interval": interval, "tests": groups}
    (tmp_path / "test.yml").write_text(yaml_text(content))
    tested = promtool(servers, "test", "rules", tmp_path / "test.yml")
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_it_fires_on_through_a_gap_alone_where_it_keeps_nothing_silent() -> None:
    several = config_of(f"{DEFAULTS}\nprometheus: {{targets: {{api: ['a:1', 'b:1']}}}}")
    lost = next(alert for alert in alerts_of(several) if alert.name == "ModelNotLoaded")
    assert lost.keep_firing_for == several.prometheus.gap
