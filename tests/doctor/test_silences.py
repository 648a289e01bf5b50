"""A silence that keeps all of an alert back is found while the alert is quiet; one on a single source is not."""

import pytest

from facemon.doctor.alertmanager_facts import AlertmanagerFacts, HeldAlert, Matcher, Silence
from facemon.doctor.silences import silence_findings

LABELS = {
    "DriftDetected": {"alertname": "DriftDetected", "severity": "warning"},
    "SourceDrift": {"alertname": "SourceDrift", "severity": "warning"},
    "TargetDown": {"alertname": "TargetDown", "severity": "critical"},
}
ALL, ONE = "a silence keeps every alert from being told", "a silence keeps 1 alert from being told: TargetDown"
TWO = "a silence keeps 2 alerts from being told: DriftDetected, SourceDrift"


def matcher(label: str, value: str, *, is_regex: bool = False, is_equal: bool = True) -> Matcher:
    return Matcher(label, value, is_regex, is_equal)


def found(*matchers: Matcher, firing: str = "") -> list[str]:
    silence = Silence("s", "ops", "2026-11-30T10:00:00Z", "rack", matchers)
    alerts = (HeldAlert({"alertname": firing}, ("s",), is_inhibited=False),) if firing else ()
    facts = AlertmanagerFacts("http://am", "0.27.0", {}, alerts, (silence,), {}, took_its_files=True)
    return [f"{each.severity}: {each.what}" for each in silence_findings(facts, LABELS)]


@pytest.mark.parametrize(
    ("matchers", "what"),
    [
        ([matcher("alertname", ".+", is_regex=True)], f"error: {ALL}"),
        ([matcher("severity", "critical")], f"warning: {ONE}"),
        ([matcher("severity", "critical", is_equal=False)], f"warning: {TWO}"),
        ([matcher("alertname", ".*Drift.*", is_regex=True)], f"warning: {TWO}"),
        ([matcher("alertname", "Target.*", is_regex=True, is_equal=False)], f"warning: {TWO}"),
        ([matcher("alertname", "Drift", is_regex=True)], None),
        ([matcher("alertname", "SourceDrift"), matcher("source", "door")], None),
        ([matcher("alertname", r"\pN", is_regex=True)], None),
    ],
)
def test_what_a_silence_keeps_back(matchers: list[Matcher], what: str | None) -> None:
    assert found(*matchers) == ([] if what is None else [what])


def test_what_fires_and_is_silenced() -> None:
    """Whatever the silence asks for, and once for each silence."""
    assert found(matcher("source", "door"), firing="SourceDrift") == ["warning: SourceDrift fires, and is silenced"]
    assert found(matcher("alertname", ".+", is_regex=True), firing="SourceDrift") == [f"error: {ALL}"]
