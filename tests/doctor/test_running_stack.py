"""The doctor beside real servers: nothing is wrong, then one thing is, and the first finding is the cause.

What is broken are the troubles of the operations guide: Prometheus does not scrape, alerts do not fire or are not told.
"""

import json
import re
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from facemon.doctor.prometheus import NO_ANSWER
from facemon.domain.drift_result import Check, Verdict
from facemon.store.ledger.opening import open_ledger
from tests.conftest import RunFacemon
from tests.doctor.healthy import MODEL, diagnosis, log_rows
from tests.doctor.running import Running, running
from tests.metrics.stores import check_model, column
from tests.patience import wait_until
from tests.servers import query

pytestmark = [pytest.mark.slow, pytest.mark.servers]


def rewritten(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def stop_the_exporter(stack: Running) -> None:
    stack.exporter.close()
    wait_until(lambda: query(stack.prometheus.url, "up == 0"), "a failed scrape")


def stop_prometheus(stack: Running) -> None:
    stack.prometheus.process.terminate()
    stack.prometheus.process.wait()


def scrape_another_port(stack: Running) -> None:
    config = stack.rules.with_name("prometheus.yml")
    before, jobs = config.read_text().split("scrape_configs:")
    config.write_text(f"{before}scrape_configs:{re.sub(r'127.0.0.1:[0-9]+', '127.0.0.1:9', jobs)}")
    stack.reload_prometheus()
    wait_until(lambda: query(stack.prometheus.url, 'up{instance="127.0.0.1:9"} == 0'), "a failed scrape")


def scrape_under_another_name(stack: Running) -> None:
    rewritten(stack.rules.with_name("prometheus.yml"), "job_name: exporter", "job_name: another")
    stack.reload_prometheus()
    wait_until(lambda: query(stack.prometheus.url, 'up{job="another"} == 1'), "a scrape")


def drop_a_metric(stack: Running) -> None:
    drop = "  metric_relabel_configs:\n  - {source_labels: [__name__], regex: drift_score, action: drop}\n"
    rewritten(stack.rules.with_name("prometheus.yml"), "- job_name: exporter\n", f"- job_name: exporter\n{drop}")
    stack.reload_prometheus()
    wait_until(lambda: not query(stack.prometheus.url, "drift_score"), "the metric to go")


def load_an_older_limit(stack: Running) -> None:
    rewritten(stack.rules, "> 0.2)", "> 0.9)")
    stack.reload_prometheus()


def load_no_rule(stack: Running) -> None:
    stack.rules.write_text("groups: []\n")
    stack.rules.with_name("recording_rules.yml").write_text("groups: []\n")
    stack.reload_prometheus()


def load_fewer_rules(stack: Running) -> None:
    rewritten(stack.rules, "alert: SourceSilent", "alert: AnotherName")
    stack.reload_prometheus()


def refuse_its_files(stack: Running) -> None:
    stack.rules.write_text("groups: [not a group]\n")
    stack.reload_prometheus()


def fail_a_rule(stack: Running) -> None:
    """A match of many to many is an error each time that it is evaluated, and none when it is loaded."""
    broken = "drift_check_timestamp_seconds + on () drift_check_timestamp_seconds > 0"
    stack.rules.write_text(re.sub(r"(alert: SourceSilent\n    expr: ).*", rf"\g<1>{broken}", stack.rules.read_text()))
    stack.reload_prometheus()
    wait_until(lambda: b'"health":"err"' in ask(stack.prometheus.url, "/api/v1/rules"), "the failing rule")


def send_to_no_alertmanager(stack: Running) -> None:
    config = stack.rules.with_name("prometheus.yml")
    config.write_text(re.sub(r"alerting:\n(  .*\n)+", "", config.read_text()))
    stack.reload_prometheus()
    wait_until(lambda: b'"activeAlertmanagers":[]' in ask(stack.prometheus.url, "/api/v1/alertmanagers"), "none")


def stop_alertmanager(stack: Running) -> None:
    stack.alertmanagers.close()


def load_other_routes(stack: Running) -> None:
    config = stack.folder / "monitoring" / "alertmanager" / "alertmanager.yml"
    rewritten(config, "receiver: operators", "receiver: 'null'")
    urllib.request.urlopen(urllib.request.Request(f"{stack.alertmanager.url}/-/reload", method="POST")).close()


def drift_and_refuse_notifications(stack: Running) -> None:
    stack.receiver.answers = 400
    drift(stack)
    failed = re.compile(rb'^alertmanager_notifications_failed_total\{.*integration="webhook".*\} [1-9]', re.MULTILINE)
    wait_until(lambda: failed.search(ask(stack.alertmanager.url, "/metrics")), "a failed notification")


def drift_and_silence(stack: Running) -> None:
    silence = {
        "matchers": [{"name": "alertname", "value": "DriftUndecided", "isRegex": False}],
        "startsAt": datetime.now(UTC).isoformat(), "endsAt": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
        "createdBy": "night shift", "comment": "until the camera is clean",
    }  # fmt: skip
    request = urllib.request.Request(
        f"{stack.alertmanager.url}/api/v2/silences", json.dumps(silence).encode(), {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request).close()
    drift(stack)
    wait_until(lambda: b'"silencedBy":["' in ask(stack.alertmanager.url, "/api/v2/alerts"), "the silenced alert")


def drift(stack: Running) -> None:
    """Record a check that could not decide: its alert has no `for`."""
    with open_ledger(stack.folder / ".facemon") as ledger:
        for check in (Check.MODEL, Check.DATA):
            check_model(ledger, column("hair", Verdict.UNDECIDED, 0.3), at=datetime.now(UTC), check=check, model=MODEL)
    firing = 'ALERTS{alertname="DriftUndecided",alertstate="firing"}'
    wait_until(lambda: query(stack.prometheus.url, firing), "the alert")


def ask(url: str, path: str) -> bytes:
    with urllib.request.urlopen(f"{url}{path}") as answer:
        body: bytes = answer.read()
        return body


@dataclass(frozen=True, slots=True)
class Fault:
    """How a running stack is broken, and which finding must stand first in an area."""

    breaks: Callable[[Running], object]
    area: str
    what: str
    command: str
    is_first: bool = True
    """Whether it is the first of all; else the first of its area, as where an alert tells the same."""


AGAIN = "facemon render-config --only {} --force --reload"
"""The remedy where the rendered file was edited: without --force it is kept, and nothing is reloaded."""
FAULTS = {
    "the exporter is stopped": Fault(stop_the_exporter, "exporter", "does not answer", "facemon serve-metrics"),
    "Prometheus is stopped": Fault(stop_prometheus, "Prometheus", "does not answer", "start it"),
    "another port is scraped": Fault(
        scrape_another_port, "Prometheus", "scrapes other targets of the job exporter", AGAIN.format("prometheus")
    ),
    "a job has another name": Fault(
        scrape_under_another_name, "Prometheus", "no target of the job exporter", AGAIN.format("prometheus")
    ),
    "a metric is dropped": Fault(
        drop_a_metric, "metrics in Prometheus", "1 metric of the store not in Prometheus", AGAIN.format("prometheus")
    ),
    "an older limit is loaded": Fault(
        load_an_older_limit, "rules", "not as the configuration renders", AGAIN.format("prometheus")
    ),
    "no rule is loaded": Fault(load_no_rule, "rules", "has loaded no rule", AGAIN.format("prometheus")),
    "a rule is missing": Fault(load_fewer_rules, "rules", "1 rule not loaded", AGAIN.format("prometheus")),
    "the files are refused": Fault(refuse_its_files, "Prometheus", "rejected its files", "promtool check config"),
    "a rule fails": Fault(
        fail_a_rule, "rules", "cannot evaluate the rule SourceSilent", "facemon explain SourceSilent", is_first=False
    ),
    "no Alertmanager": Fault(send_to_no_alertmanager, "Alertmanager", "to no Alertmanager", AGAIN.format("prometheus")),
    "Alertmanager is stopped": Fault(stop_alertmanager, "Alertmanager", "does not answer", "start it"),
    "other routes are loaded": Fault(
        load_other_routes, "Alertmanager", "configuration is not the rendered one", AGAIN.format("alertmanager")
    ),
    "notifications fail": Fault(
        drift_and_refuse_notifications, "Alertmanager", "notifications failed", "facemon explain NotificationsFailing"
    ),
    "an alert is silenced": Fault(
        drift_and_silence, "Alertmanager", "DriftUndecided fires, and is silenced", "amtool silence", is_first=False
    ),
}


def test_nothing_is_wrong(facemon: RunFacemon, each_generation: Path, healthy: Path) -> None:
    with running(facemon, each_generation, healthy) as stack:
        found = stack.diagnosis()
        assert found["findings"] == []
        unseen = [each["area"] for each in found["areas"] if not each["ok"]]
        assert unseen == ["Grafana"]


@pytest.mark.parametrize("name", FAULTS)
def test_the_first_finding_is_the_cause(facemon: RunFacemon, servers: Path, healthy: Path, name: str) -> None:
    fault = FAULTS[name]
    with running(facemon, servers, healthy) as stack:
        fault.breaks(stack)
        findings = stack.diagnosis()["findings"]
    own = [each for each in findings if fault.is_first or each["area"] == fault.area]
    assert own[0]["area"] == fault.area, findings
    assert any(re.search(fault.what, each["what"]) for each in own), findings
    first = next(each for each in own if re.search(fault.what, each["what"]))
    assert first["command"].startswith(fault.command), first


def reason(found: dict[str, Any], name: str) -> str:
    """What is said of why an alert does not fire."""
    (area,) = [each for each in found["areas"] if each["area"] == "alerts"]
    parts: list[str] = area["looked_at"].split("; ")
    return next(part for part in parts if part.startswith(f"{name} "))


def test_why_alerts_do_not_fire(facemon: RunFacemon, servers: Path, healthy: Path) -> None:
    with running(facemon, servers, healthy) as stack:
        found = stack.diagnosis("--alert", "DriftDetected", "--alert", "LowModelAccuracy", "--alert", "HighLatency")
        assert re.search(
            r'drift_score\{job="exporter"\} is 0.* series\), and none is > 0\.2', reason(found, "DriftDetected")
        )
        findings = {each["what"]: each["evidence"] for each in found["findings"]}
        assert findings == {
            "LowModelAccuracy cannot fire: series are missing": "Prometheus has no series model_accuracy",
            "HighLatency cannot fire: it is not rendered": "it is disabled, or left out",
        }


def test_an_alert_that_asks_for_another_job(facemon: RunFacemon, servers: Path, healthy: Path) -> None:
    def rename(monitoring: Path) -> None:
        rewritten(monitoring / "prometheus" / "prometheus.yml", "job_name: exporter", "job_name: another")

    with running(facemon, servers, healthy, rename) as stack:
        findings = stack.diagnosis("--alert", "DriftDetected")["findings"]
    assert (findings[0]["area"], findings[0]["what"]) == ("Prometheus", "Prometheus has no target of the job exporter")
    (evidence,) = [each["evidence"] for each in findings if each["what"].startswith("DriftDetected")]
    assert re.fullmatch(r'drift_score has \d+ series, but none with job="exporter": job is another', evidence)


def test_an_exporter_of_another_store(facemon: RunFacemon, servers: Path, healthy: Path) -> None:
    with running(facemon, servers, healthy) as stack:
        (stack.folder / "facemon.yaml").write_text(
            (stack.folder / "facemon.yaml").read_text() + "store: {path: another}\n"
        )
        log_rows(stack.folder, ago=timedelta(hours=2), seed=5, rows=10)
        findings = stack.diagnosis()["findings"]
        assert ("exporter", "the exporter serves another store") in [(each["area"], each["what"]) for each in findings]


def test_what_is_not_known_is_not_fine(facemon: RunFacemon, servers: Path, healthy: Path) -> None:
    with running(facemon, servers, healthy) as stack:
        stop_the_exporter(stack)
        found = stack.diagnosis()
        areas = {each["area"]: each for each in found["areas"]}
        assert not areas["metrics in Prometheus"]["ok"]
        assert areas["metrics in Prometheus"]["not_looked_at"] == [
            "whether metrics arrive: no target of the job exporter is up"
        ]
        stop_prometheus(stack)
        areas = {each["area"]: each for each in stack.diagnosis()["areas"]}
        assert [name for name in ("Prometheus", "rules", "alerts", "Alertmanager") if areas[name]["ok"]] == []
        assert areas["rules"]["not_looked_at"] == [f"rules: {NO_ANSWER}"]


def test_another_server_in_its_place(facemon: RunFacemon, servers: Path, healthy: Path) -> None:
    with running(facemon, servers, healthy) as stack:
        exporter = re.search(r'exporter: \{listen: "(.*)"\}', (healthy / "facemon.yaml").read_text())
        assert exporter
        others = (stack.alertmanager.url, f"http://{exporter[1]}")
        for option, area in (
            ("--prometheus", "Prometheus"),
            ("--alertmanager", "Alertmanager"),
            ("--grafana", "Grafana"),
        ):
            for url in others if option != "--alertmanager" else (stack.prometheus.url, others[1]):
                findings = diagnosis(facemon, healthy, option, url)["findings"]
                assert [each["area"] for each in findings] == [area], (option, url, findings)


def test_firing_alerts_are_found(facemon: RunFacemon, servers: Path, healthy: Path) -> None:
    with running(facemon, servers, healthy) as stack:
        drift(stack)
        findings = stack.diagnosis("--alert", "DriftUndecided")["findings"]
        (found,) = [each for each in findings if each["area"] == "alerts" and "DriftUndecided" in each["what"]]
        assert (found["what"], found["severity"]) == ("the alert DriftUndecided fires", "warning")
        assert found["evidence"].startswith("check data, model small@1, since ")
