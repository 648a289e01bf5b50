"""`facemon explain` as its user runs it."""

import json
from pathlib import Path

from facemon.store.ledger.opening import open_ledger
from tests.conftest import RunFacemon
from tests.metrics.stores import DRIFT, check_model, column, logged_folder


def facts_of(text: str) -> dict[str, str]:
    """A plain table's rows: two cells, at least two spaces apart."""
    rows = [line.split("  ", 1) for line in text.split("\n\n", maxsplit=1)[0].splitlines()]
    return {row[0]: row[-1].strip() for row in rows}


def test_an_alert(facemon: RunFacemon, tmp_path: Path) -> None:
    (tmp_path / "facemon.yaml").write_text("alerts: {DriftDetected: {threshold: 0.3, for: 20m, severity: critical}}\n")
    outcome = facemon("explain", "DriftDetected", cwd=tmp_path)
    assert (outcome.returncode, outcome.stderr) == (0, "")
    facts = facts_of(outcome.stdout)
    assert (facts["state"], facts["severity"], facts["for"]) == ("rendered", "critical", "20m")
    assert 'drift_score{job="exporter"} > 0.3' in facts["query"]
    assert facts["runbook_url"] == "monitoring/runbooks/DriftDetected.md"
    page = facemon("render-config", "--stdout", "DriftDetected.md", cwd=tmp_path).stdout
    assert outcome.stdout.split("\n\n", 1)[1] in page


def test_an_alert_that_is_not_rendered(facemon: RunFacemon, tmp_path: Path) -> None:
    (tmp_path / "facemon.yaml").write_text("alerts: {Watchdog: {enabled: false}}\nprometheus: {jobs: [exporter]}\n")
    disabled = facts_of(facemon("explain", "Watchdog", cwd=tmp_path).stdout)
    assert disabled["state"] == "disabled: alerts.Watchdog.enabled is false"
    left_out = facts_of(facemon("explain", "HighErrorRate", cwd=tmp_path).stdout)
    assert left_out["state"] == "left out: prometheus.jobs has no api, which it watches"


def test_a_metric(facemon: RunFacemon, tmp_path: Path) -> None:
    facts = facts_of(facemon("explain", "drift_score", cwd=tmp_path).stdout)
    assert facts["type"] == "gauge"
    assert facts["labels"] == "attribute, check, model"
    assert "DriftDetected" in facts["alerts"].split(", ")
    assert facts["panel"].startswith("ML Model Metrics: ")


def test_json(facemon: RunFacemon, tmp_path: Path) -> None:
    alert = json.loads(facemon("explain", "TargetDown", "--format", "json", cwd=tmp_path).stdout)
    assert (alert["schema"], alert["kind"]) == ("facemon.explain/1", "alert")
    assert alert["query"].startswith("up{job=~")
    metric = json.loads(facemon("explain", "up", "--format", "json", cwd=tmp_path).stdout)
    assert (metric["kind"], metric["from"]) == ("metric", "Prometheus")


def test_a_source_of_the_log_and_what_the_last_check_said_of_it(facemon: RunFacemon, tmp_path: Path) -> None:
    logged_folder(tmp_path)
    with open_ledger(tmp_path / ".facemon") as ledger:
        check_model(ledger, column("gender", DRIFT, 0.25), sources={"hall": DRIFT, "gate 7": DRIFT})
    facts = facts_of(facemon("explain", "gate 7", cwd=tmp_path).stdout)
    assert facts["model check"] == "drift of faces@1 on 1 rows at 2026-11-23T02:00:00.000000Z"
    assert facts_of(facemon("explain", "hall", cwd=tmp_path).stdout)["model check"].startswith("silent of faces@1 on 0")
    assert facts["command"] == "facemon drift-check --source 'gate 7'"
    assert facts["alerts"] == "DriftUndecided, SourceDrift, SourceSilent"
    assert facemon("explain", "gate 8", cwd=tmp_path).returncode == 2


def test_names_and_calls(facemon: RunFacemon, tmp_path: Path) -> None:
    listed = {tuple(line.split()) for line in facemon("explain", cwd=tmp_path).stdout.splitlines()}
    assert {("alert", "DriftDetected"), ("metric", "drift_score"), ("column", "image_brightness")} <= listed
    facts = facts_of(facemon("explain", "rate(api_requests_total[5m])", cwd=tmp_path).stdout)
    assert facts["rate"].startswith("By how much a counter grows each second")
    assert facts["api_requests_total"].startswith("counter: Requests by endpoint")
    documents = [json.loads(facemon("explain", name, "--format", "json", cwd=tmp_path).stdout)
                 for name in ("gender", "store", "rate(up[5m])")]  # fmt: skip
    assert [each["kind"] for each in documents] == ["column", "source", "query"]
    assert {each["schema"] for each in documents} == {"facemon.explain/1"}
    assert documents[2]["faults"] == ["takes rate of up, which is not a counter"]
    refused = facemon("explain", "rate(api_requests_total[5m]", cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "is not PromQL" in refused.stderr


def test_an_unknown_name(facemon: RunFacemon, tmp_path: Path) -> None:
    outcome = facemon("explain", "drift_scor", cwd=tmp_path)
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert "error: explain drift_scor: no such alert, metric, column or source\n  hint: did you mean drift_score" in (
        outcome.stderr
    )
