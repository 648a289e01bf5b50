"""The generated promtool tests: they accept what is rendered, and notice when it is changed."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from facemon.config.document import Config
from facemon.render.alert import rule
from facemon.render.alert_rules import alert_rules, alerts_of
from facemon.render.alert_tests import alert_tests
from facemon.render.recording_rules import recording_rules
from facemon.render.stack_text import yaml_text
from tests.render.configurations import CONFIGURATIONS, DEFAULTS, config_of
from tests.render.rule_mutations import Rule, mutants
from tests.servers import promtool

EQUIVALENT = {
    # A quantile stays the same when every bucket is scaled alike, and both instances have every bucket.
    ("HighLatency", "sum to avg"),
    # The guard of the denominator serves the recorded series; here 0 / 0 is no number, which is above no limit.
    ("HighErrorRate", "> to >="),
    ("HighErrorRate", "unguarded denominator"),
    ("HighErrorRate", "0 to -0.05"),
    # Without errors the ratio is absent instead of 0, and neither is above the limit.
    ("HighErrorRate", "dropped or and what follows"),
    # Failures are counted in whole numbers: what is above 0 is above 0.05, for the sum, the mean and the most of them.
    ("RulesFailing", "0 to 0.05"),
    ("RulesFailing", "sum to max"),
    ("RulesFailing", "sum to avg"),
    ("NotificationsFailing", "0 to 0.05"),
    ("NotificationsFailing", "sum to max"),
    ("NotificationsFailing", "sum to avg"),
    # Always is always, whatever the number.
    ("Watchdog", "1 to 1.01"),
    ("Watchdog", "1 to 0.99"),
}


def write_rules(folder: Path, config: Config) -> Path:
    tests = folder / "tests"
    tests.mkdir(parents=True)
    (folder / "alert_rules.yml").write_text(yaml_text(alert_rules(config)))
    (folder / "recording_rules.yml").write_text(yaml_text(recording_rules(config)))
    file = tests / "alert_rules_test.yml"
    file.write_text(yaml_text(alert_tests(alerts_of(config), config)))
    return file


@pytest.mark.servers
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_promtool_accepts_rules_and_their_tests(name: str, servers: Path, tmp_path: Path) -> None:
    file = write_rules(tmp_path, config_of(CONFIGURATIONS[name]))
    checked = promtool(servers, "check", "rules", tmp_path / "alert_rules.yml", tmp_path / "recording_rules.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    tested = promtool(servers, "test", "rules", file)
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_every_alert_of_ours_has_a_story_in_which_it_fires() -> None:
    for text in CONFIGURATIONS.values():
        for alert in alerts_of(config_of(text)):
            fires = [scenario for scenario in alert.scenarios if scenario.fires]
            assert fires or alert.group == "custom", alert.name


def test_each_alert_is_tested_without_data() -> None:
    config = config_of(DEFAULTS)
    content = alert_tests(alerts_of(config), config)
    without = [group for group in content["tests"] if not group["input_series"]]
    tested = {check["alertname"] for group in without for check in group["alert_rule_test"]}
    assert tested == {alert.name for alert in alerts_of(config)}


@pytest.mark.servers
@pytest.mark.slow
def test_mutants_of_every_rule_are_noticed(servers: Path, tmp_path: Path) -> None:
    config = config_of(DEFAULTS)
    files: dict[Path, tuple[str, str]] = {}
    for alert in alerts_of(config):
        content = alert_tests((alert,), config)
        content["rule_files"] = ["rules.yml"]
        for number, (name, mutant) in enumerate(mutants(rule(alert, config))):
            folder = tmp_path / alert.name / str(number)
            files[_write_mutant(folder, mutant, content)] = (alert.name, name)
    survivors = [files[file] for file in _accepted(servers, list(files))]
    unexplained = [survivor for survivor in survivors if survivor not in EQUIVALENT]
    killed = len(files) - len(survivors)
    print(f"{killed} of {len(files)} mutants killed ({killed / len(files):.1%}); survivors: {survivors}")
    assert len(files) > 150
    assert not unexplained


def _write_mutant(folder: Path, mutant: Rule, tests: Mapping[str, object]) -> Path:
    folder.mkdir(parents=True)
    (folder / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "mutant", "rules": [mutant]}]}))
    file = folder / "test.yml"
    file.write_text(yaml_text(tests))
    return file


def _accepted(servers: Path, files: list[Path]) -> list[Path]:
    """Those whose tests pass; a mutant that is no PromQL any more fails its tests too."""
    accepted = []
    for start in range(0, len(files), 40):
        some = files[start : start + 40]
        outcome = promtool(servers, "test", "rules", *some)
        successes = re.findall(r"^Unit Testing:\s+(\S+)\n\s*SUCCESS", outcome.stdout, re.MULTILINE)
        assert len(re.findall(r"^Unit Testing:", outcome.stdout, re.MULTILINE)) == len(some), outcome.stderr
        accepted += [Path(file) for file in successes]
    return accepted
