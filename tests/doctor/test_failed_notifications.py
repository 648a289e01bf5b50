"""A notification that failed is a finding while it is recent; Alertmanager itself counts it until it is restarted."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from facemon.doctor.alertmanager import AlertmanagerEvidence, judge
from facemon.doctor.alertmanager_facts import AlertmanagerFacts, Count, alertmanager_facts
from facemon.doctor.finding import Examined, Severity
from facemon.doctor.notifications import Failures, earlier_counts, recent_window
from tests.patience import wait_until
from tests.render.configurations import config_of
from tests.servers import WebhookReceiver, free_port, post_alerts, run_alertmanager, run_prometheus

NOW = datetime(2026, 11, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
LONG_AGO = NOW - timedelta(days=21)


def examined(
    count: tuple[float, float], earlier: tuple[float, float] | None, started: datetime | None = LONG_AGO
) -> Examined:
    found = AlertmanagerFacts("http://am", "0.27.0", {}, (), (), {"email": Count(*count)}, True, started)
    known: Mapping[str, Mapping[str, Count]] = {} if earlier is None else {"http://am": {"email": Count(*earlier)}}
    return judge(AlertmanagerEvidence({}, "0.25", True, True, True, True, None, NOW, [found], earlier=known))


def test_an_old_failure_is_a_note() -> None:
    seen = examined((1000, 12), (990, 12))
    assert (seen.findings, seen.not_looked_at) == ((), ())
    assert "12 of 1000 notifications by email failed since http://am was started, none within 1h" in seen.facts


@pytest.mark.parametrize(
    ("count", "earlier", "started", "severity", "told"),
    [
        ((1000, 12), (990, 10), LONG_AGO, Severity.WARNING, "2 of 10 by email within 1h"),
        ((1000, 12), (998, 10), LONG_AGO, Severity.ERROR, "2 of 2 by email within 1h"),
        ((20, 12), None, NOW - HOUR / 2, Severity.WARNING, "12 of 20 by email within 1h"),
        # No notification has arrived since, so that the failure is not over as far as can be known.
        ((5, 5), (5, 5), LONG_AGO, Severity.ERROR, "5 of 5 by email since it was started"),
        ((5, 5), None, None, Severity.ERROR, "5 of 5 by email since it was started"),
    ],
)
def test_a_recent_failure_is_a_finding(
    count: tuple[float, float],
    earlier: tuple[float, float] | None,
    started: datetime | None,
    severity: Severity,
    told: str,
) -> None:
    seen = examined(count, earlier, started)
    (finding,) = seen.findings
    assert (finding.what, finding.severity, seen.not_looked_at) == ("notifications failed", severity, ())
    assert finding.evidence.startswith(f"http://am: {told}")


@pytest.mark.parametrize("started", [LONG_AGO, None])
def test_a_failure_of_which_it_is_not_known_when_is_not_fine(started: datetime | None) -> None:
    seen = examined((1000, 12), None, started)
    (line,) = seen.not_looked_at
    assert not seen.findings
    assert line.startswith("whether notifications by email fail now: http://am counts 12 of 1000 as failed")
    assert "give --prometheus URL" in line
    assert not any("none within" in fact for fact in seen.facts)


def test_without_failures_nothing_is_said() -> None:
    for earlier in ((990, 0), None):
        seen = examined((1000, 0), earlier)
        assert (seen.findings, seen.not_looked_at) == ((), ())


def test_the_window_holds_two_attempts_to_notify() -> None:
    assert recent_window(config_of("")) == HOUR
    rare = "alertmanager: {receivers: [{name: r, webhook: [{url: 'http://h:1/x'}]}], group_interval: 6h}"
    assert recent_window(config_of(rare)) == 12 * HOUR


ROUTES = """\
route: {{receiver: hook, group_by: [alertname], group_wait: 100ms, group_interval: 1s}}
receivers: [{{name: hook, webhook_configs: [{{url: "{url}"}}]}}]
"""
SCRAPES = """\
global: {{scrape_interval: 100ms}}
scrape_configs:
- job_name: mail
  static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


@pytest.mark.servers
def test_prometheus_knows_that_a_failure_is_over(servers: Path, tmp_path: Path) -> None:
    """The window is short, and all is waited for: first the failure is recent, and one window later it is past."""
    window, port = timedelta(seconds=5), free_port()

    def failures(url: str, prometheus: str) -> Failures:
        found = alertmanager_facts(url)
        assert found.started is not None
        return Failures(found, earlier_counts(prometheus, found.started, window), datetime.now(UTC), window)

    with WebhookReceiver() as receiver:
        (tmp_path / "routes.yml").write_text(ROUTES.format(url=receiver.url))
        (tmp_path / "scrapes.yml").write_text(SCRAPES.format(port=port))
        with (
            run_alertmanager(servers, tmp_path / "routes.yml", tmp_path / "am", port=port) as alertmanager,
            run_prometheus(servers, tmp_path / "scrapes.yml", tmp_path / "prometheus") as prometheus,
        ):
            receiver.answers = 400
            post_alerts(alertmanager.url, {"labels": {"alertname": "Refused"}})
            wait_until(lambda: list(failures(alertmanager.url, prometheus.url).findings()), "a failure")
            receiver.answers = 200
            wait_until(lambda: list(failures(alertmanager.url, prometheus.url).past()), "the failure to be over")
            seen = failures(alertmanager.url, prometheus.url)
            assert not list(seen.findings())
            assert not list(seen.unknown())
            # One that was started again counts from 0: what Prometheus knows of the one before is not its past.
            other = earlier_counts(prometheus.url, (seen.found.started or NOW) - HOUR, window)
            assert other is None
