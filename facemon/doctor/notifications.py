"""Notifications that failed lately: Alertmanager counts them since its start, and Prometheus knows an older count."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from facemon.doctor.ages import age_text
from facemon.doctor.alertmanager_facts import FAILED, SENT, AlertmanagerFacts, Count
from facemon.doctor.answers import NoAnswerError
from facemon.doctor.finding import Finding, Severity

if TYPE_CHECKING:
    from facemon.config.document import Config

_LATELY = timedelta(hours=1)
_CLOCK_STEPS_S = 10
"""The start of a process is worked out from the clock of its machine, which may have been set since."""
_NONE = Count(0, 0)


def recent_window(config: "Config") -> timedelta:
    """How far back a failure counts as recent: at least an hour, and two attempts to notify of any group of alerts."""
    from facemon.render.failure_alerts import longest_flush

    minutes = -(-2 * longest_flush(config) // timedelta(minutes=1))
    return max(_LATELY, timedelta(minutes=minutes))


def earlier_counts(prometheus: str, started: datetime | None, window: timedelta) -> Mapping[str, Count] | None:
    """Return what an Alertmanager had counted when the window began; None where this Prometheus does not know it.

    The process is found by its start: Prometheus may reach it by another address, and a new process counts from 0.
    """
    from facemon.config.durations import format_duration
    from facemon.doctor.prometheus_facts import value_of
    from facemon.render.expression import equals

    if started is None:
        return None
    then = f"offset {format_duration(window)}"
    age = f"abs(process_start_time_seconds {then} - {started.timestamp()}) < {_CLOCK_STEPS_S}"
    try:
        found = value_of(prometheus, f"({age}) and on (job, instance) alertmanager_build_info {then}")
        if not found:
            return None
        labels = min(found, key=lambda each: each.value).labels
        matchers = ", ".join(equals(name, labels.get(name, "")).text for name in ("job", "instance"))
        sent, failed = (
            {
                each.labels.get("integration", ""): each.value
                for each in value_of(prometheus, f"sum by (integration) ({name}{{{matchers}}} {then})")
            }
            for name in (SENT, FAILED)
        )
    except NoAnswerError:
        return None
    # Without any the metric is dropped, or has another name; 0 is a sample too.
    return {name: Count(number, failed.get(name, 0)) for name, number in sent.items()} or None


@dataclass(frozen=True, slots=True)
class Failures:
    """Which notifications of an Alertmanager failed, and whether within a window that ends now."""

    found: AlertmanagerFacts
    earlier: Mapping[str, Count] | None
    """What it had counted when the window began; None where that is not known."""
    now: datetime
    window: timedelta

    @property
    def recent(self) -> Mapping[str, Count] | None:
        """What it counted within the window; None where that is not known."""
        started, counts, earlier = self.found.started, self.found.notifications, self.earlier
        if started is None:
            return None
        if self.now - started < self.window:
            return counts
        if earlier is None:
            return None
        before = {name: earlier.get(name, _NONE) for name in counts}
        return {
            name: Count(count.sent - before[name].sent, count.failed - before[name].failed)
            for name, count in counts.items()
        }

    def findings(self) -> Iterator[Finding]:
        """Report what failed within the window, and integrations that have not sent anything since the start."""
        recent = self.recent or {}
        for integration, count in sorted(self.found.notifications.items()):
            lately = recent.get(integration, _NONE)
            if count.failed and count.failed >= count.sent:
                yield self._failed(integration, count, "since it was started")
            elif lately.failed > 0:
                yield self._failed(integration, lately, self._within)

    def unknown(self) -> Iterator[str]:
        """Name the integrations that have failed since the start, where it is not known when."""
        started = self.found.started
        began = "" if started is None else f", {age_text(self.now - started)}"
        for integration, count in self._partly_failed():
            if self.recent is None:
                yield (
                    f"whether notifications by {integration} fail now: {self.found.url} counts {count.failed:.0f} of "
                    f"{count.sent:.0f} as failed since it was started{began}; give --prometheus URL of a Prometheus "
                    f"that has scraped it {self._within}"
                )

    def past(self) -> Iterator[str]:
        """Name the integrations that have failed since the start, and not within the window."""
        for integration, count in self._partly_failed():
            if self.recent is not None and self.recent[integration].failed <= 0:
                yield (
                    f"{count.failed:.0f} of {count.sent:.0f} notifications by {integration} failed since "
                    f"{self.found.url} was started, none {self._within}"
                )

    def _partly_failed(self) -> Iterator[tuple[str, Count]]:
        counts = sorted(self.found.notifications.items())
        return ((integration, count) for integration, count in counts if 0 < count.failed < count.sent)

    def _failed(self, integration: str, count: Count, since: str) -> Finding:
        seen = f"{self.found.url}: {count.failed:.0f} of {count.sent:.0f} by {integration} {since}; its log says why"
        severity = Severity.ERROR if count.failed >= count.sent else Severity.WARNING
        return Finding("notifications failed", seen, "facemon explain NotificationsFailing", severity)

    @property
    def _within(self) -> str:
        from facemon.config.durations import format_duration

        return f"within {format_duration(self.window)}"
