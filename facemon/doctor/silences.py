"""Silences: which alerts they keep from being told, those that fire now and those that would."""

import re
from collections.abc import Iterator, Mapping
from shlex import quote
from typing import TYPE_CHECKING

from facemon.doctor.finding import Finding, Severity
from facemon.domain.counted import counted

if TYPE_CHECKING:
    from facemon.config.document import Config
    from facemon.doctor.alertmanager_facts import AlertmanagerFacts, Matcher, Silence

_MOST_NAMED = 3


def labels_of_rules(config: "Config") -> dict[str, dict[str, str]]:
    """The labels that each rendered alert always has; those of its series are others each time."""
    from facemon.render.alert_rules import alert_rules

    found = {}
    for group in alert_rules(config)["groups"]:
        for rule in group["rules"]:
            fixed = {name: str(text) for name, text in rule.get("labels", {}).items() if "{{" not in str(text)}
            found[rule["alert"]] = fixed | {"alertname": rule["alert"]}
    return found


def silence_findings(found: "AlertmanagerFacts", labels: Mapping[str, Mapping[str, str]]) -> Iterator[Finding]:
    """Name each silence that keeps alerts back; one on a single source or column is a fact only, unless it fires."""
    firing: dict[str, set[str]] = {}
    for alert in found.alerts:
        for by in alert.silenced_by:
            firing.setdefault(by, set()).add(alert.labels.get("alertname", ""))
    silences = {each.id: each for each in found.silences}
    for name in sorted({*firing, *silences}):
        silence = silences.get(name)
        covered = [] if silence is None else [alert for alert, fixed in labels.items() if _covers(silence, fixed)]
        severity = Severity.WARNING
        if covered and len(covered) == len(labels):
            what, severity = "a silence keeps every alert from being told", Severity.ERROR
        elif name in firing:
            what = f"{', '.join(sorted(firing[name]))} fires, and is silenced"
        elif covered:
            more = f" and {len(covered) - _MOST_NAMED} more" if len(covered) > _MOST_NAMED else ""
            named = f"{', '.join(covered[:_MOST_NAMED])}{more}"
            what = f"a silence keeps {counted(len(covered), 'alert')} from being told: {named}"
        else:
            continue
        command = f"amtool silence expire --alertmanager.url={quote(found.url)} {quote(name)}"
        yield Finding(what, author(silence, name), command, severity)


def author(silence: "Silence | None", name: str) -> str:
    """Who made a silence, until when and why."""
    if silence is None:
        return f"by the silence {name}"
    return f"by {silence.by or 'an unknown author'} until {silence.until[:16].replace('T', ' ')} UTC: {silence.comment}"


def _covers(silence: "Silence", fixed: Mapping[str, str]) -> bool:
    """Whether it silences the alert whatever series raised it: it asks for labels that the alert always has."""
    return all(each.label in fixed and _matches(each, fixed[each.label]) for each in silence.matchers)


def _matches(matcher: "Matcher", value: str) -> bool:
    if not matcher.is_regex:
        return (matcher.value == value) is matcher.is_equal
    try:
        return bool(re.fullmatch(matcher.value, value)) is matcher.is_equal
    except re.error:
        return False  # Go's expressions, which Python does not know
