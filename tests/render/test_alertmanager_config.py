"""alertmanager.yml: receivers by every way, what each Alertmanager may be given, and what is refused."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from facemon.errors import ConfigError
from facemon.render.alertmanager_config import alertmanager_config
from facemon.render.stack_text import yaml_text
from tests.render.configurations import CONFIGURATIONS, SHORTENED, config_of
from tests.render.random_configurations import sampled
from tests.servers import amtool

EVERY_WAY = r"""
alertmanager:
  target_version: "{version}"
  smtp: {{smarthost: "mail:587", from: alerts@example.com, username: 'u"{{{{', password_file: secrets/smtp}}
  receivers:
    - name: team
      email: [{{to: "o'neil+{{{{x}}}}@example.com"}}]
      slack: [{{api_url_file: secrets/slack, channel: '#{{{{ "x" }}}}'}}]
      pagerduty: [{{routing_key_file: secrets/pagerduty, send_resolved: false}}]
      webhook: [{{url: "https://hook.example/{{{{x}}}}?a={{b}}", bearer_token_file: secrets/token}}]
    - {{name: newer, {newer}}}
  mute_times:
    - {{name: 'n "{{{{', weekdays: [saturday], location: Europe/Berlin, hours: [{{from: "20:00", to: "24:00"}}]}}
  routes: [{{match: {{severity: warning}}, receiver: newer, mute: ['n "{{{{']}}]
"""
OLD = EVERY_WAY.format(version="0.25", newer="webhook: [{url: 'http://x'}]")
NEW = EVERY_WAY.format(
    version="0.28", newer="teams: [{webhook_url_file: secrets/teams}], webhook: [{url_file: secrets/hook}]"
)


def check(text: str, servers: Path, folder: Path) -> None:
    file = folder / "alertmanager.yml"
    file.write_text(yaml_text(alertmanager_config(config_of(text))), encoding="utf-8")
    outcome = amtool(servers, "check-config", file)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def refusal(section: str) -> str:
    with pytest.raises(ConfigError) as caught:
        config_of(f"alertmanager: {{{section}}}")
    return caught.value.message


def test_without_receivers_nobody_is_told() -> None:
    content = alertmanager_config(config_of(""))
    assert content["receivers"] == [{"name": "null"}]
    assert content["route"]["receiver"] == "null"


def test_the_first_receiver_gets_what_no_route_claims() -> None:
    content = alertmanager_config(config_of(SHORTENED))
    assert content["route"]["receiver"] == "the team"
    assert [route["receiver"] for route in content["route"]["routes"]] == ["null", "other"]


def test_every_secret_is_a_file() -> None:
    content = alertmanager_config(config_of(NEW))
    team, newer = content["receivers"][1:]
    assert content["global"]["smtp_auth_password_file"] == "/run/secrets/smtp"
    assert team["slack_configs"][0]["api_url_file"] == "/run/secrets/slack"
    assert team["pagerduty_configs"][0]["routing_key_file"] == "/run/secrets/pagerduty"
    assert team["webhook_configs"][0]["http_config"] == {"authorization": {"credentials_file": "/run/secrets/token"}}
    assert newer["msteamsv2_configs"][0]["webhook_url_file"] == "/run/secrets/teams"
    assert newer["webhook_configs"][0]["url_file"] == "/run/secrets/hook"
    assert "url" not in newer["webhook_configs"][0]


def test_whether_it_is_told_that_an_alert_has_ended() -> None:
    team = alertmanager_config(config_of(NEW))["receivers"][1]
    assert team["email_configs"][0]["send_resolved"] is True
    assert team["pagerduty_configs"][0]["send_resolved"] is False


def test_an_address_with_braces_is_no_template_to_any_alertmanager() -> None:
    team = alertmanager_config(config_of(NEW))["receivers"][1]
    assert team["webhook_configs"][0]["url"] == "https://hook.example/%7B%7Bx%7D%7D?a=%7Bb%7D"


@pytest.mark.servers
@pytest.mark.parametrize("text", [OLD, *CONFIGURATIONS.values()], ids=["every way", *CONFIGURATIONS])
def test_both_generations_accept_what_is_written_for_the_older(
    text: str, each_generation: Path, tmp_path: Path
) -> None:
    check(text, each_generation, tmp_path)


@pytest.mark.servers
def test_the_newer_generation_accepts_what_is_written_for_it(newer_servers: Path, tmp_path: Path) -> None:
    check(NEW, newer_servers, tmp_path)


@pytest.mark.servers
def test_the_older_generation_really_refuses_what_is_written_for_the_newer(servers: Path, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"msteamsv2_configs not found(.|\n)*url_file not found"):
        check(NEW, servers, tmp_path)


@pytest.mark.servers
@pytest.mark.slow
def test_amtool_accepts_what_is_rendered_of_random_configurations(each_generation: Path, tmp_path: Path) -> None:
    for text in sampled(25, seed=8):
        if "newer" in each_generation.name or config_of(text).alertmanager.version < (0, 28):
            check(text, each_generation, tmp_path)


@pytest.mark.servers
@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data())
def test_amtool_accepts_any_names_that_we_accept(servers: Path, tmp_path: Path, data: st.DataObject) -> None:
    texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
    name, value, channel, time = (data.draw(texts) for _ in range(4))
    document = {
        "alerts": {"HighLatency": {"labels": {"team": value}}},
        "alertmanager": {
            "receivers": [{"name": name, "slack": [{"api_url_file": "s", "channel": channel}]}],
            "mute_times": [{"name": time, "weekdays": ["monday"]}],
            "routes": [{"match": {"team": [value, "y"]}, "receiver": name, "mute": [time]}],
        },
    }
    if "\0" in name + value + channel + time or name == "null":
        with pytest.raises(ConfigError, match=r"NUL|no receiver may be named"):
            config_of(yaml_text(document))
        return
    config = config_of(yaml_text(document))
    file = tmp_path / "alertmanager.yml"
    file.write_text(yaml_text(alertmanager_config(config)), encoding="utf-8")
    outcome = amtool(servers, "check-config", file)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@pytest.mark.servers
@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(url=st.from_regex(r"https?://(\w|[.:\[\]<%{é-])+(/(\w|[\"'{}%?&#:|\\ü~])*)?", fullmatch=True))
def test_amtool_accepts_any_address_that_we_accept(servers: Path, tmp_path: Path, url: str) -> None:
    document = {"alertmanager": {"receivers": [{"name": "a", "webhook": [{"url": url}]}]}}
    try:
        check(yaml_text(document), servers, tmp_path)
    except ConfigError:
        event("refused")


@pytest.mark.parametrize(
    "text",
    [
        'alerts: {HighLatency: {labels: {team: "a\\0"}}}',
        'alerts: {custom: [{name: X, expr: x, summary: s, labels: {team: "a\\0"}}]}',
        'prometheus: {external_labels: {site: "a\\0"}}',
        'alertmanager: {receivers: [{name: "a\\0", webhook: [{url: "http://x"}]}]}',
        'exporter: {probes: [{name: "a\\0", url: "http://x"}]}',
    ],
)
def test_no_label_and_no_name_holds_what_no_command_line_can_carry(text: str) -> None:
    with pytest.raises(ConfigError, match="holds the character NUL"):
        config_of(text)


@pytest.mark.parametrize(
    ("section", "fault"),
    [
        ("receivers: [{name: 'null'}]", "has no way to notify"),
        ("receivers: [{name: 'null', webhook: [{url: 'http://x'}]}]", "no receiver may be named 'null'"),
        ("receivers: [{name: ''}]", "receivers[0].name"),
        ("receivers: [{name: a, webhook: [{url: 'http://x'}]}, {name: a, webhook: [{url: 'http://x'}]}]",
         "receivers[1].name: is 'a', the name of an earlier receiver"),
        ("receivers: [{name: a, webhook: [{url: 'http://x'}]}], routes: [{match: {severity: critical}, receiver: b}]",
         "routes[0].receiver: is 'b', not the name of a receiver (a)"),
        ("routes: [{match: {severity: critical}, receiver: b}]", "not the name of a receiver (there are none)"),
        (("receivers: [{name: a, webhook: [{url: 'http://x'}]}], "
          "routes: [{match: {severity: critical}, receiver: a, mute: [n]}]"),
         "routes[0].mute[0]: is 'n', not the name of a mute time"),
        ("dead_man: {receiver: x}", "dead_man.receiver: is 'x', not the name of a receiver"),
        ("receivers: [{name: a, email: [{to: x@y.example}]}]", "needs alertmanager.smtp"),
        ("receivers: [{name: a, slack: [{api_url: 'https://hooks.example/x', channel: c}]}]", "api_url_file"),
        ("receivers: [{name: a, webhook: [{url: 'http://user:secret@hook'}]}]", "without a user or a password"),
        ("receivers: [{name: a, webhook: [{url: 'http://x:99999'}]}]", "has no host, or no port from 1 to 65535"),
        ("receivers: [{name: a, webhook: [{url: 'http://a{b/'}]}]", "has no host, or no port from 1 to 65535"),
        ("receivers: [{name: a, webhook: [{url: 'http://x/%zz'}]}]", "a % without two digits after it"),
        ("receivers: [{name: a, webhook: [{url: \"http://x/\\x7f\"}]}]", "holds a character that does not print"),
        ("receivers: [{name: a, webhook: [{}]}]", "needs one of url and url_file"),
        ("receivers: [{name: a, email: [{to: 'team'}]}]", "'team' is not an email address"),
        ("smtp: {smarthost: 'm:25', from: \"a@b\\nBcc: c@d\"}", "is not an email address"),
        ("smtp: {smarthost: 'm:25', from: a@b, username: u}", "username and password_file come together"),
        ("smtp: {smarthost: 'm:25', from: a@b, password_file: p}", "username and password_file come together"),
        ("smtp: {smarthost: 'm:0465', from: a@b}", "smtp.smarthost: must name a port from 1 to 65535"),
        ("smtp: {smarthost: 'm:65536', from: a@b}", "smtp.smarthost: must name a port from 1 to 65535"),
        ("group_by: [alertname, alertname]", "group_by: names a label twice"),
        ("routes: [{match: {team: \"a\\0\"}, receiver: b}]", "holds the character NUL"),
        ("routes: [{match: {}, receiver: b}]", "routes[0].match"),
        ("routes: [{match: {team: []}, receiver: b}]", "routes[0].match.team"),
        ("routes: [{match: {'te am': x}, receiver: b}]", "must be made of letters, digits and _"),
        ("mute_times: [{name: n}]", "names neither weekdays nor hours"),
        ("mute_times: [{name: n, weekdays: [monday], location: Europe/Berln}]", "location: is 'Europe/Berln'"),
        ("mute_times: [{name: n, weekdays: [monday], location: ../etc/passwd}]", "not a time zone"),
        ("mute_times: [{name: n, hours: [{from: '20:00', to: '06:00'}]}]", "ends before it begins"),
        ("target_version: '0.24'", "target_version: is 0.24; facemon writes for 0.25 and newer"),
        ("target_version: '0.27', receivers: [{name: a, teams: [{webhook_url_file: x}]}]",
         "receivers[0].teams: needs Alertmanager 0.28, and target_version is 0.27"),
        ("target_version: '0.27', receivers: [{name: a, webhook: [{url_file: x}]}]",
         "receivers[0].webhook[0].url_file: needs Alertmanager 0.28, and target_version is 0.27"),
        ("group_interval: 0s", "must be longer than nothing"),
        ("repeat_interval: 200000d", "is too long: Prometheus accepts at most 292 years"),
    ],
)  # fmt: skip
def test_what_could_not_work_is_refused_with_a_reason(section: str, fault: str) -> None:
    assert fault in refusal(section)
