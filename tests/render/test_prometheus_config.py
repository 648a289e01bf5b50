import re
from pathlib import Path
from typing import Any

import pytest

from facemon.config.prometheus import DOOR_JOBS
from facemon.errors import ConfigError
from facemon.render.prometheus_config import prometheus_config
from facemon.render.promql import exposed_names
from facemon.render.stack import render_stack
from facemon.render.verification import Outcome, verify
from facemon.values.metric_catalogue import CATALOGUE, MetricSource
from tests.render.configurations import CONFIGURATIONS, SHORTENED, config_of


def jobs_of(text: str) -> dict[str, dict[str, Any]]:
    return {job["job_name"]: job for job in prometheus_config(config_of(text))["scrape_configs"]}


@pytest.mark.parametrize("door", DOOR_JOBS)
def test_the_store_metrics_come_in_by_one_door(door: str) -> None:
    jobs = jobs_of(f"prometheus: {{store_metrics_from: {door}, jobs: [api, exporter, node, pushgateway, prometheus]}}")
    open_jobs = [name for name, job in jobs.items() if "metric_relabel_configs" not in job]
    assert open_jobs == [DOOR_JOBS[door]]  # type: ignore[index]


def test_every_part_of_every_store_metric_is_dropped_and_nothing_else() -> None:
    drop = jobs_of("")["api"]["metric_relabel_configs"][0]
    assert drop["action"] == "drop"
    pattern = re.compile(drop["regex"])
    for metric in CATALOGUE.values():
        for name in exposed_names(metric):
            assert bool(pattern.fullmatch(name)) == (metric.source is MetricSource.STORE), name
    assert not pattern.fullmatch("up")


def test_a_door_that_is_not_scraped_is_refused() -> None:
    with pytest.raises(ConfigError, match="jobs lacks 'pushgateway'"):
        config_of("prometheus: {store_metrics_from: pushgateway}")


def test_targets_intervals_labels_and_remote_storage() -> None:
    content = prometheus_config(config_of(SHORTENED))
    assert content["global"] == {
        "scrape_interval": "1s",
        "evaluation_interval": "1s",
        "external_labels": {"cluster": 'a"b{{ x }}'},
    }
    assert content["alerting"]["alertmanagers"] == [{"static_configs": [{"targets": ["127.0.0.1:9093"]}]}]
    jobs = jobs_of(SHORTENED)
    assert jobs["exporter"]["static_configs"] == [{"targets": ["127.0.0.1:8001"]}]
    assert jobs["node"]["static_configs"] == [{"targets": ["node-exporter:9100"]}]
    assert jobs["pushgateway"]["honor_labels"] is True
    first, second = content["remote_write"]
    assert first["basic_auth"] == {"username": "u", "password_file": "/run/secrets/remote"}
    assert second["authorization"] == {"credentials_file": "/run/secrets/token"}


@pytest.mark.parametrize("url", ["https://user:secret@remote.example", "ftp://remote.example"])
def test_an_address_with_a_secret_in_it_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        config_of(f"prometheus: {{remote_write: [{{url: '{url}'}}]}}")


@pytest.mark.servers
@pytest.mark.parametrize("text", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_the_tools_accept_everything(text: str, servers: Path) -> None:
    answers = verify(render_stack(config_of(text)), servers / "usr/bin")
    assert [answer for answer in answers if answer.outcome is not Outcome.ACCEPTED] == []
