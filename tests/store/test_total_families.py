"""Families of the catalogue's metrics: built in one place, with the help, labels and unit of the catalogue."""

import ast
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from facemon.domain.metric_catalogue import CATALOGUE, MetricType
from facemon.domain.metric_catalogue import Metric as CatalogueMetric
from facemon.store.total_families import gauge_family

PACKAGE = Path(__file__).parents[2] / "facemon"
GAUGES = [metric for metric in CATALOGUE.values() if metric.type is MetricType.GAUGE]


def test_families_are_built_in_one_place() -> None:
    calling = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith("MetricFamily")
    }
    assert calling == {"store/total_families.py"}


class Gauge(Collector):
    """A collector of one gauge, with one series."""

    def __init__(self, metric: str, labels: list[str]) -> None:
        self._family = gauge_family(metric, [(labels, True)])

    def collect(self) -> list[Metric]:
        return [self._family]


@pytest.mark.parametrize("entry", GAUGES, ids=[metric.name for metric in GAUGES])
def test_a_gauge_is_as_the_catalogue_says(entry: CatalogueMetric) -> None:
    labels = [f"value of {label}" for label in entry.labels]
    registry = CollectorRegistry()
    registry.register(Gauge(entry.name, labels))
    help_, type_, sample = generate_latest(registry).decode().splitlines()
    assert help_ == f"# HELP {entry.name} {entry.help}"
    assert type_ == f"# TYPE {entry.name} gauge"
    inside = ",".join(f'{name}="{value}"' for name, value in sorted(zip(entry.labels, labels, strict=True)))
    assert sample == f"{entry.name}{{{inside}}} 1.0" if inside else f"{entry.name} 1.0"


def test_a_gauge_without_series_has_none() -> None:
    assert gauge_family("facemon_source_up").samples == []
