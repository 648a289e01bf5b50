"""Columns, sources and expressions: each that there is can be explained, as it is in this configuration."""

import pytest

from facemon.config.model import LOG_COLUMNS, AttributeConfig
from facemon.domain.prediction import IMAGE_COLUMNS, log_schema
from facemon.errors import UsageError
from facemon.metrics.catalogue_page import EXAMPLES
from facemon.render.dashboards import DASHBOARDS
from facemon.render.explained_column import ExplainedColumn, explain_column
from facemon.render.explained_query import FUNCTIONS, ExplainedQuery, explain_query
from facemon.render.explained_source import ExplainedSource
from facemon.render.glossary import explain, known_names
from facemon.render.recording_rules import recording_rules
from facemon.render.rendered_content import panels, rules
from tests.render.configurations import CONFIGURATIONS, DEFAULTS, config_of
from tests.render.everything import EVERYTHING

TABLES = """
drift: {columns: {mustache: {threshold: 0.02}, gender: {threshold: 0.3}}}
exporter: {collectors: ["own:Queue"]}
"""


def column(name: str, text: str = TABLES) -> ExplainedColumn:
    found = explain(name, config_of(text))
    assert isinstance(found, ExplainedColumn), name
    return found


def query(text: str, configuration: str = DEFAULTS) -> ExplainedQuery:
    found = explain(text, config_of(configuration))
    assert isinstance(found, ExplainedQuery), text
    return found


def test_each_column_of_the_log_and_of_the_checks_is_explained() -> None:
    config = config_of(TABLES)
    for name in {*log_schema(config.model.attributes).names, *IMAGE_COLUMNS, *LOG_COLUMNS, "mustache"}:
        found = explain_column(name, config)
        assert found is not None
        assert found.help.endswith("."), name
        assert found.document("s")["name"] == name
        assert (found.check is None) == (found.threshold is None) == (found.command is None)


@pytest.mark.parametrize(
    ("name", "check", "threshold", "metric"),
    [
        ("gender", "model", 0.3, 'model_predictions_total{attribute="gender"}'),
        ("gender_confidence", "model", 0.3, 'confidence_drift_score{attribute="gender"}'),
        ("age", "model", 0.05, 'drift_score{attribute="age"}'),
        ("age_value", None, None, None),
        ("image_brightness", "data", 0.1, 'drift_score{attribute="image_brightness"}'),
        ("mustache", "data", 0.02, 'drift_p_value{attribute="mustache"}'),
        ("observed_at", None, None, None),
    ],
)
def test_a_column_is_held_against_its_own_threshold(
    name: str, check: str | None, threshold: float | None, metric: str | None
) -> None:
    found = column(name)
    assert (found.check, found.threshold) == (check, threshold)
    assert (metric in found.metrics) == (metric is not None)
    assert bool(found.metrics) == (metric is not None)


def test_the_value_of_a_number_with_labels_is_compared_and_has_no_score_of_its_own() -> None:
    config = config_of(TABLES)
    (network,) = config.model.networks[:1]
    banded = AttributeConfig(name="yaw", output="yaw", kind="number", bands={"left": (-90, 0), "right": (0, 90)})
    model = config.model.model_copy(update={"networks": (network.model_copy(update={"attributes": (banded,)}),)})
    found = explain_column("yaw_value", config.model_copy(update={"model": model}))
    assert found is not None
    assert (found.check, found.threshold) == ("model", 0.05)
    assert found.metrics == ('drift_detected{attribute="yaw"}', 'drift_undecided{attribute="yaw"}')


@pytest.mark.parametrize("name", ["store", "log", "application", "own:Queue"])
def test_each_source_of_metrics_is_explained(name: str) -> None:
    found = explain(name, config_of(TABLES))
    assert isinstance(found, ExplainedSource)
    assert found.metrics == (f'facemon_source_up{{source="{name}"}}',)
    assert "SourceUnreadable" in found.alerts


def test_every_listed_name_is_explained() -> None:
    config = config_of(TABLES)
    for names in known_names(config).values():
        assert explain(names[-1], config).facts()


@pytest.mark.parametrize("text", EXAMPLES.values(), ids=EXAMPLES)
def test_each_question_of_the_catalogue_is_explained(text: str) -> None:
    found = query(text)
    assert found.faults == ()
    assert all(help_.endswith(".") for _, _, help_ in found.metrics)
    assert found.metrics


@pytest.mark.parametrize("text", [*CONFIGURATIONS.values(), EVERYTHING], ids=[*CONFIGURATIONS, "everything"])
def test_each_function_that_rules_and_panels_call_is_explained(text: str) -> None:
    config = config_of(text)
    asked = [target["expr"] for build in DASHBOARDS.values() for _, panel in panels(build(config))
             for target in panel.get("targets", ())]  # fmt: skip
    recorded = {rule["record"]: rule["expr"] for _, rule in rules(recording_rules(config))}
    for each in asked:
        found = explain_query(each, config, recorded)
        assert (found.faults, bool(found.metrics)) == ((), True), each
        assert {name for name, _ in found.functions} <= FUNCTIONS.keys(), each


def test_what_is_wrong_with_an_expression_is_said() -> None:
    assert query("rate(drift_score[5m])").faults == ("takes rate of drift_score, which is not a counter",)
    assert query("sum(queue_length)").faults == ("asks for 'queue_length', which no program exports",)
    assert query("sum by (colour) (drift_score)").labels == ("colour",)
    with pytest.raises(UsageError, match="is not PromQL"):
        explain("rate(", config_of(""))


def test_a_name_in_a_text_is_not_a_metric() -> None:
    found = query('label_replace(up, "sum", "rate(drift_score)", "job", ".*")')
    assert [name for name, _, _ in found.metrics] == ["up"]
    assert [name for name, _ in found.functions] == ["label_replace"]
