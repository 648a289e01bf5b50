"""The alertmanager section of a random configuration: receivers, and routes to them that its alerts can reach."""

from collections.abc import Iterator, Sequence
from typing import get_args

from facemon.config.alertmanager import Weekday
from tests.render.random_choices import FOR, SHORT, Choices, Document

_PLACES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo")
_VERSIONS = ("0.25", "0.26", "0.27", "0.28", "0.31")
_WATCH_ALWAYS = (
    "DriftDetected", "DriftVerdict", "DriftUndecided", "DriftCheckStale", "LowModelAccuracy", "TargetDown",
    "MetricsAbsent", "SourceUnreadable", "SourceDrift", "SourceSilent",
)  # fmt: skip
"""The alerts that need no job, so that a route to them can always be reached."""
_WORDS = {"email": ("title", "text"), "slack": ("title", "text"), "teams": ("title", "text"), "pagerduty": ("title",)}
_TEMPLATES = ("ü {{ .Status }}", "{{ range .Alerts }}{{ .Labels.x }}\n{{ end }}", '{{ "}}" }}')
_TEAMS_SINCE = "0.28"
"""The Alertmanager that knows each kind of receiver and a webhook's address in a file."""


def random_alertmanager(choices: Choices, alerts: Document) -> Document:
    """Receivers, mute times and routes; a dead man's route enables the Watchdog in `alerts`."""
    version = choices.one(_VERSIONS)
    names = [name for name in choices.distinct(4) if name != "null"]
    receivers = [_receiver(choices, name, version) for name in names]
    times = [_mute_time(choices, name) for name in choices.distinct(2)]
    section: Document = {
        "target_version": version,
        "receivers": receivers,
        "mute_times": times,
        "group_by": choices.some(("alertname", "attribute", "check", "team", "incident")),
        "group_wait": choices.one(FOR),
        "group_interval": choices.one(SHORT),
        "repeat_interval": choices.one(("1m", "4h", "1w")),
        "replicas": choices.one((1, 1, 2, 3)),
    }
    if choices.maybe():
        del section["group_by"]
        section["url"] = choices.url()
    if any("email" in receiver for receiver in receivers) or choices.maybe(0.2):
        section["smtp"] = _smtp(choices)
    if names and choices.maybe():
        section["dead_man"] = {"receiver": choices.one(names)} | (
            {"repeat_interval": choices.one(("1m", "5m"))} if choices.maybe() else {}
        )
        alerts.get("Watchdog", {}).pop("enabled", None)
    if names:
        section["routes"] = list(_routes(choices, alerts, names, [time["name"] for time in times]))
    return section


def _smtp(choices: Choices) -> Document:
    smarthost = choices.one(("mail:587", "mail:465", "smtp.example.com:25"))
    smtp: Document = {"smarthost": smarthost, "from": choices.email()}
    if choices.maybe():
        smtp |= {"username": choices.text(), "password_file": choices.secret()}
    if choices.maybe():
        smtp["require_tls"] = choices.maybe()
    return smtp


def _receiver(choices: Choices, name: str, version: str) -> Document:
    ways: dict[str, list[Document]] = {
        "email": [{"to": choices.email()}],
        "slack": [{"api_url_file": choices.secret(), "channel": choices.text()}],
        "pagerduty": [{"routing_key_file": choices.secret()}],
        "teams": [{"webhook_url_file": choices.secret()}],
        "webhook": [{"url": choices.url()}, {"url": choices.url(), "bearer_token_file": choices.secret()}],
    }
    if _number(version) >= _number(_TEAMS_SINCE):
        ways["webhook"].append({"url_file": choices.secret()})
    else:
        del ways["teams"]
    receiver: Document = {"name": name}
    for way in choices.some(tuple(ways), 1):
        receiver[way] = choices.some(ways[way], 1)
        for config in receiver[way]:
            if choices.maybe():
                config["send_resolved"] = choices.maybe()
            for key in choices.some(_WORDS.get(way, ())):
                config[key] = choices.one(_TEMPLATES)
    return receiver


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _mute_time(choices: Choices, name: str) -> Document:
    weekdays = choices.some(get_args(Weekday))
    hours = [{"from": "20:00", "to": "24:00"}, {"from": "00:00", "to": "06:30"}]
    mute: Document = {"name": name, "location": choices.one(_PLACES)}
    if weekdays:
        mute["weekdays"] = weekdays
    if choices.maybe() or not weekdays:
        mute["hours"] = choices.some(hours, 1)
    return mute


def _routes(choices: Choices, alerts: Document, receivers: Sequence[str], times: Sequence[str]) -> Iterator[Document]:
    """Each claims an alert that no route before it has claimed."""
    own = {alert["name"]: alert for alert in alerts.get("custom", ())}
    there = [name for name in _WATCH_ALWAYS if alerts.get(name, {}).get("enabled", True)]
    left = choices.some((*there, *own))[:4]
    while left:
        name = left.pop(0)
        alert = own.get(name) or alerts.get(name, {})
        known = {label: text for label, text in alert.get("labels", {}).items() if text}
        if "severity" in alert:
            known["severity"] = alert["severity"]
        route: Document = {"receiver": choices.one(receivers)}
        match = {label: known[label] for label in choices.some(tuple(known))}
        if choices.maybe():
            route["continue"] = True
        if not (route.get("continue") and match):
            match["alertname"] = name
        values: dict[str, str | list[str]] = dict(match)
        if choices.maybe() and left and list(values) == ["alertname"]:
            values["alertname"] = [name, left.pop(0)]
        elif choices.maybe(0.2):
            values = {label: [text] for label, text in match.items()}
        route["match"] = values
        if times and choices.maybe():
            route["mute"] = choices.some(times)
        for key, options in (("group_wait", FOR), ("group_interval", SHORT), ("repeat_interval", ("1m", "4h"))):
            if choices.maybe(0.3):
                route[key] = choices.one(options)
        yield route
