"""What an Alertmanager says of itself: its configuration, alerts, silences and notifications."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from facemon.doctor.answers import NoAnswerError, ask, ask_json, mapping

if TYPE_CHECKING:
    from facemon.metrics.read_exposition import ReadSample

SENT, FAILED = "alertmanager_notifications_total", "alertmanager_notifications_failed_total"
_STARTED = "process_start_time_seconds"
_RELOADED = "alertmanager_config_last_reload_successful"


class Count(NamedTuple):
    """Notifications by one integration."""

    sent: float
    """Those that failed included."""
    failed: float


@dataclass(frozen=True, slots=True)
class HeldAlert:
    """An alert that it has, and what keeps it from being told."""

    labels: Mapping[str, str]
    silenced_by: tuple[str, ...]
    is_inhibited: bool


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition of a silence on one label."""

    label: str
    value: str
    is_regex: bool
    is_equal: bool
    """Whether the label is to have the value, or to have another one."""


@dataclass(frozen=True, slots=True)
class Silence:
    """An active silence."""

    id: str
    by: str
    until: str
    comment: str
    matchers: tuple[Matcher, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertmanagerFacts:
    """One Alertmanager."""

    url: str
    version: str
    configuration: Mapping[str, Any]
    """As it was loaded, with defaults, read from YAML."""
    alerts: tuple[HeldAlert, ...]
    silences: tuple[Silence, ...]
    notifications: Mapping[str, Count]
    """Since it was started, by integration."""
    took_its_files: bool | None
    """Whether it took its configuration when it last read it; None where it does not tell."""
    started: datetime | None = None
    """None where it does not tell."""


def alertmanager_facts(url: str) -> AlertmanagerFacts:
    """Ask one; NoAnswerError where it does not answer, or is not an Alertmanager."""
    from facemon.config.yaml_source import read_yaml

    status, alerts, silences = (ask_json(f"{url}/api/v2/{name}") for name in ("status", "alerts", "silences"))
    metrics = _own_metrics(url)
    try:
        return AlertmanagerFacts(
            url,
            str(status["versionInfo"]["version"]),
            mapping(read_yaml(status["config"]["original"]).value),
            tuple(_alert(each) for each in alerts),
            tuple(_silence(each) for each in silences if each["status"]["state"] == "active"),
            _notifications(metrics),
            next((each.value == 1 for each in metrics if each.name == _RELOADED), None),
            next((_time(each.value) for each in metrics if each.name == _STARTED), None),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise NoAnswerError(
            f"{url} does not answer as Alertmanager does", "give the address of Alertmanager: --alertmanager URL"
        ) from None


def _alert(found: Any) -> HeldAlert:
    status = found["status"]
    return HeldAlert(mapping(found["labels"]), tuple(map(str, status["silencedBy"])), bool(status["inhibitedBy"]))


def _silence(found: Any) -> Silence:
    matchers = tuple(
        Matcher(str(each["name"]), str(each["value"]), bool(each["isRegex"]), bool(each.get("isEqual", True)))
        for each in found["matchers"]
    )
    ends, by, comment = str(found["endsAt"]), found.get("createdBy", ""), found.get("comment", "")
    return Silence(str(found["id"]), by, ends, comment, matchers)


def _own_metrics(url: str) -> "tuple[ReadSample, ...]":
    from facemon.metrics.read_exposition import read_exposition

    try:
        return read_exposition(ask(f"{url}/metrics").decode("utf-8", "replace"))
    except (NoAnswerError, ValueError):
        return ()


def _notifications(metrics: "Iterable[ReadSample]") -> dict[str, Count]:
    totals: dict[str, dict[str, float]] = {}
    for each in metrics:
        if each.name in (SENT, FAILED):
            found = totals.setdefault(each.labels.get("integration", ""), {SENT: 0, FAILED: 0})
            # Failures have a series for each reason.
            found[each.name] += each.value
    return {name: Count(found[SENT], found[FAILED]) for name, found in totals.items()}


def _time(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
