"""A series that Prometheus would refuse, and the target with it, is found before it is shown."""

import pytest
from prometheus_client.core import GaugeMetricFamily, Sample

from facemon.config.default_limits import ScrapeLimits
from facemon.metrics.scrape_limits import AcceptedSeries, why_refused

LIMITS = ScrapeLimits(labels=6, label_name_length=8, label_value_length=10)


@pytest.mark.parametrize(
    ("name", "labels", "reason"),
    [
        ("queue", {}, None),
        ("queue", {"a": "1", "b": "2", "c": "3", "d": ""}, None),
        ("queue", {"a": "1", "b": "2", "c": "3", "d": "4"}, "7 labels with name, job and instance"),
        ("queue", {"location": "x" * 10}, None),
        ("queue", {"locations": "x"}, "the label name locations… has 9 bytes"),
        ("queue", {"a": "x" * 11}, "a value of the label a has 11 bytes"),
        ("queue", {"a": "ü" * 6}, "a value of the label a has 12 bytes"),
        ("queue_size", {}, None),
        ("queue_sizes", {}, "its name has 11 bytes"),
    ],
)
def test_each_limit_holds_to_the_byte(name: str, labels: dict[str, str], reason: str | None) -> None:
    found = why_refused(Sample(name, labels, 1), LIMITS)
    assert (found is None) == (reason is None)
    assert found is None or (found.startswith(str(reason)) and "prometheus.limits.label" in found)


def test_only_the_series_beyond_the_limits_are_left_out_and_it_is_said_once() -> None:
    said = list[str]()
    accepted = AcceptedSeries(LIMITS, said.append)
    for _ in range(2):
        family = GaugeMetricFamily("score", "Help.", labels=["a"])
        for value in ("short", "x" * 5000, "fine"):
            family.add_metric([value], 1)
        (kept,) = accepted.of([family])
        assert [sample.labels["a"] for sample in kept.samples] == ["short", "fine"]
    (told,) = said
    assert told.startswith("series of score are left out, others stay: a value of the label a has 5,000 bytes")
    assert told.endswith("prometheus.limits.label_value_length is 10")
