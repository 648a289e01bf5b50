from dataclasses import replace
from pathlib import Path

import pytest

from facemon.render.stack import Part, render_stack
from facemon.render.verification import Outcome, verify
from tests.render.configurations import DEFAULTS, config_of

RULES = "monitoring/prometheus/alert_rules.yml"


def test_tools_that_are_missing_are_named(tmp_path: Path) -> None:
    answers = verify(render_stack(config_of(DEFAULTS)), tmp_path)
    assert {answer.outcome for answer in answers} == {Outcome.NOT_VERIFIED}
    assert f"promtool is not in {tmp_path}" in answers[0].detail


@pytest.mark.servers
def test_parts_that_were_not_rendered_are_not_verified(servers: Path) -> None:
    answers = verify(render_stack(config_of(DEFAULTS), only=[Part.ALERTMANAGER]), servers / "usr/bin")
    assert {answer.what: answer.outcome for answer in answers} == {
        "promtool check config": Outcome.NOT_VERIFIED,
        "promtool check rules": Outcome.NOT_VERIFIED,
        "promtool test rules": Outcome.NOT_VERIFIED,
        "amtool check-config": Outcome.ACCEPTED,
    }


@pytest.mark.servers
def test_a_wrong_rule_is_refused_with_the_tools_words(servers: Path) -> None:
    stack = render_stack(config_of(DEFAULTS))
    broken = replace(
        stack, files={**stack.files, RULES: stack.files[RULES].replace("drift_score > 0.2", "drift_score > 0.3")}
    )
    answers = {answer.what: answer for answer in verify(broken, servers / "usr/bin")}
    assert answers["promtool check rules"].outcome is Outcome.ACCEPTED
    assert answers["promtool test rules"].outcome is Outcome.REFUSED
    assert "DriftDetected" in answers["promtool test rules"].detail
