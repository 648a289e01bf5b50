"""Dashboards show facemon's alerts alone, also where other rules of one Prometheus have alerts of the same name."""

import re
from pathlib import Path
from typing import Any

import pytest

from facemon.config.alerts import BUILT_IN
from facemon.render.alert_rules import alert_rules
from facemon.render.dashboards import DASHBOARDS
from facemon.render.rendered_content import panels
from facemon.render.stack_text import yaml_text
from tests.render.configurations import config_of
from tests.servers import promtool

_OFF = ", ".join(f"{name}: {{enabled: false}}" for name in BUILT_IN if name not in ("TargetDown", "Watchdog"))
FEW = f"alerts: {{{_OFF}, custom: [{{name: Mine, expr: 'vector(1)', summary: mine}}]}}"
"""Three of facemon's alerts, of which the Watchdog is not shown."""
OTHERS = {
    "TargetDown": {"severity": "warning", "job": "exporter"},
    "Mine": {"severity": "critical"},
    "Watchdog": {"severity": "critical"},
    "KubePodCrashLooping": {"severity": "warning", "area": "stack"},
}


def asked(config: str, dashboard: str) -> dict[str, str]:
    """What the dashboard asks of alerts, with all values of its choices: its panel and its annotation."""
    content: dict[str, Any] = DASHBOARDS[dashboard](config_of(config))
    found = {panel["title"]: target["expr"] for _, panel in panels(content) for target in panel.get("targets", ())}
    found |= {each["name"]: each["expr"] for each in content["annotations"]["list"]}
    return {
        name: re.sub(r"\$\{\w+:regex\}", "(?s).*", expr)
        for name, expr in found.items()
        if name in ("Alerts firing", "Alerts")
    }


@pytest.mark.servers
def test_alerts_of_others_are_neither_counted_nor_marked(servers: Path, tmp_path: Path) -> None:
    others = [{"alert": name, "expr": "vector(1)", "labels": labels} for name, labels in OTHERS.items()]
    (tmp_path / "ours.yml").write_text(yaml_text(alert_rules(config_of(FEW))))
    (tmp_path / "others.yml").write_text(yaml_text({"groups": [{"name": "others", "rules": others}]}))
    system, ml = (asked(FEW, name) for name in ("system_metrics.json", "ml_metrics.json"))
    down = {"labels": '{job="exporter", instance="exporter:1"}', "value": 1}
    checks = [
        (system["Alerts firing"], [{"labels": "{}", "value": 2}]),
        (f"count by (job, instance) ({system['Alerts']})", [down]),
        (f"count by (alertname) ({ml['Alerts']})", [{"labels": '{alertname="Mine"}', "value": 1}]),
    ]
    test = {
        "interval": "1m",
        "input_series": [{"series": 'up{job="exporter", instance="exporter:1"}', "values": "0x10"}],
        "promql_expr_test": [
            {"expr": expr, "eval_time": "10m", "exp_samples": samples} for expr, samples in checks
        ],
    }  # fmt: skip
    content = {"rule_files": ["ours.yml", "others.yml"], "evaluation_interval": "1m", "tests": [test]}
    (tmp_path / "test.yml").write_text(yaml_text(content))
    tested = promtool(servers, "test", "rules", tmp_path / "test.yml")
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_without_any_alert_that_is_shown_the_number_is_0() -> None:
    only = ", ".join(f"{name}: {{enabled: false}}" for name in BUILT_IN if name != "Watchdog")
    assert asked(f"alerts: {{{only}}}", "system_metrics.json") == {"Alerts firing": "vector(0)"}
