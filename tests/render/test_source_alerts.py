"""The alerts on single sources: what fires on which camera, what it says, and who is told of it."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from facemon.errors import ConfigError
from facemon.render.alert_rules import alert_rules, alerts_of
from facemon.render.alertmanager_config import alertmanager_config
from facemon.render.route_tests import route_tests
from facemon.render.routing import receivers_of
from facemon.render.runbooks import runbook
from facemon.render.scenario import series_text
from facemon.render.stack_text import yaml_text
from tests.render.configurations import config_of
from tests.render.test_route_tests import run, write
from tests.servers import promtool

ODD = 'gate "7" {{ .x }} \\ $HOME `id` <b> ü, é=~'
BY_CAMERA = r"""
alertmanager:
  receivers:
    - {name: all, webhook: [{url: "http://all"}]}
    - {name: north, webhook: [{url: "http://north"}]}
    - {name: gate, webhook: [{url: "http://gate"}]}
  routes:
    - {match: {source: camera-6}, receiver: north}
    - {match: {source: ["(no source)", "gate \"7\" {{ .x }} \\ $HOME `id` <b> ü, é=~"], area: drift}, receiver: gate}
"""


def rules_of(text: str) -> dict[str, dict[str, Any]]:
    groups = alert_rules(config_of(text))["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"] if rule["alert"].startswith("Source")}


def page_of(name: str) -> str:
    config = config_of("")
    return next(runbook(alert, config) for alert in alerts_of(config) if alert.name == name)


def test_a_source_that_is_silent_warns_at_once_and_one_that_drifts_with_the_whole() -> None:
    found = rules_of("")
    ours = '{job="exporter"}'
    detected, rows = f"drift_source_detected{ours} == 1", f"drift_source_rows{ours} == 0"
    for name, expr in (("SourceDrift", detected), ("SourceSilent", rows)):
        assert found[name]["expr"] == expr
        assert found[name]["for"] == {"SourceDrift": "10m", "SourceSilent": "0s"}[name]
        incident = {"SourceDrift": "Drift", "SourceSilent": "SourceSilent"}[name]
        assert found[name]["labels"] == {"severity": "warning", "area": "drift", "incident": incident}
        assert found[name]["annotations"]["dashboard_url"].endswith("/d/facemon-ml-metrics")


def test_each_can_be_changed_and_switched_off_by_its_name() -> None:
    found = rules_of("alerts: {SourceDrift: {enabled: false}, SourceSilent: {severity: critical, for: 3h}}")
    assert "SourceDrift" not in found
    assert (found["SourceSilent"]["labels"]["severity"], found["SourceSilent"]["for"]) == ("critical", "3h")
    with pytest.raises(ConfigError, match=r"alerts\.SourceSilent\.labels: sets 'source', which distinguishes alerts"):
        alerts_of(config_of("alerts: {SourceSilent: {labels: {source: all}}}"))


def series(name: str, value: int, **labels: str) -> dict[str, str]:
    every = {"model": "faces@1", "job": "exporter", **labels}
    return {"series": series_text(name, every), "values": f"{value}x11"}


def firing(name: str, check: str, source: str, summary: str, description: str) -> dict[str, Any]:
    incident = "Drift" if name == "SourceDrift" else name
    labels = {"model": "faces@1", "job": "exporter", "severity": "warning", "area": "drift", "incident": incident}
    since = " --since 1h" if name == "SourceSilent" else ""
    links = {
        "next_command": f"facemon drift-check --by source{since} --no-record",
        "runbook_url": f"monitoring/runbooks/{name}.md",
        "dashboard_url": "http://localhost:3000/d/facemon-ml-metrics",
    }
    return {
        "exp_labels": {**labels, "check": check, "source": source},
        "exp_annotations": {"summary": summary, "description": description, **links},
    }


@pytest.mark.servers
def test_prometheus_names_each_camera_while_the_whole_drifts(each_generation: Path, tmp_path: Path) -> None:
    """One alert for each source, check and model, in words that are written down here."""
    (tmp_path / "rules.yml").write_text(yaml_text(alert_rules(config_of(""))), encoding="utf-8")
    group = {
        "interval": "1m",
        "input_series": [
            series("drift_detected", 1, attribute="gender", check="model"),
            series("drift_source_detected", 1, check="model", source="camera-6"),
            series("drift_source_detected", 1, check="data", source=ODD),
            series("drift_source_detected", 0, check="data", source="camera-6"),
            series("drift_source_rows", 400, check="model", source="camera-6"),
            series("drift_source_rows", 1, check="model", source=ODD),
            series("drift_source_rows", 0, check="model", source="(no source)"),
        ],
        "alert_rule_test": [
            {
                "alertname": "SourceDrift",
                "eval_time": "10m",
                "exp_alerts": [
                    firing("SourceDrift", "model", "camera-6", "Source camera-6 of faces@1 drifts",
                           "The last model check of faces@1 found drift in the rows of source camera-6."),
                    firing("SourceDrift", "data", ODD, f"Source {ODD} of faces@1 drifts",
                           f"The last data check of faces@1 found drift in the rows of source {ODD}."),
                ],
            },
            {
                "alertname": "SourceSilent",
                "eval_time": "10m",
                "exp_alerts": [
                    firing("SourceSilent", "model", "(no source)", "Source (no source) of faces@1 is silent",
                           "The reference has rows of source (no source); the last model check of faces@1 found none."),
                ],
            },
        ],
    }  # fmt: skip
    test = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [group]}
    (tmp_path / "test.yml").write_text(yaml_text(test), encoding="utf-8")
    outcome = promtool(each_generation, "test", "rules", tmp_path / "test.yml")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@pytest.mark.parametrize("name", ["SourceDrift", "SourceSilent"])
@pytest.mark.parametrize(
    ("source", "receiver"), [("camera-6", "north"), ("camera-66", "all"), ("(no source)", "gate"), (ODD, "gate")]
)
def test_a_route_leads_a_camera_s_alerts_to_its_receiver(name: str, source: str, receiver: str) -> None:
    config = config_of(BY_CAMERA)
    alertmanager_config(config)
    labels = {"alertname": name, "area": "drift", "severity": "warning", "source": source}
    assert receivers_of(labels, config.alertmanager) == (receiver,)
    script = route_tests(config, alerts_of(config)).splitlines()
    of_route = [line for line in script if line.startswith(f"reaches {receiver} ") and f'"{name}"' in line]
    sources = {re.sub(r"\\(.)", r"\1", word) for line in of_route for word in shlex.split(line) if "source=" in word}
    assert sources, "no example of the route in routes.sh"
    assert receiver == "all" or sources <= {'source="camera-6"', 'source="(no source)"', f'source="{ODD}"'}


def test_a_route_by_camera_that_no_alert_can_reach_is_refused() -> None:
    text = BY_CAMERA.replace("{source: camera-6}", "{source: camera-6, attribute: gender}")
    with pytest.raises(ConfigError, match="no alert has all of these labels: source='camera-6', attribute='gender'"):
        alertmanager_config(config_of(text))


def _another_camera(content: dict[str, Any]) -> None:
    content["route"]["routes"][1]["matchers"] = ['source="camera-66"']


def _every_camera(content: dict[str, Any]) -> None:
    content["route"]["routes"][1]["matchers"] = ['source!=""']


@pytest.mark.servers
def test_amtool_routes_by_camera_as_the_script_says(each_generation: Path, tmp_path: Path) -> None:
    outcome = run(write(tmp_path, BY_CAMERA), each_generation)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    for number, change in enumerate((_another_camera, _every_camera)):
        outcome = run(write(tmp_path / str(number), BY_CAMERA, change), each_generation)
        assert outcome.returncode == 1, outcome.stdout
        assert "SourceSilent" in outcome.stdout


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("SourceDrift", "facemon drift-check --by source --no-record"),
        ("SourceSilent", "facemon drift-check --by source --since 1h --no-record"),
    ],
)
def test_a_page_begins_with_the_command_that_shows_the_cameras(name: str, command: str) -> None:
    actions = page_of(name).partition("## What to do\n\n")[2]
    assert actions.startswith(f"- Run `{command}`")
    assert "(no source)" in page_of(name)
