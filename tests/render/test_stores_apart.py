"""Alerts of several stores in one Prometheus: what one store does hides no alert on another, and makes none fire.

The stores differ in a label of metrics.labels alone: they have the same job and the same instance.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import pytest

from facemon.config.prometheus import TRANSPORT_JOBS, Transport
from facemon.render.alert_rules import alert_rules, alerts_of
from facemon.render.stack_text import yaml_text
from tests.render.configurations import OBJECTIVES, config_of
from tests.servers import promtool

BESIDE = "stores of the same job and instance, each in another scenario"
PLACES = "metrics: {labels: {site: north, rack: '2'}}\nexporter: {probes: [{name: x, url: 'http://x'}]}\n"
ONE_PLACE = "metrics: {labels: {site: north}}\n"
OLD, NEW = "0x400", "0+60x400"
"""A stamp that never changes, and one of each minute."""
STAMP = 'facemon_last_success_timestamp_seconds{{job="{job}",instance="{host}",command="export-metrics",site="{site}"}}'
PUSH = 'push_time_seconds{{job="{job}",instance="{host}",site="{site}"}}'
FILE = 'node_textfile_mtime_seconds{{job="{job}",instance="{host}",file="{site}"}}'
IMAGES = 'images_processed_total{{job="{job}",instance="{host}",status="ok",site="{site}"}}'
READABLE = 'facemon_source_up{{job="{job}",instance="{host}",source="store",site="{site}"}}'


@pytest.mark.parametrize("transport", get_args(Transport))
def test_each_alert_on_a_store_has_a_scenario_beside_other_stores(transport: Transport) -> None:
    jobs = ", ".join(dict.fromkeys(("api", "exporter", "node", "prometheus", TRANSPORT_JOBS[transport])))
    config = config_of(f"{PLACES}{OBJECTIVES}\nprometheus: {{store_metrics_from: {transport}, jobs: [{jobs}]}}")
    own = set(config.metrics.labels)
    checked = 0
    for alert in alerts_of(config):
        assert alert.carries is not None
        stories = [each for each in alert.scenarios if each.title == BESIDE]
        assert bool(stories) is own.issubset(alert.carries.always), alert.name
        for story in stories:
            checked += 1
            assert story.fires is not None
            assert len({signal.series for signal in story.signals}) == len(story.signals) > 1, alert.name
            others = [signal for signal in story.signals if " of store " in signal.series]
            assert all(any(f'{name}="{value} of' in each.series for each in others) for name, value in
                       config.metrics.labels.items() if len(others) > 1), alert.name  # fmt: skip
    assert checked > 10


EXPORTS: Mapping[str, tuple[Transport, dict[str, str], set[str]]] = {
    "the other store's push is in time": (
        "pushgateway",
        {PUSH + "north": NEW, STAMP + "north": OLD, PUSH + "south": NEW, STAMP + "south": NEW},
        {"ExportStale north"},
    ),
    "the other store's push is old": (
        "pushgateway",
        {PUSH + "north": NEW, STAMP + "north": OLD, PUSH + "south": OLD, STAMP + "south": OLD},
        {"ExportStale north", "PushStale south"},
    ),
    "what is not facemon's is pushed for another store": (
        "pushgateway",
        {PUSH + "north": NEW, STAMP + "north": OLD, PUSH + "south": OLD},
        {"ExportStale north"},
    ),
    "the other store's textfile is in time": (
        "textfile",
        {FILE + "facemon_north.prom": NEW, STAMP + "north": OLD, FILE + "facemon_south.prom": NEW,
         STAMP + "south": NEW},
        {"ExportStale north"},
    ),
    "the other store's textfile is old": (
        "textfile",
        {FILE + "facemon_north.prom": NEW, STAMP + "north": OLD, FILE + "facemon_south.prom": OLD,
         STAMP + "south": OLD},
        # Which of them the old textfile is of cannot be told: rather one alert too many.
        {"ExportStale north", "ExportStale south", "TextfileStale facemon_south.prom"},
    ),
    "only one of the old textfiles has facemon in its name": (
        "textfile",
        {FILE + "facemon_north.prom": OLD, STAMP + "north": OLD, FILE + "south.prom": OLD, STAMP + "south": OLD},
        {"ExportStale north", "ExportStale south", "TextfileStale facemon_north.prom"},
    ),
    "both textfiles are old": (
        "textfile",
        {FILE + "facemon_north.prom": OLD, STAMP + "north": OLD, FILE + "facemon_south.prom": OLD,
         STAMP + "south": OLD},
        {"TextfileStale facemon_north.prom", "TextfileStale facemon_south.prom"},
    ),
}  # fmt: skip
ABSENT: Mapping[str, tuple[Transport, dict[str, str], set[str]]] = {
    "both stores' metrics are there": ("exporter", {IMAGES + "north": NEW, IMAGES + "south": NEW}, set()),
    "this store's are gone, another's are there": ("exporter", {IMAGES + "south": NEW}, {"MetricsAbsent north"}),
    "gone, and another store cannot be read": (
        "exporter",
        {IMAGES + "south": NEW, READABLE + "south": "0x400", READABLE + "north": "1x400"},
        {"MetricsAbsent north", "SourceUnreadable south"},
    ),
    "gone, and the store cannot be read": (
        "exporter",
        {IMAGES + "south": NEW, READABLE + "north": "0x400", READABLE + "south": "1x400"},
        {"SourceUnreadable north"},
    ),
}
WATCHED = ("ExportStale", "PushStale", "TextfileStale", "MetricsAbsent", "SourceUnreadable")


@pytest.mark.servers
@pytest.mark.parametrize("title", [*EXPORTS, *ABSENT])
def test_each_store_has_the_alerts_on_it_and_no_others(title: str, servers: Path, tmp_path: Path) -> None:
    transport, series, fire = {**EXPORTS, **ABSENT}[title]
    job = TRANSPORT_JOBS[transport]
    config = config_of(f"{ONE_PLACE}prometheus: {{store_metrics_from: {transport}, jobs: [{job}]}}")
    watched = WATCHED if title in ABSENT else WATCHED[:3]
    rules = [rule for each in alert_rules(config)["groups"] for rule in each["rules"] if rule["alert"] in watched]
    (tmp_path / "rules.yml").write_text(yaml_text({"groups": [{"name": "watched", "rules": rules}]}))
    inputs = []
    for text, values in series.items():
        form, _, site = text.rpartition("}}")
        inputs.append({"series": f"{form}}}}}".format(job=job, host="host:1", site=site), "values": values})
    found = 'max by (alertname, place) (label_join(ALERTS{alertstate="firing"}, "place", "", "site", "file"))'
    samples = []
    for each in fire:
        name, place = each.split(" ")
        samples.append({"labels": f'{{alertname="{name}", place="{place}"}}', "value": 1})
    test = {
        "interval": "1m",
        "input_series": inputs,
        "promql_expr_test": [{"expr": found, "eval_time": "300m", "exp_samples": samples}],
    }
    (tmp_path / "test.yml").write_text(yaml_text({"rule_files": ["rules.yml"], "tests": [test]}))
    tested = promtool(servers, "test", "rules", tmp_path / "test.yml")
    assert tested.returncode == 0, tested.stdout + tested.stderr
