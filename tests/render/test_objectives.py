import re
from datetime import timedelta

import pytest

from facemon.errors import ConfigError
from facemon.render.alert import Alert
from facemon.render.alert_rules import alerts_of
from facemon.render.objectives import Pace, burn_rates, objective_notes
from facemon.render.recording_rules import recordings
from facemon.render.runbooks import runbook
from facemon.render.stack import Part
from tests.render.configurations import config_of, stack_of


def objective(rest: str, prometheus: str = "{}") -> str:
    return f"prometheus: {prometheus}\nalerts: {{objectives: [{{name: Answers, {rest}}}]}}\n"


def alerts_by_name(text: str) -> dict[str, Alert]:
    return {alert.name: alert for alert in alerts_of(config_of(text)) if alert.group == "objectives"}


def test_the_workbook_s_windows_and_rates_for_thirty_days() -> None:
    alerts = alerts_by_name(objective("indicator: errors, target: 0.999"))
    fast, slow = alerts["AnswersBudgetFast"], alerts["AnswersBudgetSlow"]
    name = "objective:bad_share:rate"
    assert str(fast.expr) == (
        f'(({name}1h{{objective="Answers"}} > 0.0144) and ({name}5m > 0.0144))'
        f' or (({name}6h{{objective="Answers"}} > 0.006) and ({name}30m > 0.006))'
    )
    assert str(slow.expr) == (
        f'(({name}1d{{objective="Answers"}} > 0.003) and ({name}2h > 0.003))'
        f' or (({name}3d{{objective="Answers"}} > 0.001) and ({name}6h > 0.001))'
    )
    assert (fast.severity, slow.severity) == ("critical", "warning")


def test_windows_grow_and_shrink_with_the_period_but_hold_four_scrapes() -> None:
    config = config_of(objective("indicator: errors, target: 0.99, period: 1d", "{scrape_interval: 1m}"))
    (first, second) = burn_rates(config.alerts.objectives[0], Pace.FAST, config)
    assert first.windows == (timedelta(minutes=4),)
    assert second.windows == (timedelta(minutes=12), timedelta(minutes=4))


def test_of_burn_rates_over_the_same_windows_the_slower_is_enough() -> None:
    config = config_of(objective("indicator: errors, target: 0.99, period: 1h"))
    (rate,) = burn_rates(config.alerts.objectives[0], Pace.FAST, config)
    assert (float(rate.factor), rate.windows) == (6.0, (timedelta(minutes=1),))


@pytest.mark.parametrize(
    ("target", "names", "note"),
    [
        ("0.8", ["AnswersBudgetSlow"], "AnswersBudgetFast was left out: with a target of 0.8"),
        ("0.93", ["AnswersBudgetFast", "AnswersBudgetSlow"], "a window of AnswersBudgetFast was left out"),
    ],
)
def test_what_could_never_fire_is_left_out_with_a_note(target: str, names: list[str], note: str) -> None:
    text = objective(f"indicator: errors, target: {target}")
    assert list(alerts_by_name(text)) == names
    assert any(line.startswith(note) for line in objective_notes(config_of(text)))
    assert any(line.startswith(note) for line in stack_of(text, Part.PROMETHEUS).notes)
    for alert in alerts_by_name(text).values():
        limits = [float(number) for number in re.findall(r"> ([\d.]+)", str(alert.expr))]
        assert limits
        assert all(limit < 1 for limit in limits)


def test_latency_counts_from_the_buckets() -> None:
    text = objective("indicator: latency, target: 0.99, threshold: 1.0, endpoint: /predict")
    (rule, *_) = [recording.rule() for recording in recordings(config_of(text)) if recording.group == "objectives"]
    job, inside = 'job="api"', 'endpoint="/predict"'
    assert rule == {
        "record": "objective:bad_share:rate5m",
        "expr": f'1 - (sum(rate(api_request_latency_seconds_bucket{{{job}, le="1.0", {inside}}}[5m])) / '
        f"(sum(rate(api_request_latency_seconds_count{{{job}, {inside}}}[5m])) > 0))",
        "labels": {"objective": "Answers"},
    }


def test_latency_without_a_threshold_is_high_latency_s() -> None:
    text = objective("indicator: latency, target: 0.99") + "  HighLatency: {threshold: 0.25}\n"
    text = text.replace("alerts: {objectives: [", "alerts:\n  objectives: [").replace("}]}\n", "}]\n")
    assert any('le="0.25"' in str(recording.expr) for recording in recordings(config_of(text)))


@pytest.mark.parametrize(
    ("threshold", "hint"), [("0.3", "use 0.25 or 0.5"), ("11.0", "use 10"), ("0.0001", "use 0.001")]
)
def test_a_latency_that_the_buckets_cannot_show_names_its_neighbours(threshold: str, hint: str) -> None:
    text = objective(f"indicator: latency, target: 0.99, threshold: {threshold}")
    with pytest.raises(ConfigError, match=r"alerts\.objectives\.0\.threshold: .* is not an edge") as error:
        recordings(config_of(text))
    assert error.value.hint == hint


def test_without_an_api_there_are_no_objectives_and_a_note_says_so() -> None:
    config = config_of(objective("indicator: errors, target: 0.99", "{jobs: [exporter]}"))
    assert not [alert for alert in alerts_of(config) if alert.group == "objectives"]
    assert not [name for name in {each.name for each in recordings(config)} if name.startswith("objective:")]
    assert list(objective_notes(config)) == [
        "alerts.objectives were left out: prometheus.jobs has no api, whose requests they count"
    ]


def test_a_window_longer_than_what_prometheus_keeps_is_told() -> None:
    config = config_of(objective("indicator: errors, target: 0.99, period: 90d", "{retention: 2d}"))
    assert list(objective_notes(config)) == ["the objective Answers looks back 9d, and prometheus.retention keeps 2d"]


def test_the_runbook_reckons_until_when_the_budget_lasts() -> None:
    text = objective("indicator: errors, target: 0.999, endpoint: '/a|b*'")
    config = config_of(text)
    page = runbook(alerts_by_name(text)["AnswersBudgetFast"], config)
    assert "| 14.4 | 1.44 % | 1h and 5m | 2 % in 1h | 2d2h |" in page
    assert "| 6 | 0.6 % | 6h and 30m | 5 % in 6h | 5d |" in page
    assert r"0.1 % of the requests to /a\|b\* may end in a server error within 30d." in page
