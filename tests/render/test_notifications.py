"""Notifications as people get them: the real Alertmanager sends what is rendered to mail and web servers of ours."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from facemon.render.alertmanager_config import alertmanager_config
from facemon.render.stack_text import yaml_text
from tests.mail_sink import MailSink
from tests.render.configurations import config_of
from tests.servers import Body, WebhookReceiver, post_alerts, run_alertmanager

pytestmark = pytest.mark.servers

AWKWARD = "a \"b\" 'c' <!channel> <script>x</script> & {{ .x }} {{ `y` }} \\ $z %s \n\tü 🙂"
LINKS = {
    "dashboard_url": "https://g.example/d/facemon-ml-metrics?a=1&b=<2>",
    "runbook_url": "https://r.example/DriftDetected.md",
}
ALERT = {
    "labels": {"alertname": "DriftDetected", "severity": "warning", "area": "drift", "attribute": AWKWARD},
    "annotations": {
        "summary": f"{AWKWARD} drifts",
        "description": f"The score of {AWKWARD} is 0.251, limit 0.2.",
        **LINKS,
    },
}
PLAIN = {
    "labels": {"alertname": "Watchdog2", "severity": "none", "area": "stack"},
    "annotations": {"summary": "fine", "description": "d", **LINKS, "runbook_url": "monitoring/runbooks/Watchdog2.md"},
}
CAMERA = 'gate <7> & "north" {{ .x }} ü'


def of_camera(name: str, source: str) -> dict[str, Any]:
    """An alert whose annotations, which a user wrote, do not name the camera."""
    labels = {"alertname": name, "severity": "warning", "area": "drift", "source": source}
    return {"labels": labels, "annotations": {"summary": "a camera", "description": "d", **LINKS, "runbook_url": "r"}}


CAMERAS = (
    of_camera("SourceSilent", "camera-6"), of_camera("SourceSilent", CAMERA), of_camera("SourceDrift", CAMERA),
)  # fmt: skip
CONFIGURATION = """
alertmanager:
  target_version: "{version}"
  smtp: {{smarthost: "{mail}", from: alerts@example.com, require_tls: false}}
  receivers:
    - name: team
      email: [{{to: "o'neil@example.com"}}]
      slack: [{{api_url_file: {folder}/slack, channel: '#{{{{ "x" }}}}'}}]
      pagerduty: [{{routing_key_file: {folder}/pagerduty}}]
      webhook: [{{url: "{webhook}", bearer_token_file: {folder}/token}}]
      {teams}
  group_wait: 0s
  group_interval: 1s
stack: {{secrets_dir: "{folder}"}}
"""


class Sinks:
    """Where notifications go, and the configuration that sends them there."""

    def __init__(self, folder: Path, stack: ExitStack, *, newer: bool) -> None:
        self.mail = stack.enter_context(MailSink())
        ways = ("slack", "pagerduty", "teams", "webhook")
        self.hooks = {way: stack.enter_context(WebhookReceiver()) for way in ways}
        for way in ways:
            (folder / way).write_text(f"{self.hooks[way].url}\n")
        (folder / "pagerduty").write_text("the key\n")
        (folder / "token").write_text("the token\n")
        settings = {
            "version": "0.28" if newer else "0.25",
            "mail": self.mail.address,
            "folder": folder,
            "webhook": self.hooks["webhook"].url,
            "teams": f"teams: [{{webhook_url_file: {folder}/teams}}]" if newer else "",
        }
        content = alertmanager_config(config_of(CONFIGURATION.format(**settings)))
        # Where PagerDuty is cannot be said in facemon.yaml.
        content["global"]["pagerduty_url"] = self.hooks["pagerduty"].url
        self.file = folder / "alertmanager.yml"
        self.file.write_text(yaml_text(content), encoding="utf-8")

    def mail_of(self, words: str) -> EmailMessage:
        return self.mail.wait_for(lambda message: words in message["Subject"])

    def body_of(self, way: str, words: str) -> Body:
        return self.hooks[way].wait_for(lambda body: words in str(body))


@pytest.fixture(scope="module")
def sinks(each_generation: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sinks]:
    """After the awkward alert has fired and resolved, and the plain one has fired."""
    folder = tmp_path_factory.mktemp("notifications")
    with ExitStack() as stack:
        found = Sinks(folder, stack, newer="newer" in each_generation.name)
        alertmanager = stack.enter_context(run_alertmanager(each_generation, found.file, folder))
        now = datetime.now(UTC)
        begun = {"startsAt": (now - timedelta(minutes=3)).isoformat()}
        post_alerts(alertmanager.url, *({**alert, **begun} for alert in (ALERT, PLAIN, *CAMERAS)))
        found.mail_of("[FIRING 1] DriftDetected")
        post_alerts(alertmanager.url, {**ALERT, **begun, "endsAt": now.isoformat()})
        found.mail_of("[RESOLVED] DriftDetected")
        yield found


def newer_only(sinks: Sinks) -> None:
    if "msteamsv2_configs" not in sinks.file.read_text():
        pytest.skip("this Alertmanager knows no Teams whose address is in a file")


def text_of(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    text: str = part.get_content()
    return text.replace("\r\n", "\n")


@pytest.mark.parametrize("status", ["firing", "resolved"])
def test_an_email_says_it_all(status: str, sinks: Sinks) -> None:
    message = sinks.mail_of(f"[{'FIRING 1' if status == 'firing' else 'RESOLVED'}] DriftDetected")
    assert message["X-Envelope"] == "alerts@example.com o'neil@example.com"
    assert " ".join(AWKWARD.split()) in " ".join(message["Subject"].split())
    text = text_of(message, "plain")
    assert f"{status} (warning): {AWKWARD} drifts" in text
    assert f"The score of {AWKWARD} is 0.251, limit 0.2." in text
    assert f"attribute: {AWKWARD}" in text
    assert f"dashboard: {LINKS['dashboard_url']}" in text
    assert f"runbook: {LINKS['runbook_url']}" in text
    assert (", until " in text) == (status == "resolved")


def test_the_html_of_an_email_is_escaped(sinks: Sinks) -> None:
    html = text_of(sinks.mail_of("[FIRING 1] DriftDetected"), "html")
    assert "<script>" not in html
    assert "&lt;script&gt;x&lt;/script&gt; &amp; {{ .x }} {{ `y` }}" in html
    assert f'<a href="{LINKS["runbook_url"]}">' in html
    assert 'href="https://g.example/d/facemon-ml-metrics?a=1&amp;b=%3c2%3e"' in html


def test_a_runbook_that_is_not_published_is_a_path_and_no_link(sinks: Sinks) -> None:
    message = sinks.mail_of("[FIRING 1] Watchdog2")
    assert "runbook: monitoring/runbooks/Watchdog2.md" in text_of(message, "plain")
    assert '<a href="monitoring' not in text_of(message, "html")
    assert "attribute" not in text_of(message, "plain")


@pytest.mark.parametrize(("status", "title"), [("firing", "[FIRING 1] "), ("resolved", "[RESOLVED] ")])
def test_slack(status: str, title: str, sinks: Sinks) -> None:
    body = sinks.body_of("slack", f"{title}DriftDetected")
    (attachment,) = body["attachments"]
    escaped = AWKWARD.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert body["channel"] == '#{{ "x" }}'
    assert attachment["title"] == f"{title}DriftDetected: {escaped}"
    assert attachment["fallback"] == attachment["title"]
    assert attachment["title_link"] == LINKS["dashboard_url"]
    assert attachment["text"] == (
        f"*{status}* (warning): {escaped} drifts\nThe score of {escaped} is 0.251, limit 0.2.\nattribute: {escaped}\n"
        "<https://g.example/d/facemon-ml-metrics?a=1&amp;b=&lt;2&gt;|dashboard> · "
        "<https://r.example/DriftDetected.md|runbook>\n"
    )


def test_slack_without_an_attribute(sinks: Sinks) -> None:
    (attachment,) = sinks.body_of("slack", "[FIRING 1] Watchdog2")["attachments"]
    assert "attribute" not in attachment["text"]
    assert "runbook: monitoring/runbooks/Watchdog2.md" in attachment["text"]


def test_pagerduty_opens_and_closes_one_incident(sinks: Sinks) -> None:
    fired = sinks.body_of("pagerduty", "[FIRING 1] DriftDetected")
    assert fired["routing_key"] == "the key"
    assert fired["event_action"] == "trigger"
    payload: dict[str, Any] = fired["payload"]
    assert payload["summary"] == f"[FIRING 1] DriftDetected: {AWKWARD}"
    assert payload["severity"] == "warning"
    for words in (f"is 0.251, limit 0.2.\nattribute: {AWKWARD}\n", *LINKS.values()):
        assert words in payload["custom_details"]["firing"]
    assert fired["client_url"] == LINKS["dashboard_url"]
    assert [link["href"] for link in fired["links"]] == list(LINKS.values())
    ended = sinks.hooks["pagerduty"].wait_for(lambda body: body["event_action"] == "resolve")
    assert ended["dedup_key"] == fired["dedup_key"]


def test_pagerduty_gets_no_severity_that_it_refuses_and_no_link_that_is_none(sinks: Sinks) -> None:
    fired = sinks.body_of("pagerduty", "[FIRING 1] Watchdog2")
    assert fired["payload"]["severity"] == "info"
    assert [link["text"] for link in fired["links"]] == ["dashboard"]


def test_teams(sinks: Sinks) -> None:
    newer_only(sinks)
    for status, title in (("firing", "[FIRING 1] "), ("resolved", "[RESOLVED] ")):
        (attachment,) = sinks.body_of("teams", f"{title}DriftDetected")["attachments"]
        heading, text = (block["text"] for block in attachment["content"]["body"])
        assert heading == f"{title}DriftDetected: {AWKWARD}"
        assert text.startswith(
            f"**{status}** (warning): {AWKWARD} drifts\n\nThe score of {AWKWARD} is 0.251, limit 0.2."
        )
        assert f"\n\nattribute: {AWKWARD}\n\n" in text
        assert f"[dashboard]({LINKS['dashboard_url']}) · [runbook]({LINKS['runbook_url']})" in text


def test_a_webhook_gets_alertmanager_s_own_json(sinks: Sinks) -> None:
    body = sinks.body_of("webhook", "DriftDetected")
    assert body["alerts"][0]["labels"]["attribute"] == AWKWARD
    sinks.hooks["webhook"].wait_for(lambda body: body["status"] == "resolved")
    assert {headers["Authorization"] for headers in sinks.hooks["webhook"].headers} == {"Bearer the token"}


def test_a_group_of_cameras_names_each_of_them(sinks: Sinks) -> None:
    """In every way, by the label: whatever the annotations say."""
    both = "source: camera-6\n", f"source: {CAMERA}\n"
    text = text_of(sinks.mail_of("[FIRING 2] SourceSilent"), "plain")
    assert all(name in text for name in both)
    escaped = CAMERA.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    (attachment,) = sinks.body_of("slack", "[FIRING 2] SourceSilent")["attachments"]
    assert "source: camera-6\n" in attachment["text"]
    assert f"source: {escaped}\n" in attachment["text"]
    details = sinks.body_of("pagerduty", "[FIRING 2] SourceSilent")["payload"]["custom_details"]["firing"]
    assert all(name in details for name in both)
    html = text_of(sinks.mail_of("[FIRING 2] SourceSilent"), "html")
    assert "source: camera-6<br>" in html
    assert "source: gate &lt;7&gt; &amp; " in html


def test_a_title_names_the_camera_of_a_group_of_one(sinks: Sinks) -> None:
    message = sinks.mail_of("[FIRING 1] SourceDrift")
    assert message["Subject"] == f"[FIRING 1] SourceDrift: {CAMERA}"
    (attachment,) = sinks.body_of("slack", "[FIRING 1] SourceDrift")["attachments"]
    details = sinks.body_of("pagerduty", "[FIRING 1] SourceDrift")["payload"]["custom_details"]["firing"]
    assert f"source: {CAMERA}\n" in details
    assert attachment["title"].startswith("[FIRING 1] SourceDrift: gate &lt;7&gt; &amp; ")
    assert sinks.mail_of("[FIRING 2] SourceSilent")["Subject"] == "[FIRING 2] SourceSilent"


def test_teams_names_each_camera(sinks: Sinks) -> None:
    newer_only(sinks)
    (attachment,) = sinks.body_of("teams", "[FIRING 2] SourceSilent")["attachments"]
    _, text = (block["text"] for block in attachment["content"]["body"])
    assert "\n\nsource: camera-6\n\n" in text
    assert f"\n\nsource: {CAMERA}\n\n" in text
