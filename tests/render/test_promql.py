import re
from datetime import timedelta

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.metric_catalogue import CATALOGUE, MetricType
from facemon.render import promql
from tests.render.known_queries import metrics_in

SCORE = promql.series("drift_score")
REQUESTS = promql.series("api_requests_total")
LATENCY = promql.series("api_request_latency_seconds")

# Prometheus takes UTF-8 only; a lone surrogate is none.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


def value_in(expr: promql.Expr) -> str:
    parsed = promql_parser.parse(str(expr))
    assert isinstance(parsed, promql_parser.VectorSelector)
    (matcher,) = parsed.matchers.matchers
    return str(matcher.value)


@given(texts)
def test_label_values_survive_escaping(value: str) -> None:
    assert value_in(promql.select(SCORE, promql.equals("attribute", value))) == value


@given(st.lists(texts.filter(lambda text: "\0" not in text), min_size=1, max_size=3))
def test_alternatives_match_themselves_only(values: list[str]) -> None:
    pattern = re.compile(value_in(promql.select(SCORE, promql.one_of("attribute", values))))
    assert all(pattern.fullmatch(value) for value in values)
    assert not pattern.fullmatch("x".join(values) + "y")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_keep_their_value(number: float) -> None:
    assert float(promql.number(number)) == number


@pytest.mark.parametrize("name", CATALOGUE)
def test_each_metric_of_the_catalogue_can_be_asked_for(name: str) -> None:
    metric = promql.series(name)
    window = timedelta(minutes=5)
    match metric.type:
        case MetricType.HISTOGRAM:
            expr = promql.quantile(0.95, metric, window)
        case MetricType.COUNTER:
            expr = promql.rate(metric, window)
        case MetricType.GAUGE:
            expr = promql.select(metric)
    assert metrics_in(str(expr)) <= set(promql.exposed_names(CATALOGUE[name]))


def test_a_metric_that_nobody_exports_is_refused() -> None:
    with pytest.raises(ValueError, match="drift_scores is not in the metric catalogue"):
        promql.series("drift_scores")


def test_a_label_that_the_metric_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match="drift_score has no label endpoint"):
        promql.select(SCORE, promql.equals("endpoint", "/predict"))


def test_functions_refuse_metrics_of_another_type() -> None:
    with pytest.raises(ValueError, match="rate is for counters"):
        promql.rate(SCORE, "5m")
    with pytest.raises(ValueError, match="has no buckets"):
        promql.bucket_rate(REQUESTS, "5m")
    with pytest.raises(ValueError, match="is a histogram"):
        promql.select(LATENCY)


def test_operands_keep_their_grouping() -> None:
    score = promql.select(SCORE)
    high = promql.compare(score, ">", 0.2)
    assert str(promql.divide(high, promql.compare(score, ">", 0))) == "(drift_score > 0.2) / (drift_score > 0)"
    assert str(promql.aggregate("count", high, by=("check",))) == "count by (check) (drift_score > 0.2)"
    assert str(promql.only_where(high, score, on=("job",))) == "(drift_score > 0.2) and on (job) drift_score"


def test_what_is_chosen_is_a_pattern_between_backticks() -> None:
    assert str(promql.select(SCORE, promql.chosen("attribute"))) == "drift_score{attribute=~`${attribute:regex}`}"
    assert str(promql.select(SCORE, promql.chosen_or_none("job"))) == "drift_score{job=~`${job:regex}|`}"


@given(st.lists(st.lists(st.sampled_from(["$", "[[", "[", "{", "job", "}", "]]", "\\", '"', "$__range"])).map("".join)))
def test_grafana_finds_no_variable_in_a_value(values: list[str]) -> None:
    single = [make("job", value) for value in values for make in (promql.equals, promql.differs)]
    for matcher in (*single, promql.one_of("job", values), promql.none_of("job", values)):
        query = str(promql.select(SCORE, matcher))
        assert "$" not in query
        assert "[[" not in query
        promql_parser.parse(query)


def test_parts_are_held_against_their_wholes() -> None:
    rates = promql.rate(REQUESTS, "5m")
    whole = promql.aggregate("sum", rates, by=("endpoint",))
    shares = promql.share(rates, whole, on=("endpoint",))
    assert str(shares) == (
        "rate(api_requests_total[5m]) / on (endpoint) group_left () sum by (endpoint) (rate(api_requests_total[5m]))"
    )


def test_a_histograms_mean_and_count() -> None:
    mean = promql.mean(LATENCY, "5m", by=("endpoint",))
    assert metrics_in(str(mean)) == {f"{LATENCY.name}_sum", f"{LATENCY.name}_count"}
    assert str(promql.count_of(LATENCY, promql.equals("endpoint", "/"))) == f'{LATENCY.name}_count{{endpoint="/"}}'


def test_several_metrics_are_asked_for_by_their_names() -> None:
    both = promql.any_of((SCORE, REQUESTS), promql.equals("job", "a"))
    assert str(both) == '{__name__=~"drift_score|api_requests_total", job="a"}'
    assert metrics_in(str(both)) == {"drift_score", "api_requests_total"}
    assert str(promql.any_of((SCORE,))) == "drift_score"
