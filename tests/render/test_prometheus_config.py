import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from facemon.config.prometheus import TRANSPORT_JOBS
from facemon.domain.metric_catalogue import CATALOGUE, MetricSource
from facemon.errors import ConfigError
from facemon.render.compose import compose
from facemon.render.prometheus_config import prometheus_config
from facemon.render.promql import exposed_names
from facemon.render.stack_text import yaml_text
from tests.patience import HANG_S
from tests.read_yaml import read_yaml
from tests.render.configurations import CONFIGURATIONS, DEFAULTS, DIRECTORY, REPLICATED, SHORTENED, config_of, stack_of
from tests.render.rendered_laws import refused, with_fewer_tests
from tests.servers import promtool, run_prometheus


def jobs_of(text: str) -> dict[str, dict[str, Any]]:
    return {job["job_name"]: job for job in prometheus_config(config_of(text))["scrape_configs"]}


@pytest.mark.parametrize("transport", TRANSPORT_JOBS)
def test_the_store_metrics_come_in_by_one_transport(transport: str) -> None:
    jobs = jobs_of(
        f"prometheus: {{store_metrics_from: {transport}, jobs: [api, exporter, node, pushgateway, prometheus]}}"
    )
    open_jobs = [name for name, job in jobs.items() if "metric_relabel_configs" not in job]
    assert open_jobs == [TRANSPORT_JOBS[transport]]  # type: ignore[index]


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ("targets: {api: ['http://ml:8000/metrics']}", r"targets\.api\[0\]: must be HOST:PORT"),
        ("alertmanagers: ['http://alerts:9093']", r"alertmanagers\[0\]: must be HOST:PORT"),
        ("targets: {pushgateway: ['push:9091']}", r"targets\.pushgateway: is not a job that is scraped"),
    ],
)
def test_targets_that_prometheus_would_refuse_or_never_ask_are_refused(settings: str, place: str) -> None:
    with pytest.raises(ConfigError, match=place):
        config_of(f"prometheus: {{{settings}}}")


def test_every_part_of_every_store_metric_is_dropped_and_nothing_else() -> None:
    drop = jobs_of("")["api"]["metric_relabel_configs"][0]
    assert drop["action"] == "drop"
    pattern = re.compile(drop["regex"])
    for metric in CATALOGUE.values():
        for name in exposed_names(metric):
            assert bool(pattern.fullmatch(name)) == (metric.source is MetricSource.STORE), name
    assert not pattern.fullmatch("up")


def test_a_transport_that_is_not_scraped_is_refused() -> None:
    with pytest.raises(ConfigError, match="jobs lacks 'pushgateway'"):
        config_of("prometheus: {store_metrics_from: pushgateway, jobs: [exporter]}")
    assert "pushgateway" in config_of("prometheus: {store_metrics_from: pushgateway}").prometheus.jobs


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


def test_every_job_has_its_limits() -> None:
    limits = {
        "sample_limit": 1000, "label_limit": 32, "label_name_length_limit": 100, "label_value_length_limit": 500,
    }  # fmt: skip
    for job in jobs_of(REPLICATED).values():
        assert limits.items() <= job.items()


def test_a_remote_storage_has_its_certificates_its_metrics_and_its_queue() -> None:
    first, second = prometheus_config(config_of(REPLICATED))["remote_write"]
    assert first["name"] == "archive"
    assert first["tls_config"] == {
        "ca_file": "/run/secrets/ca.pem",
        "cert_file": "/run/secrets/cert.pem",
        "key_file": "/run/secrets/the-key.pem",
        "server_name": "metrics",
    }
    [keep] = first["write_relabel_configs"]
    kept = [
        name for name in ("model_x", "drift_score", "drift_scores", "xmodel_x") if re.fullmatch(keep["regex"], name)
    ]
    assert (keep["action"], kept) == ("keep", ["model_x", "drift_score"])
    assert first["queue_config"] == {
        "capacity": 5000, "min_shards": 2, "max_shards": 9, "max_samples_per_send": 500,
        "batch_send_deadline": "2s", "min_backoff": "50ms", "max_backoff": "1m30s",
    }  # fmt: skip
    assert second == {
        "url": "https://archive.example/write",
        "tls_config": {"ca_file": "/run/secrets/ca.pem"},
        "queue_config": {"max_backoff": "10s"},
    }


@pytest.mark.parametrize("second", ["{url: 'https://a'}", "{url: 'https://b', name: x}"])
def test_remote_storages_that_prometheus_could_not_tell_apart_are_refused(second: str) -> None:
    first = "{url: 'https://a'}, {url: 'https://c', name: x}"
    with pytest.raises(ConfigError, match=r"remote_write\[2\]"):
        config_of(f"prometheus: {{remote_write: [{first}, {second}]}}")


def test_replicas_see_the_same_and_their_alerts_are_the_same() -> None:
    content = prometheus_config(config_of(REPLICATED))
    jobs = jobs_of(REPLICATED)
    assert jobs["prometheus"]["static_configs"] == [{"targets": ["prometheus:9090", "prometheus-2:9090"]}]
    alertmanagers = ["alertmanager:9093", "alertmanager-2:9093", "alertmanager-3:9093"]
    assert jobs["alertmanager"]["static_configs"] == [{"targets": alertmanagers}]
    assert content["alerting"] == {
        "alert_relabel_configs": [{"regex": "replica", "action": "labeldrop"}],
        "alertmanagers": [{"static_configs": [{"targets": alertmanagers}]}],
    }
    assert "alert_relabel_configs" not in prometheus_config(config_of(""))["alerting"]


@pytest.mark.servers
def test_each_replica_expands_its_own_label_and_nothing_else(each_generation: Path, tmp_path: Path) -> None:
    text = "prometheus: {replicas: 2, alertmanagers: [], external_labels: {site: 'a$b ${HOME} $$ \\'}}\n"
    file = tmp_path / "prometheus.yml"
    content = prometheus_config(config_of(text))
    file.write_text(yaml_text({**content, "rule_files": [], "scrape_configs": []}))
    version = promtool(each_generation, "--version").stdout.split("version ", 1)[1].split("+")[0]
    image = f"prom/prometheus:v{version}"
    config = config_of(f"{DEFAULTS}{text}stack: {{images: {{prometheus: '{image}'}}}}\n")
    second = compose(config, DIRECTORY)["services"]["prometheus-2"]
    features = [option for option in second["command"] if option.startswith("--enable-feature")]
    # Prometheus 3 would warn of an unknown feature.
    assert bool(features) == version.startswith("2.")
    with run_prometheus(each_generation, file, tmp_path, extra_args=features, env=second["environment"]) as server:
        with urllib.request.urlopen(f"{server.url}/api/v1/status/config", timeout=HANG_S) as answer:
            running = read_yaml(json.load(answer)["data"]["yaml"])
        assert running["global"]["external_labels"] == {"replica": "prometheus-2", "site": "a$b ${HOME} $$ \\"}


@pytest.mark.parametrize("url", ["https://user:secret@remote.example", "ftp://remote.example"])
def test_an_address_with_a_secret_in_it_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        config_of(f"prometheus: {{remote_write: [{{url: '{url}'}}]}}")


@pytest.mark.servers
@pytest.mark.long_proof
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_tools_accept_everything(name: str, servers: Path, at_length: bool) -> None:
    assert list(refused(with_fewer_tests(stack_of(CONFIGURATIONS[name]), 4, at_length), servers)) == []
