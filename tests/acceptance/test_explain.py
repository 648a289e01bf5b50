"""`facemon explain` as its user runs it."""

import json
from pathlib import Path

from tests.conftest import RunFacemon


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
    assert "drift_score > 0.3" in facts["query"]
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
    assert (alert["schema"], alert["kind"], alert["query"]) == ("facemon.explain/1", "alert", "up == 0")
    metric = json.loads(facemon("explain", "up", "--format", "json", cwd=tmp_path).stdout)
    assert (metric["kind"], metric["from"]) == ("metric", "Prometheus")


def test_an_unknown_name(facemon: RunFacemon, tmp_path: Path) -> None:
    outcome = facemon("explain", "drift_scor", cwd=tmp_path)
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert "error: explain drift_scor: there is no such alert and no such metric\n  hint: did you mean drift_score" in (
        outcome.stderr
    )
