"""The labels of metrics.labels: names that Prometheus takes, and that no metric or alert has."""

import pytest

from facemon.config.loader import load_config
from facemon.config.metrics import OWN_LABELS
from facemon.domain.metric_catalogue import CATALOGUE
from tests.config.config_files import faults_of, write

pytestmark = pytest.mark.usefixtures("empty_folder")


def test_the_labels_of_the_catalogue_are_known() -> None:
    assert set(OWN_LABELS) == {label for metric in CATALOGUE.values() for label in metric.labels}


def test_labels_are_read() -> None:
    config = load_config(write('metrics: {labels: {site: "nor\\"th", _rack2: "7"}}\n'))
    assert dict(config.metrics.labels) == {"site": 'nor"th', "_rack2": "7"}


@pytest.mark.parametrize("name", [*OWN_LABELS, "le", "quantile", "job", "instance", "alertname", "severity", "replica"])
def test_a_label_that_is_there_already_is_named(name: str) -> None:
    (fault,) = faults_of(f"metrics: {{labels: {{{name}: x}}}}\n")
    assert fault.startswith(f"1:{len('metrics: {labels: {') + len(name) + 3}: metrics.labels.{name}: {name} is a label")


@pytest.mark.parametrize("name", ["__site", "7up", "si-te", "a.b", '"a b"', '""', "größe"])
def test_a_name_that_prometheus_refuses_is_a_fault(name: str) -> None:
    (fault,) = faults_of(f"metrics: {{labels: {{{name}: x}}}}\n")
    assert "metrics.labels" in fault


def test_an_empty_value_is_no_label() -> None:
    (fault,) = faults_of('metrics: {labels: {site: ""}}\n')
    assert "metrics.labels.site: is empty" in fault


@pytest.mark.parametrize(
    ("checks", "said"), [("[]", "is empty"), ("[model, model]", "names a check twice"), ("[all]", "must be one of")]
)
def test_what_is_checked_by_the_clock(checks: str, said: str) -> None:
    (fault,) = faults_of(f"schedule: {{checks: {checks}}}\n")
    assert fault.partition(": ")[2].startswith("schedule.checks")
    assert said in fault
