"""What facemon's own alerts are unless the configuration changes them: limits, severities, how long they must hold."""

from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

from facemon.config.quantities import Severity

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_AT_ONCE = timedelta(0)


class AlertDefaults(NamedTuple):
    """An alert's severity, the time for which its condition must hold, and its threshold as a number or as an age.

    None = not known here: the alert has no threshold, or another key of the configuration says it.
    """

    severity: Severity
    held: timedelta | None = _AT_ONCE
    limit: float | None = None
    oldest: timedelta | None = None

    @property
    def for_(self) -> timedelta:
        """How long the condition must hold; ValueError where another key says that."""
        if self.held is None:
            raise ValueError("how long this alert must hold follows from another key of the configuration")
        return self.held


DEFAULT_ALERTS: Mapping[str, AlertDefaults] = {
    "HighLatency": AlertDefaults("warning", 5 * _MINUTE, limit=0.5),  # seconds
    "HighErrorRate": AlertDefaults("critical", 5 * _MINUTE, limit=0.05),
    "ModelNotLoaded": AlertDefaults("critical", _MINUTE),
    "DriftDetected": AlertDefaults("warning", 10 * _MINUTE, limit=0.2),
    "LowModelAccuracy": AlertDefaults("warning", 15 * _MINUTE, limit=0.7),
    "DriftVerdict": AlertDefaults("info", None),  # as DriftDetected
    "DriftUndecided": AlertDefaults("warning"),
    "SourceDrift": AlertDefaults("warning", None),  # as DriftDetected
    "SourceSilent": AlertDefaults("warning"),
    # A check that runs daily, and two hours for it.
    "DriftCheckStale": AlertDefaults("warning", oldest=26 * _HOUR),
    "ReferenceStale": AlertDefaults("warning", oldest=90 * _DAY),
    "AccuracyStale": AlertDefaults("warning"),  # older than drift.accuracy_window
    # Exports are hourly, and two may be lost.
    "ExportStale": AlertDefaults("warning", oldest=3 * _HOUR),
    "TextfileStale": AlertDefaults("warning"),  # older than ExportStale says
    "PushStale": AlertDefaults("warning"),  # older than ExportStale says
    "TargetDown": AlertDefaults("critical", 2 * _MINUTE),
    "MetricsAbsent": AlertDefaults("critical", 15 * _MINUTE),
    "SourceUnreadable": AlertDefaults("critical", 5 * _MINUTE),
    "ServiceDown": AlertDefaults("warning", 5 * _MINUTE),
    "TextfileScrapeError": AlertDefaults("warning", 5 * _MINUTE),
    "ReloadFailed": AlertDefaults("critical", 5 * _MINUTE),
    "RulesFailing": AlertDefaults("critical", 5 * _MINUTE),
    "NotificationsFailing": AlertDefaults("critical", None),  # two flushes of Alertmanager
    "AlertmanagerReloadFailed": AlertDefaults("critical", 5 * _MINUTE),
    "RemoteWriteBehind": AlertDefaults("warning", 10 * _MINUTE, oldest=2 * _MINUTE),
    "DiskFilling": AlertDefaults("warning", 15 * _MINUTE, limit=0.1),
    "Watchdog": AlertDefaults("none"),
}
