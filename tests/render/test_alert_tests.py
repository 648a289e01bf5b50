"""The generated promtool tests: they accept what is rendered, whatever is configured, and notice when it is changed."""

from dataclasses import replace
from pathlib import Path
from random import SystemRandom

import pytest

from facemon.config.document import Config
from facemon.render.alert_rules import alert_rules, alerts_of
from facemon.render.recording_rules import recording_rules, recordings
from facemon.render.rule_tests import MAIN_FILE, rule_tests
from facemon.render.scenario import Span
from facemon.render.stack_text import yaml_text
from tests.render.configurations import CONFIGURATIONS, DEFAULTS, OBJECTIVES, config_of
from tests.render.equivalent_mutants import (
    EQUIVALENT,
    EQUIVALENT_AT_ZERO,
    EQUIVALENT_EXPORTED,
    EQUIVALENT_REMOTE,
    EQUIVALENT_SHOWN_AT_ZERO,
    EQUIVALENT_UNSEEN,
    EQUIVALENT_WITH_LABELS,
    PUSHED_OF_TARGETS,
    kind_of,
)
from tests.render.mutation_judge import EVERY_RULE, Verdict, judge, rules_with_tests, verdicts
from tests.render.random_configurations import sampled
from tests.servers import promtool
from tests.short_form import some_of

EXPORTED = (
    DEFAULTS
    + """
metrics: {labels: {site: north}}
prometheus:
  jobs: [exporter, node, prometheus, alertmanager, pushgateway]
  store_metrics_from: TRANSPORT
  remote_write: [{url: "http://archive.example/write"}]
"""
)
"""What the other configurations lack: a transport at which exports arrive, and a remote storage."""
TEXTFILE, PUSHED = EXPORTED.replace("TRANSPORT", "textfile"), EXPORTED.replace("TRANSPORT", "pushgateway")
ONE_TEXTFILE = TEXTFILE.replace("metrics: {labels: {site: north}}\n", "")
LABELLED = PUSHED.replace("prometheus:", "prometheus:\n  target_labels: {team: 'a\"b'}")

RANDOM = {f"random {number}": text for number, text in enumerate(sampled(2, seed=6))}

PLAIN = """
prometheus: {remote_write: [{url: "http://archive.example/write"}]}
alerts:
  DriftUndecided: {annotations: {description: without the number}}
  HighErrorRate: {threshold: 0.0, annotations: {description: without the share}}
  HighLatency: {min_requests: 0}
"""
LABELLED_STORE = """
metrics: {labels: {site: north, rack: "2"}}
schedule: {checks: [model]}
prometheus: {jobs: [api, node, prometheus, alertmanager], store_metrics_from: textfile}
alerts:
  HighErrorRate: {threshold: 0.0}
  objectives:
    - {name: Answers, indicator: errors, target: 0.999}
    - {name: Predictions, indicator: errors, target: 0.999, endpoint: /predict}
"""
RHYTHMS = {
    "evaluated seldom": "prometheus: {scrape_interval: 500ms, rate_window: 10s, evaluation_interval: 1m}",
    "scraped seldom": "prometheus: {scrape_interval: 2m30s}\nalertmanager: {group_interval: 1s}",
    "held for seconds": """
prometheus: {scrape_interval: 500ms, evaluation_interval: 500ms}
alerts: {RulesFailing: {for: 7s}, NotificationsFailing: {for: 1m, keep_firing_for: 500ms}}
""",
}
"""What the servers do so often, or so seldom, that failures come in another rhythm than samples or evaluations."""
ODD = """
prometheus: {scrape_interval: 7s, rate_window: 28100ms, retention: 1h}
alerts:
  HighLatency: {threshold: 5.0, min_requests: 10000, for: 500ms}
  HighErrorRate: {threshold: 0.123457, min_requests: 1, for: 3h}
  ModelNotLoaded: {for: 1ms}
  DriftDetected: {threshold: 0.999999, for: 47m33s, annotations: {summary: '{{ $value }} {{ $labels.job | toUpper }}'}}
  LowModelAccuracy: {threshold: 0.001}
  ReferenceStale: {threshold: 1ms, for: 3d}
  TargetDown:
    labels:
      quotes: "\\" ' ` \\\\"
      braces: '{{ $labels.job }} }} {{{ {{-'
      lines: "a\\nb\\r\\tc\\x85\\u2028"
      dollars: '$1 ${HOME} $$'
      letters: 'ü 日本 🙂'
      long: LONG
      empty: ''
  RulesFailing: {annotations: {description: '{{ $value }} failures: {{ with $x := 1 }}{{ $x }}{{ end }}'}}
  objectives:
    - {name: Odd, indicator: errors, target: 0.99951, endpoint: "a\\"b{{ x }}\\n\\\\$ü", period: 1h}
""".replace("LONG", "x" * 200)
"""Values that are allowed, each at an end of what is."""


def write_rules(folder: Path, config: Config) -> list[Path]:
    tests = folder / "tests"
    tests.mkdir(parents=True)
    (folder / "alert_rules.yml").write_text(yaml_text(alert_rules(config)))
    (folder / "recording_rules.yml").write_text(yaml_text(recording_rules(config)))
    files = rule_tests(alerts_of(config), config)
    for name, content in files.items():
        (tests / name).write_text(yaml_text(content))
    return [tests / name for name in files]


@pytest.mark.servers
@pytest.mark.long_proof
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(ODD, id="odd"),
        pytest.param(LABELLED, id="pushed"),
        *(pytest.param(text, id=name, marks=pytest.mark.only_at_length) for name, text in RHYTHMS.items()),
    ],
)
def test_promtool_accepts_rules_and_their_tests(text: str, servers: Path, tmp_path: Path, at_length: bool) -> None:
    """Those of CONFIGURATIONS are judged as whole stacks, in `test_prometheus_config.py`."""
    files = some_of(write_rules(tmp_path, config_of(text)), 3, at_length)
    checked = promtool(servers, "check", "rules", tmp_path / "alert_rules.yml", tmp_path / "recording_rules.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    tested = promtool(servers, "test", "rules", *files)
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_every_alert_of_ours_has_a_story_in_which_it_fires_and_resolves() -> None:
    for text in CONFIGURATIONS.values():
        for alert in alerts_of(config_of(text)):
            stories = [
                scenario
                for scenario in alert.scenarios
                if scenario.fires
                and (scenario.span is Span.HELD or (scenario.checks and scenario.checks[-1].since is None))
            ]
            assert stories or alert.group == "custom", alert.name


def test_every_alert_leaves_what_is_healthy_alone() -> None:
    alone = {"MetricsAbsent", "Watchdog", "HighErrorRate"}  # one for the whole stack
    for alert in alerts_of(config_of(DEFAULTS + OBJECTIVES)):
        unaffected = [scenario for scenario in alert.scenarios if scenario.title.endswith("unaffected")]
        assert all(scenario.fires and len(scenario.signals) > 1 for scenario in unaffected)
        assert bool(unaffected) == (alert.name not in alone), alert.name


def test_each_alert_is_tested_without_data() -> None:
    config = config_of(DEFAULTS)
    files = rule_tests(alerts_of(config), config)
    without = [group for content in files.values() for group in content["tests"] if not group["input_series"]]
    tested = {check["alertname"] for group in without for check in group.get("alert_rule_test", ())}
    assert tested == {alert.name for alert in alerts_of(config)}


def test_the_default_tests_are_few_files() -> None:
    longer = [f"alert_rules_every_{interval}_test.yml" for interval in ("1m", "5m", "1h", "6h")]
    assert list(rule_tests(alerts_of(config_of(DEFAULTS)), config_of(DEFAULTS))) == [MAIN_FILE, *longer]


def test_times_that_differ_by_thousands_are_tested_in_files_of_their_own() -> None:
    config = config_of(ODD)
    files = rule_tests(alerts_of(config), config)
    assert set(files) > {MAIN_FILE}
    intervals = {content["evaluation_interval"] for content in files.values()}
    assert len(intervals) == len(files)


@pytest.mark.servers
@pytest.mark.slow
@pytest.mark.long_proof
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(DEFAULTS + OBJECTIVES, id="defaults"),
        pytest.param(TEXTFILE, id="textfile", marks=pytest.mark.only_at_length),
        pytest.param(PUSHED, id="pushed", marks=pytest.mark.only_at_length),
        *(pytest.param(text, id=name, marks=pytest.mark.only_at_length) for name, text in RANDOM.items()),
    ],
)
def test_mutants_of_every_rule_are_noticed(text: str, servers: Path, tmp_path: Path, at_length: bool) -> None:
    config = config_of(text)
    # The short form takes a sixth of the rules, others in each run.
    chosen = EVERY_RULE if at_length else slice(SystemRandom().randrange(6), None, 6)
    judged = verdicts(config, servers, tmp_path, chosen=chosen)
    rules = ([alert for alert in alerts_of(config) if alert.scenarios] + [*recordings(config)])[chosen]
    assert {verdict.name for verdict in judged} == {rule.name for rule in rules}
    assert len(judged) > 10 * len(rules)
    assert not unexplained(judged)


@pytest.mark.servers
@pytest.mark.slow
def test_tests_that_are_blind_notice_nothing(servers: Path, tmp_path: Path) -> None:
    tested = next(rule for rule in rules_with_tests(config_of(DEFAULTS)) if rule.name == "DriftDetected")
    titles = {test.group["name"]: test for test in tested.tests}
    seeing = len(unexplained(judge(tested, servers, tmp_path / "seeing")))
    without = {title: test for title, test in titles.items() if not title.endswith("too old")}
    unsure = judge(replace(tested, tests=list(without.values())), servers, tmp_path / "unsure")
    blind = judge(replace(tested, tests=[titles["no data: silence"]]), servers, tmp_path / "blind")
    assert seeing == 0
    survivors = unexplained(unsure)
    assert any("drift_decided_timestamp_seconds)` to <=" in survivor for survivor in survivors)
    assert len(survivors) < len(unsure) / 5
    assert sum(not verdict.is_killed for verdict in blind) == len(blind)


@pytest.mark.servers
@pytest.mark.slow
@pytest.mark.only_at_length
def test_each_equivalent_mutant_is_there_and_lives(servers: Path, tmp_path: Path) -> None:
    judged = [
        *verdicts(config_of(DEFAULTS), servers, tmp_path / "defaults"),
        *verdicts(config_of(PLAIN), servers, tmp_path / "plain"),
        *verdicts(config_of(TEXTFILE), servers, tmp_path / "textfile"),
        *verdicts(config_of(ONE_TEXTFILE), servers, tmp_path / "one textfile"),
        *verdicts(config_of(LABELLED_STORE), servers, tmp_path / "labelled"),
    ]
    assert not unexplained(judged)
    alive = {
        (kind_of(verdict.name), verdict.mutant.operator, verdict.mutant.change)
        for verdict in judged
        if not verdict.is_killed
    }
    reasons = {
        **EQUIVALENT, **EQUIVALENT_REMOTE, **EQUIVALENT_EXPORTED, **EQUIVALENT_WITH_LABELS, **EQUIVALENT_UNSEEN,
        **EQUIVALENT_AT_ZERO, **EQUIVALENT_SHOWN_AT_ZERO,
    }  # fmt: skip
    assert alive == set(reasons)
    assert all(len(reason.split()) > 5 for reason in reasons.values())
    pushed = verdicts(config_of(LABELLED), servers, tmp_path / "pushed")
    assert not unexplained(pushed)
    left = [f"{verdict.name} {verdict.mutant.change}" for verdict in pushed if not verdict.is_killed]
    assert all(any(form.fullmatch(each) for each in left) for form in PUSHED_OF_TARGETS)


def unexplained(judged: list[Verdict]) -> list[str]:
    return [str(verdict) for verdict in judged if not verdict.is_killed and verdict.reason is None]
