"""The generated tests/routes.sh, run by `sh` with the real amtool: accepts what is rendered, and notices changes."""

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from facemon.render.alert_rules import alerts_of
from facemon.render.route_tests import route_tests
from facemon.render.stack import Part
from facemon.render.stack_text import yaml_text
from tests.patience import HANG_S
from tests.read_yaml import read_yaml
from tests.render.configurations import CONFIGURATIONS, config_of, stack_of
from tests.render.random_configurations import sampled

pytestmark = pytest.mark.servers

AWKWARD = r"""
prometheus: {external_labels: {site: "it's \"north\"\n"}}
alerts:
  HighLatency: {labels: {team: "a'b \"c\" \\ $HOME `id` $(id) {{ x }}\n\tü, é=~}"}}
  HighErrorRate: {labels: {team: "-x"}}
  ModelNotLoaded: {labels: {team: " "}}
  TargetDown: {labels: {team: "%s\\n*.?+|()[]^"}}
  DriftDetected: {labels: {team: "%TEAM%"}}
alertmanager:
  target_version: "0.25"
  receivers:
    - {name: "it's, \"all\"\n{{ of }} $us", webhook: [{url: "http://x/{{a}}"}]}
    - {name: "-b", webhook: [{url: "http://x"}]}
    - {name: "@c", webhook: [{url: "http://x"}]}
  routes:
    - match: {team: ["a'b \"c\" \\ $HOME `id` $(id) {{ x }}\n\tü, é=~}", "%s\\n*.?+|()[]^"]}
      receiver: "-b"
      continue: true
    - {match: {team: [" ", "-x", "%TEAM%"], site: "it's \"north\"\n"}, receiver: "@c"}
    - {match: {team: "", severity: [warning, info]}, receiver: "-b", continue: true}
    - {match: {attribute: age}, receiver: "@c"}
    - {match: {severity: warning}, receiver: "@c"}
  dead_man: {receiver: "@c"}
""".replace("%TEAM%", "x" * 200)
BY_TEAM = {**CONFIGURATIONS, "awkward": AWKWARD}


def write(folder: Path, text: str, change: Callable[[dict[str, Any]], None] | None = None) -> Path:
    stack = stack_of(text, Part.ALERTMANAGER)
    for path, body in stack.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(body, encoding="utf-8")
    if change is not None:
        file = folder / "monitoring/alertmanager/alertmanager.yml"
        content = read_yaml(file.read_text(encoding="utf-8"))
        change(content)
        file.write_text(yaml_text(content), encoding="utf-8")
    return folder / "monitoring/alertmanager/tests/routes.sh"


def run(script: Path, servers: Path, *, shell: str = "sh") -> subprocess.CompletedProcess[str]:
    """As a person does, from a folder of their own."""
    environment = {"PATH": f"{servers.resolve()}/usr/bin:/usr/bin:/bin"}
    return subprocess.run(
        [shell, str(script)], cwd="/", env=environment, capture_output=True, text=True, timeout=HANG_S, check=False
    )


@pytest.mark.parametrize("name", BY_TEAM)
def test_what_is_rendered_passes(name: str, each_generation: Path, tmp_path: Path) -> None:
    outcome = run(write(tmp_path, BY_TEAM[name]), each_generation)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert " routes tested, 0 failed" in outcome.stdout


@pytest.mark.slow
@pytest.mark.long_proof
def test_what_is_rendered_of_random_configurations_passes(newer_servers: Path, tmp_path: Path, at_length: bool) -> None:
    for number, text in enumerate(sampled(20 if at_length else 5, seed=6)):
        outcome = run(write(tmp_path / str(number), text), newer_servers)
        assert outcome.returncode == 0, text + outcome.stdout + outcome.stderr


def _another_receiver(content: dict[str, Any]) -> None:
    content["route"]["routes"][2]["receiver"] = "null"


def _another_default(content: dict[str, Any]) -> None:
    content["route"]["receiver"] = "null"


def _no_continue(content: dict[str, Any]) -> None:
    content["route"]["routes"][1]["continue"] = False


def _always_continue(content: dict[str, Any]) -> None:
    content["route"]["routes"][4]["continue"] = True
    content["route"]["routes"].append({"receiver": "null"})


def _another_order(content: dict[str, Any]) -> None:
    content["route"]["routes"].reverse()


def _no_watchdog(content: dict[str, Any]) -> None:
    del content["route"]["routes"][0]


def _a_value_lost(content: dict[str, Any]) -> None:
    matchers = content["route"]["routes"][2]["matchers"]
    matchers[:] = [matcher.replace("-x|", "") for matcher in matchers]


def _not_escaped(content: dict[str, Any]) -> None:
    matchers = content["route"]["routes"][1]["matchers"]
    matchers[:] = [matcher.replace("[", "").replace("]", "") for matcher in matchers]


CHANGES = (
    _another_receiver, _another_default, _no_continue, _always_continue, _another_order, _no_watchdog, _a_value_lost,
    _not_escaped,
)  # fmt: skip


@pytest.mark.long_proof
@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_configuration_fails(
    change: Callable[[dict[str, Any]], None], each_generation: Path, tmp_path: Path
) -> None:
    outcome = run(write(tmp_path, AWKWARD, change), each_generation)
    assert outcome.returncode == 1, outcome.stdout
    assert "FAILED: " in outcome.stdout
    assert "should reach: " in outcome.stdout


def test_a_file_that_amtool_refuses_is_said_once(servers: Path, tmp_path: Path) -> None:
    outcome = run(write(tmp_path, AWKWARD, lambda content: content.update(receivers=[])), servers)
    assert outcome.returncode == 1
    assert "failed to validate" in outcome.stderr
    assert "FAILED: " not in outcome.stdout


def test_without_amtool_nothing_passes(tmp_path: Path) -> None:
    outcome = run(write(tmp_path, AWKWARD), tmp_path)
    assert outcome.returncode == 1
    assert "amtool is not there; name it in AMTOOL" in outcome.stderr


def test_every_alert_is_tested_and_every_receiver_reached() -> None:
    config = config_of(AWKWARD)
    script = route_tests(config, alerts_of(config))
    for name in (alert.name for alert in alerts_of(config)):
        assert f'alertname="{name}"' in script
    for receiver in config.alertmanager.receivers:
        assert f"\nreaches {shlex.quote(receiver.name)} " in script
