"""docs/metrics.md: all of the catalogue is on it, and its queries ask for metrics that there are."""

import re

from facemon.domain.metric_catalogue import CATALOGUE, Metric, MetricGroup, MetricSource, MetricType
from facemon.metrics.catalogue_page import EXAMPLES, catalogue_page
from tests.render.known_queries import KNOWN, metrics_in

PAGE = catalogue_page(CATALOGUE.values())


def test_every_metric_has_its_entry_with_all_that_is_known_of_it() -> None:
    entries = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", PAGE, flags=re.MULTILINE | re.DOTALL))
    assert set(entries) == set(CATALOGUE)
    for name, metric in CATALOGUE.items():
        said = entries[name]
        assert metric.help in said
        assert f"- type: {metric.type}\n" in said
        assert all(f"`{label}`" in said for label in metric.labels)
        assert f"- unit: {metric.unit or 'none'}\n" in said
        assert ("- buckets: " in said) == bool(metric.buckets)
        assert all(f"{edge:g}" in said for edge in metric.buckets)


def test_every_group_has_a_heading() -> None:
    assert PAGE.count("\n## ") == len({metric.group for metric in CATALOGUE.values()}) == len(MetricGroup)


def test_a_metric_that_is_new_is_on_the_page() -> None:
    new = Metric("x_total", MetricType.COUNTER, "New.", ("a",), MetricSource.SERVE, MetricGroup.DRIFT, "bytes")
    page = catalogue_page([*CATALOGUE.values(), new])
    assert "### x_total\n\nNew.\n\n- type: counter\n- labels: `a`\n- unit: bytes\n- from: `facemon serve`\n" in page
    assert catalogue_page([new]).count("\n## ") == 1


def test_the_example_queries_parse_and_ask_for_metrics_that_there_are() -> None:
    assert set(EXAMPLES) <= set(CATALOGUE)
    for name, query in EXAMPLES.items():
        asked = metrics_in(query)
        assert asked <= KNOWN, query
        assert any(each.startswith(name) for each in asked), query
