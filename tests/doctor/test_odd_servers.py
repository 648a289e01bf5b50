"""Servers that are not what they were taken for, answer in drops or in nonsense: an error that names them, no crash."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from facemon.doctor import alertmanager, alerts, answers, prometheus
from facemon.doctor.alertmanager_facts import AlertmanagerFacts, HeldAlert, alertmanager_facts
from facemon.doctor.answers import NoAnswerError, ask
from facemon.doctor.prometheus_facts import LoadedRule, PrometheusFacts, ScrapeTarget, prometheus_facts
from tests.serving import serving

RULE = {"name": "DriftDetected", "query": "up", "health": "ok", "state": "inactive", "alerts": []}
TARGET = {
    "labels": {"job": "node"}, "discoveredLabels": {"__address__": "n:1"}, "scrapeUrl": "http://n:1/metrics",
    "health": "up", "lastError": "",
}  # fmt: skip
ALERT = {"labels": {}, "state": "firing", "activeAt": "2026-11-30T10:00:00Z", "value": "1"}
HELD: dict[str, Any] = {"labels": {}, "status": {"silencedBy": [], "inhibitedBy": []}}


@contextmanager
def answering(content: Mapping[str, Any]) -> Iterator[str]:
    """A server that answers the JSON of each path, whatever the query; the rest is an empty page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            body = json.dumps(content[path]).encode() if path in content else b"\n"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with serving(server):
        yield f"http://127.0.0.1:{server.server_port}"


def of_prometheus(*, target: object = TARGET, rule: object = RULE) -> dict[str, Any]:
    data = {
        "targets": {"activeTargets": [target]},
        "rules": {"groups": [{"name": "facemon-drift", "rules": [rule]}]},
        "alertmanagers": {"activeAlertmanagers": []},
        "status/buildinfo": {"version": "3.0.0"},
    }
    return {f"/api/v1/{name}": {"status": "success", "data": each} for name, each in data.items()}


def of_alertmanager(*, original: object = "route: {}", held: object = HELD) -> dict[str, Any]:
    status = {"versionInfo": {"version": "0.27.0"}, "config": {"original": original}}
    return {"/api/v2/status": status, "/api/v2/alerts": [held], "/api/v2/silences": []}


@pytest.mark.parametrize(
    "content",
    [
        of_prometheus(rule=RULE | {"labels": []}),
        of_prometheus(rule=RULE | {"annotations": "none"}),
        of_prometheus(rule=RULE | {"alerts": [ALERT | {"labels": ["a"]}]}),
        of_prometheus(rule=RULE | {"alerts": [ALERT | {"activeAt": "yesterday"}]}),
        of_prometheus(target=TARGET | {"labels": []}),
        of_prometheus(target=None),
        of_prometheus(rule=1),
    ],
)
def test_not_a_prometheus(content: Mapping[str, Any]) -> None:
    with answering(content) as url, pytest.raises(NoAnswerError, match="does not answer as Prometheus does"):
        prometheus_facts(url)


@pytest.mark.parametrize(
    "content",
    [
        of_alertmanager(original="a text"),
        of_alertmanager(original="[1, 2]"),
        of_alertmanager(held=HELD | {"labels": ["a"]}),
        of_alertmanager(held=1),
    ],
)
def test_not_an_alertmanager(content: Mapping[str, Any]) -> None:
    with answering(content) as url, pytest.raises(NoAnswerError, match="does not answer as Alertmanager does"):
        alertmanager_facts(url)


def test_an_answer_in_drops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pauses are shorter than the limit of silence, so that only the limit of the whole ends it."""
    monkeypatch.setattr(answers, "_WHOLE_ANSWER_S", 0.5)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            try:
                for _ in range(600):
                    self.wfile.write(b" ")
                    self.wfile.flush()
                    time.sleep(0.1)
            except OSError:
                return  # the one that asked has left

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    with serving(server), pytest.raises(NoAnswerError, match=r"did not end its answer within 0\.5 s"):
        ask(f"http://127.0.0.1:{server.server_port}/x")


def test_no_secret_of_a_target_is_shown() -> None:
    url = "http://user:hunter2@n:1/metrics?token=s3cret"
    with answering(of_prometheus(target=TARGET | {"scrapeUrl": url, "lastError": f'Get "{url}": refused'})) as asked:
        (target,) = prometheus_facts(asked).targets
    assert (target.url, target.error) == ("http://n:1/metrics", 'Get "http://n:1/metrics": refused')


def rule_of(query: str, *alerts: Any) -> LoadedRule:
    state = "firing" if alerts else "inactive"
    return LoadedRule("facemon-drift", "DriftDetected", query, {}, {}, 0, 0, "ok", "", state, alerts)


def test_an_expression_that_cannot_be_taken_apart() -> None:
    """A newer Prometheus has functions that this parser does not know, and one may refuse a part."""
    with answering({"/api/v1/query": {"status": "success"}}) as url:
        for query, reason in (
            ("newer_function(up)", "facemon cannot parse its expression: newer_function(up)"),
            ("up > 1", f"{url} does not answer as Prometheus does"),
        ):
            asked = alerts._asked(url, "DriftDetected", rule_of(query), is_rendered=True)
            examined = alerts.judge(alerts.AlertFacts([rule_of(query)], [asked], has_watchdog=False))
            assert examined.looked_at.endswith(f"does not fire: the reason is not known: {reason}")


def test_alerts_that_are_not_loaded_are_not_fine() -> None:
    examined = alerts.judge(alerts.AlertFacts([], [], has_watchdog=True))
    assert (examined.looked_at, len(examined.not_looked_at)) == ("", 1)


def judged(wanted: tuple[str, ...], *found: tuple[str, str]) -> Any:
    targets = tuple(ScrapeTarget("api", address, f"http://{address}", health, "") for address, health in found)
    facts = PrometheusFacts("http://p", "3.0.0", targets, (), (), True)
    return prometheus.judge(prometheus.TargetFacts({"api": wanted}, {}, "3.0", found=facts))


def test_one_of_several_targets_is_not_scraped() -> None:
    assert not judged(("a:1", "b:1"), ("a:1", "up"), ("b:1", "up")).findings
    (finding,) = judged(("a:1", "b:1"), ("a:1", "up")).findings
    assert finding.what == "1 target of the job api not scraped"
    assert finding.evidence.startswith("b:1: ")


def test_a_target_before_its_first_scrape_is_not_fine() -> None:
    (waiting,) = judged(("a:1",), ("a:1", "unknown")).not_looked_at
    assert waiting.startswith("http://a:1: Prometheus has not scraped it yet")


def test_an_alertmanager_that_prometheus_does_not_send_to() -> None:
    """It is named by the user and well; the alerts of Prometheus reach none."""
    silence = "a; touch b"
    held = HeldAlert({"alertname": "X"}, (silence,), is_inhibited=False)
    found = AlertmanagerFacts("http://am", "0.27.0", {}, (held,), (), {}, took_its_files=True)
    for is_sent_to, number in ((False, 1), (True, 0), (None, 0)):
        facts = alertmanager.AlertmanagerEvidence(
            {}, "0.25", True, True, True, is_sent_to, None, datetime(2026, 11, 30, tzinfo=UTC), [found]
        )  # fmt: skip
        findings = alertmanager.judge(facts).findings
        assert sum(each.what == "Prometheus sends its alerts to no Alertmanager" for each in findings) == number
        assert findings[-1].command.endswith(f" '{silence}'")
