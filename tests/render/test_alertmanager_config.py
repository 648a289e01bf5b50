from pathlib import Path

import pytest

from facemon.errors import ConfigError
from facemon.render.alertmanager_config import alertmanager_config
from facemon.render.stack_text import yaml_text
from tests.render.configurations import SHORTENED, config_of
from tests.servers import amtool


def test_without_receivers_nobody_is_told() -> None:
    content = alertmanager_config(config_of(""))
    assert content["receivers"] == [{"name": "null"}]
    assert content["route"]["receiver"] == "null"


def test_the_first_receiver_gets_what_no_route_claims() -> None:
    content = alertmanager_config(config_of(SHORTENED))
    assert content["route"]["receiver"] == "the team"
    assert [route["receiver"] for route in content["route"]["routes"]] == ["other", "null"]


def test_secrets_are_files_only() -> None:
    content = alertmanager_config(config_of(SHORTENED))
    assert content["global"]["smtp_auth_password_file"] == "/run/secrets/smtp"
    team = content["receivers"][1]
    assert team["slack_configs"][0]["api_url_file"] == "/run/secrets/slack"
    assert "api_url" not in team["slack_configs"][0]


def test_messages_carry_the_links() -> None:
    team = alertmanager_config(config_of(SHORTENED))["receivers"][1]
    for text in (team["slack_configs"][0]["text"], team["email_configs"][0]["text"], team["email_configs"][0]["html"]):
        for annotation in ("summary", "description", "dashboard_url", "runbook_url"):
            assert f".Annotations.{annotation}" in text


@pytest.mark.parametrize(
    "text",
    [
        "receivers: [{name: 'null'}]",
        "receivers: [{name: a}, {name: a}]",
        "receivers: [{name: a}], routes: [{match: {severity: critical}, receiver: b}]",
        "receivers: [{name: a, email: [{to: x@y.example}]}]",
        "receivers: [{name: a, slack: [{api_url: 'https://hooks.example/x', channel: c}]}]",
        "receivers: [{name: a, webhook: [{url: 'http://user:secret@hook'}]}]",
    ],
)
def test_receivers_that_could_tell_nobody_or_hold_secrets_are_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        config_of(f"alertmanager: {{{text}}}")


@pytest.mark.servers
@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (("alertname=DriftDetected", "severity=warning"), "the team"),
        (("alertname=Watchdog", "severity=none"), "null"),
        (("alertname=HighErrorRate", "severity=critical", 'team=f"\\{{ace\n'), "other"),
    ],
)
def test_alertmanager_routes_as_configured(
    labels: tuple[str, ...], receiver: str, servers: Path, tmp_path: Path
) -> None:
    file = tmp_path / "alertmanager.yml"
    file.write_text(yaml_text(alertmanager_config(config_of(SHORTENED))))
    test = ("config", "routes", "test", f"--config.file={file}", f"--verify.receivers={receiver}")
    # amtool reads label values as it reads matchers, so that quotes, backslashes and newlines are escaped.
    quoted = [_escaped(label) for label in labels]
    outcome = amtool(servers, *test, *quoted)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def _escaped(label: str) -> str:
    name, value = label.split("=", 1)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{name}="{escaped}"'
