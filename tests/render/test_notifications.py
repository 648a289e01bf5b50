"""Notifications as people get them: the real Alertmanager sends what is rendered to mail and web servers of ours."""

import re
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
QUERY = "https://p.example/graph?g0.expr=a&g0.tab=1"
ALERT = {
    "labels": {
        "alertname": "DriftDetected", "severity": "warning", "area": "drift", "attribute": AWKWARD, "incident": "Drift",
    },
    "annotations": {
        "summary": f"{AWKWARD} drifts",
        "description": f"The score of {AWKWARD} is 0.251, limit 0.2.",
        "next_command": "facemon drift-check --by source --no-record",
        **LINKS,
    },
    "generatorURL": QUERY,
}  # fmt: skip
PLAIN = {
    "labels": {"alertname": "Watchdog2", "severity": "none", "area": "stack", "incident": "Watchdog2"},
    "annotations": {"summary": "fine", "description": "d", **LINKS, "runbook_url": "monitoring/runbooks/Watchdog2.md"},
}
CAMERA = 'gate <7> & "north" {{ .x }} ü'


def of_camera(name: str, source: str) -> dict[str, Any]:
    """An alert whose annotations, which a user wrote, do not name the camera."""
    labels = {"alertname": name, "severity": "warning", "area": "drift", "source": source, "incident": name}
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
    assert f"columns: {AWKWARD}\n" in text
    assert "next: facemon drift-check --by source --no-record\n" in text
    assert f"query: {QUERY}\n" in text
    assert "/#/silences/new?filter=%7Bincident%3D%22Drift%22%7D\n" in text
    assert f"dashboard: {LINKS['dashboard_url']}" in text
    assert f"runbook: {LINKS['runbook_url']}" in text
    assert (", until " in text) == (status == "resolved")


def test_the_html_of_an_email_is_escaped(sinks: Sinks) -> None:
    html = text_of(sinks.mail_of("[FIRING 1] DriftDetected"), "html")
    assert "<script>" not in html
    assert "&lt;script&gt;x&lt;/script&gt; &amp; {{ .x }} {{ `y` }}" in html
    assert f'<a href="{LINKS["runbook_url"]}">' in html
    assert '/#/silences/new?filter=%7Bincident%3D%22Drift%22%7D">silence</a>' in html
    assert 'href="https://g.example/d/facemon-ml-metrics?a=1&amp;b=%3c2%3e"' in html


def test_a_runbook_that_is_not_published_is_a_path_and_no_link(sinks: Sinks) -> None:
    message = sinks.mail_of("[FIRING 1] Watchdog2")
    assert "runbook: monitoring/runbooks/Watchdog2.md" in text_of(message, "plain")
    assert '<a href="monitoring' not in text_of(message, "html")
    assert "columns" not in text_of(message, "plain")


@pytest.mark.parametrize(("status", "title"), [("firing", "[FIRING 1] "), ("resolved", "[RESOLVED] ")])
def test_slack(status: str, title: str, sinks: Sinks) -> None:
    body = sinks.body_of("slack", f"{title}DriftDetected")
    (attachment,) = body["attachments"]
    escaped = AWKWARD.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert body["channel"] == '#{{ "x" }}'
    assert attachment["title"] == f"{title}DriftDetected: {escaped}"
    assert attachment["fallback"] == attachment["title"]
    assert attachment["title_link"] == LINKS["dashboard_url"]
    before, since, after = attachment["text"].partition("\nsince ")
    assert before == (
        f"columns: {escaped}\n\n*{status} (warning)*: {escaped} drifts\nThe score of {escaped} is 0.251, limit 0.2."
    )
    assert since
    when, command, runbook, gap, links, *rest = after.split("\n")
    assert (", until " in when) == (status == "resolved")
    assert command == "next: facemon drift-check --by source --no-record"
    assert runbook == "<https://r.example/DriftDetected.md|runbook>"
    assert links.startswith(
        "<https://g.example/d/facemon-ml-metrics?a=1&amp;b=&lt;2&gt;|dashboard> · "
        "<https://p.example/graph?g0.expr=a&amp;g0.tab=1|query> · <http://"
    )
    assert links.endswith("/#/silences/new?filter=%7Bincident%3D%22Drift%22%7D|silence>")
    assert [gap, *rest] == ["", ""]


def test_slack_without_an_attribute(sinks: Sinks) -> None:
    (attachment,) = sinks.body_of("slack", "[FIRING 1] Watchdog2")["attachments"]
    assert "columns" not in attachment["text"]
    assert "runbook: monitoring/runbooks/Watchdog2.md" in attachment["text"]


def test_pagerduty_opens_and_closes_one_incident(sinks: Sinks) -> None:
    fired = sinks.body_of("pagerduty", "[FIRING 1] DriftDetected")
    assert fired["routing_key"] == "the key"
    assert fired["event_action"] == "trigger"
    payload: dict[str, Any] = fired["payload"]
    assert payload["summary"] == f"[FIRING 1] DriftDetected: {AWKWARD}"
    assert payload["severity"] == "warning"
    for words in (f"columns: {AWKWARD}\n", "is 0.251, limit 0.2.\n", "next: facemon drift-check", *LINKS.values()):
        assert words in payload["custom_details"]["firing"]
    assert fired["client_url"] == LINKS["dashboard_url"]
    assert [link["href"] for link in fired["links"]] == [*LINKS.values(), QUERY]
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
            f"columns: {AWKWARD}\n\n**{status} (warning)**: {AWKWARD} drifts\n\n"
            f"The score of {AWKWARD} is 0.251, limit 0.2.\n\nsince "
        )
        assert f"\n\n[runbook]({LINKS['runbook_url']})\n\n[dashboard]({LINKS['dashboard_url']}) · [query](" in text


def test_a_webhook_gets_alertmanager_s_own_json(sinks: Sinks) -> None:
    body = sinks.body_of("webhook", "DriftDetected")
    assert body["alerts"][0]["labels"]["attribute"] == AWKWARD
    sinks.hooks["webhook"].wait_for(lambda body: body["status"] == "resolved")
    assert {headers["Authorization"] for headers in sinks.hooks["webhook"].headers} == {"Bearer the token"}


def test_a_group_of_cameras_names_each_of_them(sinks: Sinks) -> None:
    """In every way, by the label: whatever the annotations say."""
    text = text_of(sinks.mail_of("[FIRING 2] SourceSilent"), "plain")
    assert re.search(r"^sources: (camera-6, )?" + re.escape(CAMERA) + "(, camera-6)?$", text, re.MULTILINE)
    escaped = CAMERA.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    (attachment,) = sinks.body_of("slack", "[FIRING 2] SourceSilent")["attachments"]
    details = sinks.body_of("pagerduty", "[FIRING 2] SourceSilent")["payload"]["custom_details"]["firing"]
    html = text_of(sinks.mail_of("[FIRING 2] SourceSilent"), "html")
    for told, name in ((attachment["text"], escaped), (details, CAMERA), (html, "gate &lt;7&gt; &amp; ")):
        assert "sources: " in told
        assert "camera-6" in told
        assert name in told


def test_a_title_names_the_camera_of_a_group_of_one(sinks: Sinks) -> None:
    message = sinks.mail_of("[FIRING 1] SourceDrift")
    assert message["Subject"] == f"[FIRING 1] SourceDrift: {CAMERA}"
    (attachment,) = sinks.body_of("slack", "[FIRING 1] SourceDrift")["attachments"]
    details = sinks.body_of("pagerduty", "[FIRING 1] SourceDrift")["payload"]["custom_details"]["firing"]
    assert f"sources: {CAMERA}\n" in details
    assert attachment["title"].startswith("[FIRING 1] SourceDrift: gate &lt;7&gt; &amp; ")
    both = sinks.mail_of("[FIRING 2] SourceSilent")["Subject"]
    assert set(both.removeprefix("[FIRING 2] SourceSilent: ").split(", ")) == {"camera-6", CAMERA}


def test_teams_names_each_camera(sinks: Sinks) -> None:
    newer_only(sinks)
    (attachment,) = sinks.body_of("teams", "[FIRING 2] SourceSilent")["attachments"]
    _, text = (block["text"] for block in attachment["content"]["body"])
    assert text.startswith("sources: ")
    assert "camera-6" in text
    assert CAMERA in text
