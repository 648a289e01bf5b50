"""The command that a notification names: what to run first when an alert fires."""

from collections.abc import Mapping

NEXT_COMMANDS: Mapping[str, str] = {
    "DriftDetected": "facemon drift-check --by source --no-record",
    "DriftVerdict": "facemon drift-check --history",
    "SourceDrift": "facemon drift-check --by source --no-record",
    "SourceSilent": "facemon drift-check --by source --since 1h --no-record",
    "DriftUndecided": "facemon drift-check --no-record",
    "DriftCheckStale": "facemon drift-check",
    "ReferenceStale": "facemon reference show",
    "LowModelAccuracy": "facemon drift-check --by source --no-record",
    "MetricsAbsent": "facemon export-metrics -o -",
    "SourceUnreadable": "facemon store verify",
    "ReloadFailed": "facemon render-config --check --verify",
    "RulesFailing": "facemon render-config --check --verify",
}
"""By alert. No label of an alert is in them: the sender of an image chooses such names, and users paste commands."""


def next_command(alert: str) -> str:
    """The command of an alert; without one of its own, the one that explains the alert and prints its runbook."""
    return NEXT_COMMANDS.get(alert, f"facemon explain {alert}")
