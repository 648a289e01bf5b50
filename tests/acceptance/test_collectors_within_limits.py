"""Collectors at and beyond Prometheus' limits, scraped by real ones: each costs at most its own metrics."""

from pathlib import Path

import pytest

from tests.acceptance.test_scrapes_and_remote_write import rendered
from tests.monitor.own_apis import greet, instrumented
from tests.server.exporters import exporter
from tests.server.test_metrics_server import make_store
from tests.servers import query, run_prometheus, wait_for_query

pytestmark = [pytest.mark.servers, pytest.mark.long_proof]

COLLECTORS = """
from prometheus_client.core import GaugeMetricFamily


def collector(name, labels):
    class Collector:
        def collect(self):
            family = GaugeMetricFamily(name, "Help.", labels=list(labels))
            family.add_metric(list(labels.values()), 1)
            yield family

    return Collector()


value = collector("at_value", {"a": "x" * 20 + "é" * 10})
label = collector("at_label", {"l" * 30: "x"})
count = collector("at_count", {f"l{number}": "x" for number in range(9)})
name = collector("n" * 40, {})
beyond_value = collector("beyond_value", {"a": "x" * 5000})
beyond_label = collector("beyond_label", {"l" * 31: "x"})
beyond_count = collector("beyond_count", {f"l{number}": "x" for number in range(10)})
beyond_name = collector("n" * 41, {})
status = collector("external_service_status", {"service": "labelling"})
"""
AT = ("value", "label", "count", "name", "status")
BEYOND = ("beyond_value", "beyond_label", "beyond_count", "beyond_name")
CONFIGURATION = """\
metrics: {{labels: {{site: north}}}}
exporter: {{collectors: [{collectors}]}}
prometheus:
  scrape_interval: 1s
  jobs: [exporter]
  targets: {{exporter: ["{target}"]}}
  alertmanagers: []
  limits: {{labels: 12, label_name_length: 30, label_value_length: 40}}
"""


def test_what_the_limits_allow_arrives_and_nothing_else_is_lost(each_generation: Path, tmp_path: Path) -> None:
    make_store(tmp_path)
    (tmp_path / "own_limits.py").write_text(COLLECTORS)
    collectors = ", ".join(f'"own_limits:{name}"' for name in (*AT, *BEYOND))
    text = CONFIGURATION.format(collectors=collectors, target="127.0.0.1:8001")
    (tmp_path / "facemon.yaml").write_text(text)
    with exporter(tmp_path) as running:
        file = rendered(text.replace("127.0.0.1:8001", f"{running.host}:{running.port}"), tmp_path)
        with run_prometheus(each_generation, file, tmp_path) as prometheus:
            wait_for_query(prometheus.url, 'up{job="exporter"} == 1')
            sources = {
                labels["source"].removeprefix("own_limits:"): value
                for labels, value in query(prometheus.url, "facemon_source_up")
            }
            assert sources == {"store": 1, **dict.fromkeys(AT, 1), **dict.fromkeys(BEYOND, 0)}
            arrived = {labels["__name__"] for labels, _ in query(prometheus.url, '{__name__=~"at_.+|n+|beyond_.+"}')}
            assert arrived == {"at_value", "at_label", "at_count", "n" * 40}
            ((labels, _),) = query(prometheus.url, "external_service_status")
            assert (labels["service"], labels["site"]) == ("labelling", "north")


def test_an_applications_own_series_costs_only_its_metric() -> None:
    from prometheus_client import Counter

    with instrumented(greet) as api:
        Counter("visits", "Visits.", ["page"], registry=api.registry).labels("/" + "x" * 5000).inc()
        Counter("others", "Others.", registry=api.registry).inc()
        samples = api.samples()
    assert samples["others_total",] == 1
    assert samples["facemon_source_up", "application"] == 0
    assert not any(name.startswith("visits") for name, *_ in samples)
