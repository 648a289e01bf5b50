"""Alertmanager: Prometheus reaches it, it has the rendered configuration, and what it sends arrives."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from facemon.doctor.answers import NoAnswerError
from facemon.doctor.area import Area
from facemon.doctor.examination import Examination
from facemon.doctor.finding import Examined, Finding, Severity
from facemon.doctor.loaded_configuration import differences
from facemon.doctor.notifications import Failures, earlier_counts, recent_window
from facemon.doctor.server_versions import is_older
from facemon.doctor.silences import author, labels_of_rules, silence_findings
from facemon.domain.counted import counted
from facemon.domain.times import parse_time

if TYPE_CHECKING:
    from facemon.doctor.alertmanager_facts import AlertmanagerFacts, Count

_RELOAD = "facemon render-config --reload"
_PATH = "/api/v2/alerts"
_MOST_NAMED = 3
_ARRIVES_WITHIN = timedelta(minutes=2)
"""Prometheus sends an alert again every minute."""


@dataclass(frozen=True, slots=True)
class AlertmanagerEvidence:
    """What the configuration wants, and what each Alertmanager says."""

    rendered: Any
    target_version: str
    has_receivers: bool
    is_wanted: bool
    """Whether Prometheus is to send to any."""
    is_known: bool
    """Whether one was named, by the user or by a Prometheus that was asked."""
    is_sent_to: bool | None
    """Whether Prometheus sends to any; None where it was not asked."""
    firing_since: datetime | None
    """Since when Prometheus has an alert that fires; None where it has none, or was not asked."""
    now: datetime
    found: "Sequence[AlertmanagerFacts]" = ()
    troubles: Sequence[tuple[str, NoAnswerError]] = ()
    """The addresses that did not answer."""
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The labels that each rendered alert always has, by its name."""
    window: timedelta = timedelta(hours=1)
    """How far back a notification that failed is recent."""
    earlier: "Mapping[str, Mapping[str, Count]]" = field(default_factory=dict)
    """What each had counted when the window began, by its address; only of those that Prometheus knows it of."""

    def failures(self, found: "AlertmanagerFacts") -> Failures:
        """Return which notifications of one failed."""
        return Failures(found, self.earlier.get(found.url), self.now, self.window)


def gather(examination: Examination) -> AlertmanagerEvidence:
    """Ask the one that the user named, or those that Prometheus sends to."""
    from facemon.doctor.alertmanager_facts import alertmanager_facts
    from facemon.render.alertmanager_config import alertmanager_config

    config, prometheus, given = examination.fitted, examination.prometheus, examination.servers.alertmanager
    urls = [given] if given else [url.removesuffix(_PATH) for url in (prometheus.alertmanagers if prometheus else ())]
    found, troubles = [], []
    for url in urls:
        try:
            found.append(alertmanager_facts(url))
        except NoAnswerError as error:
            troubles.append((url, error))
    active = [alert for rule in (prometheus.rules if prometheus else ()) for alert in rule.alerts]
    since = min((parse_time(alert.since[:19]) for alert in active if alert.state == "firing"), default=None)
    settings, window = config.alertmanager, recent_window(config)
    return AlertmanagerEvidence(
        alertmanager_config(config),
        settings.target_version,
        bool(settings.receivers),
        config.prometheus.alertmanagers != (),
        given is not None or prometheus is not None,
        None if prometheus is None else bool(prometheus.alertmanagers),
        since,
        examination.now,
        found,
        troubles,
        labels_of_rules(config),
        window,
        {} if prometheus is None else _earlier(prometheus.url, found, window),
    )


def _earlier(
    prometheus: str, found: "Sequence[AlertmanagerFacts]", window: timedelta
) -> "Mapping[str, Mapping[str, Count]]":
    counts = ((each.url, earlier_counts(prometheus, each.started, window)) for each in found)
    return {url: count for url, count in counts if count is not None}


def judge(facts: AlertmanagerEvidence) -> Examined:
    """Say why no notification is sent."""
    if not facts.is_known:
        how = "give --alertmanager URL, or --prometheus URL where that names it"
        return Examined(not_looked_at=(f"Alertmanager: {how}",))
    if not facts.found and not facts.troubles and not facts.is_wanted:
        return Examined("none: prometheus.alertmanagers is empty")
    unknown = [url for url, error in facts.troubles if error.is_unknown_host]
    not_looked = tuple(
        f"Alertmanager at {url}: this machine does not know it; give --alertmanager URL" for url in unknown
    )
    not_known = (line for each in facts.found for line in facts.failures(each).unknown())
    looked_at = "; ".join(map(_told, facts.found))
    return Examined(looked_at, tuple(_findings(facts)), (*not_looked, *not_known), tuple(_facts(facts)))


def _told(found: "AlertmanagerFacts") -> str:
    sent, failed = (sum(pair[place] for pair in found.notifications.values()) for place in (0, 1))
    inhibited = sum(each.is_inhibited for each in found.alerts)
    return (
        f"{found.url}, version {found.version}: {counted(len(found.alerts), 'alert')}, {inhibited} inhibited, "
        f"{counted(len(found.silences), 'active silence')}, {sent - failed:.0f} of {sent:.0f} notifications sent since "
        "its start"
    )


def _findings(facts: AlertmanagerEvidence) -> Iterator[Finding]:
    for _, error in facts.troubles:
        if not error.is_unknown_host:
            yield Finding("Alertmanager does not answer", error.message, error.hint or "start it")
    if facts.is_sent_to is False and facts.is_wanted:
        seen = "it has no active one, and prometheus.alertmanagers is to name one"
        yield Finding("Prometheus sends its alerts to no Alertmanager", seen, _RELOAD)
    for found in facts.found:
        yield from _of_one(facts, found)
    if not facts.has_receivers:
        what, command = "no receiver is configured: no notification is sent", "name one under alertmanager.receivers"
        yield Finding(what, "alertmanager.receivers is empty", command, Severity.WARNING)


def _of_one(facts: AlertmanagerEvidence, found: "AlertmanagerFacts") -> Iterator[Finding]:
    if found.took_its_files is False:
        seen = f"{found.url}: alertmanager_config_last_reload_successful is 0"
        check = "amtool check-config monitoring/alertmanager/alertmanager.yml"
        yield Finding("Alertmanager rejected its file and keeps using the previous one", seen, check)
    if places := list(differences(facts.rendered, found.configuration)):
        more = f" and {len(places) - _MOST_NAMED} more" if len(places) > _MOST_NAMED else ""
        what = "Alertmanager's configuration is not the rendered one"
        yield Finding(what, f"{found.url}: {', '.join(places[:_MOST_NAMED])}{more}", _RELOAD, part="alertmanager")
    yield from facts.failures(found).findings()
    since = facts.firing_since
    if since is not None and not found.alerts and facts.now - since > _ARRIVES_WITHIN:
        seen = f"{found.url} has none, and one fires since {since:%Y-%m-%d %H:%M} UTC"
        yield Finding("alerts that fire in Prometheus do not reach Alertmanager", seen, _RELOAD)
    yield from silence_findings(found, facts.labels)
    if is_older(found.version, facts.target_version):
        seen = f"it is {found.version}, and alertmanager.target_version is {facts.target_version}"
        what = "Alertmanager is older than the file is written for"
        yield Finding(what, seen, "lower alertmanager.target_version, or update it", Severity.WARNING)


def _facts(facts: AlertmanagerEvidence) -> Iterator[str]:
    for found in facts.found:
        for each in found.silences:
            yield f"silence {each.id}, {author(each, each.id)}"
        for alert in found.alerts:
            if alert.is_inhibited:
                yield f"{alert.labels.get('alertname', '')} is inhibited by another alert"
        yield from facts.failures(found).past()
        receivers = [str(each.get("name")) for each in found.configuration.get("receivers") or []]
        yield f"receivers: {', '.join(receivers)}"


AREA = Area("Alertmanager", gather, judge)
