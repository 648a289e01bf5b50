"""Drift of the nightly check fires and goes on firing, whatever anybody looks at meanwhile: real servers."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from facemon import Monitor
from facemon.store.layout import LEDGER_NAME
from tests.acceptance.rendered_servers import rendered_servers
from tests.conftest import RunFacemon
from tests.servers import (
    Server,
    WebhookReceiver,
    query,
    wait_for_query,
)

pytestmark = [pytest.mark.servers, pytest.mark.slow]

ROWS = 1500
CONFIGURATION = """\
version: 1
model: {{bundle: age-gender}}
drift: {{on_drift: [sh, -c, "cat >/dev/null; echo x >> retrained"]}}
prometheus:
  scrape_interval: 1s
  jobs: [exporter]
  targets: {{exporter: ["127.0.0.1:{exporter}"]}}
  alertmanagers: ["{alertmanager}"]
alerts:
  DriftDetected: {{for: 1s}}
alertmanager:
  receivers: [{{name: operators, webhook: [{{url: "{webhook}"}}]}}]
  group_wait: 0s
  group_interval: 1s
"""
LOOKS = {
    "two tables": "--check data --reference calm.csv --current calm.csv",
    "tables with attributes": "--check model --reference calm.csv --current calm.csv",
    "an old window": "--check model --since {quiet} --until {quiet_end}",
    "another threshold": "--check model --model-threshold 0.9",
    "more rows wanted": "--check model --min-rows 100000",
    "one source": "--check model --source gate-1",
    "another model": "--check model --model other@1 --reference normal",
    "another reference": "--check model --reference ./calm.csv",
    "explained": "--explain gender",
    "explained anew": "--explain gender --now",
    "Evidently": "--check evidently --reference calm.csv --current calm.csv",
    "told not to": "--check model --no-record",
    "history": "--history",
}
"""What people ask beside the nightly check, as words of the command line."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a quiet day, one that became the reference, and a last day on which gender drifts."""
    folder = tmp_path_factory.mktemp("looks")
    (folder / "facemon.yaml").write_text("version: 1\nmodel: {bundle: age-gender}\n")
    now, rng = datetime.now(UTC), np.random.default_rng(0)

    def rows(days_ago: float, men: float) -> list[dict[str, object]]:
        return [
            {
                "image": f"{days_ago}/{number}",
                "gender": "male" if is_man else "female",
                "gender_confidence": 0.9,
                "source": f"gate-{number % 12}",
                "observed_at": now - timedelta(days=days_ago, seconds=float(number)),
            }
            for number, is_man in enumerate(rng.random(ROWS) < men)
        ]

    monitor = Monitor(folder / "facemon.yaml")
    for days_ago, men in ((9.0, 0.5), (5.0, 0.5), (0.1, 0.85)):
        monitor.log(rows(days_ago, men))
    (folder / "calm.csv").write_text("gender,width\n" + "male,1\nfemale,2\n" * 300)
    return folder


def samples_of_drift(prometheus: Server) -> dict[str, float]:
    """Every series that a check of record writes, as Prometheus has it now."""
    names = '{__name__=~"(confidence_)?drift_.+|facemon_last_.+", command!="reference"}'
    return {json.dumps(labels, sort_keys=True): value for labels, value in query(prometheus.url, names)}


def firing(prometheus: Server) -> dict[str, float]:
    """The alerts that fire, and since when they are active: one that ended meanwhile is active since later."""
    promql = 'ALERTS_FOR_STATE{attribute="gender"} and ignoring (alertstate) ALERTS{alertstate="firing"}'
    return {labels["alertname"]: value for labels, value in query(prometheus.url, promql)}


def ledger_of(folder: Path) -> list[str]:
    """The whole ledger as SQL."""
    with closing(sqlite3.connect(f"file:{folder / '.facemon' / LEDGER_NAME}?mode=ro", uri=True)) as connection:
        return list(connection.iterdump())


def resolved(receiver: WebhookReceiver) -> list[str]:
    return [
        alert["labels"]["alertname"]
        for body in receiver.bodies
        for alert in body["alerts"]
        if alert["status"] == "resolved" and alert["labels"].get("attribute") == "gender"
    ]


def test_no_look_changes_a_sample_or_ends_an_alert(
    facemon_with_evidently: RunFacemon, newer_servers: Path, folder: Path
) -> None:
    facemon = facemon_with_evidently
    since, until = reference_window()
    made = facemon("reference", "set", "--since", since, "--until", until, "--name", "normal", cwd=folder)
    assert made.returncode == 0, made.stderr
    with WebhookReceiver() as receiver:
        urls = {"webhook": receiver.url}
        with rendered_servers(facemon, newer_servers, folder, CONFIGURATION, urls) as prometheus:
            nightly = facemon("-q", "drift-check", "--check", "model", cwd=folder)
            assert nightly.returncode == 3, nightly.stdout + nightly.stderr
            wait_for_query(prometheus.url, 'drift_detected{attribute="gender", check="model"} == 1')
            receiver.wait_for(lambda body: told_of(body, "DriftDetected"))
            before = firing(prometheus)
            assert before.keys() == {"DriftDetected"}, "what it covers is not a DriftVerdict too"
            everybody_looks(facemon, folder, prometheus)
            assert firing(prometheus) == before
            assert resolved(receiver) == []
    assert (folder / "retrained").read_text() == "x\n", "the hook heard of the check of record alone"


def told_of(body: dict[str, object], alert: str) -> bool:
    alerts: list[dict[str, object]] = body["alerts"]  # type: ignore[assignment]
    return any(
        each["status"] == "firing" and each["labels"].get("alertname") == alert  # type: ignore[attr-defined]
        for each in alerts
    )


def reference_window() -> tuple[str, str]:
    """The quiet day before the last one."""
    now = datetime.now(UTC)
    since, until = (f"{now - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}" for days in (5.5, 4.5))
    return since, until


def everybody_looks(facemon: RunFacemon, folder: Path, prometheus: Server) -> None:
    before, ledger = samples_of_drift(prometheus), ledger_of(folder)
    assert len(before) > 5
    now = datetime.now(UTC)
    quiet, quiet_end = (f"{now - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}" for days in (9.5, 8.5))
    for look, words in LOOKS.items():
        arguments = words.format(quiet=quiet, quiet_end=quiet_end).split()
        outcome = facemon("drift-check", *arguments, cwd=folder)
        assert outcome.returncode in (0, 2, 3, 4), (look, outcome.stderr)
        assert "unexpectedly" not in outcome.stderr, (look, outcome.stderr)
        assert ledger_of(folder) == ledger, look
    Monitor(folder / "facemon.yaml").check([{"gender": "male"}, {"gender": "female"}] * 300)
    assert ledger_of(folder) == ledger
    # Two whole scrapes later Prometheus has what it would have.
    (last,) = query(prometheus.url, 'timestamp(up{job="exporter"})')
    wait_for_query(prometheus.url, f'timestamp(up{{job="exporter"}}) > {last[1] + 2}')
    assert samples_of_drift(prometheus) == before
