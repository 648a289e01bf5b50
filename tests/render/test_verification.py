import re
from dataclasses import replace
from pathlib import Path

import pytest

from facemon.render.stack import Part, render_stack
from facemon.render.verification import Outcome, look_over, unjudged, verify
from tests.render.configurations import CONFIGURATIONS, DEFAULTS, ONE_ALERT, config_of, stack_of

RULES = "monitoring/prometheus/alert_rules.yml"


def test_tools_that_are_missing_are_named(tmp_path: Path) -> None:
    answers = verify(stack_of(DEFAULTS), tmp_path)
    assert {answer.outcome for answer in answers} == {Outcome.NOT_VERIFIED}
    assert f"promtool is not in {tmp_path}" in answers[0].detail


@pytest.mark.servers
def test_parts_that_were_not_rendered_are_not_verified(servers: Path) -> None:
    answers = verify(stack_of(DEFAULTS, Part.ALERTMANAGER), servers / "usr/bin")
    assert {answer.what: answer.outcome for answer in answers} == {
        "promtool check config": Outcome.NOT_VERIFIED,
        "promtool check rules": Outcome.NOT_VERIFIED,
        "promtool test rules": Outcome.NOT_VERIFIED,
        "amtool check-config": Outcome.ACCEPTED,
        "routes.sh with amtool": Outcome.ACCEPTED,
    }


@pytest.mark.servers
def test_a_wrong_rule_is_refused_with_the_tools_words(servers: Path) -> None:
    stack = stack_of(ONE_ALERT)
    wrong = re.sub(r"(drift_score\{[^}]*\} >) 0\.2", r"\1 0.3", stack.files[RULES])
    assert wrong != stack.files[RULES]
    broken = replace(stack, files={**stack.files, RULES: wrong})
    answers = {answer.what: answer for answer in verify(broken, servers / "usr/bin")}
    assert answers["promtool check rules"].outcome is Outcome.ACCEPTED
    assert answers["promtool test rules"].outcome is Outcome.REFUSED
    assert "DriftDetected" in answers["promtool test rules"].detail


@pytest.mark.servers
def test_a_route_that_leads_to_another_receiver_is_refused(servers: Path) -> None:
    text = "{receivers: [{name: a, webhook: [{url: 'http://a'}]}, {name: b, webhook: [{url: 'http://b'}]}]"
    routes_of = f"alertmanager: {text}, routes: [{{match: {{severity: critical}}, receiver: b}}]}}"
    stack = stack_of(routes_of, Part.ALERTMANAGER)
    (routes,) = (path for path in stack.files if path.endswith("/alertmanager.yml"))
    wrong = stack.files[routes].replace('severity="critical"', 'severity="urgent"', 1)
    answers = {
        answer.what: answer
        for answer in verify(replace(stack, files={**stack.files, routes: wrong}), servers / "usr/bin")
    }
    assert answers["amtool check-config"].outcome is Outcome.ACCEPTED
    assert answers["routes.sh with amtool"].outcome is Outcome.REFUSED
    assert "FAILED" in answers["routes.sh with amtool"].detail


def test_what_no_tool_understands_is_said() -> None:
    told = {each.what for each in unjudged(render_stack(config_of(CONFIGURATIONS["shortened"])))}
    assert told == {"dashboards", "compose files", "schedules"}
    assert unjudged(stack_of(DEFAULTS, Part.PROMETHEUS)) == ()


def test_what_the_lint_finds_is_a_refusal() -> None:
    config = config_of(DEFAULTS)
    stack = render_stack(config)
    assert look_over(stack, config).outcome is Outcome.ACCEPTED
    broken = replace(stack, files={**stack.files, RULES: stack.files[RULES].replace("drift_score{", "drift_scores{")})
    answer = look_over(broken, config)
    assert answer.outcome is Outcome.REFUSED
    assert f"{RULES}: groups[" in answer.detail
