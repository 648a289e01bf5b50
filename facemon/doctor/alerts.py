"""The alerts: which fire, and of those that were asked for, why they do not."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING

from facemon.doctor.answers import NoAnswerError
from facemon.doctor.area import Area
from facemon.doctor.examination import Examination
from facemon.doctor.expression_cause import Cause, cause_of
from facemon.doctor.finding import Examined, Finding, Severity
from facemon.doctor.prometheus import NO_ANSWER
from facemon.doctor.prometheus_facts import value_of
from facemon.domain.counted import counted

if TYPE_CHECKING:
    from facemon.doctor.prometheus_facts import ActiveAlert, LoadedRule

_WATCHDOG = "Watchdog"
_COMMON = frozenset(("alertname", "area", "incident", "severity", "job", "instance"))
_MOST_NAMED = 3
_RELOAD = "facemon render-config --reload"


@dataclass(frozen=True, slots=True)
class AskedAlert:
    """An alert of which it was asked why it does not fire."""

    name: str
    is_rendered: bool
    state: str
    """firing, pending, inactive; empty where the rule is not loaded."""
    since: str = ""
    held: str = ""
    cause: Cause | None = None
    """Why its expression has no result; None where it has one."""


@dataclass(frozen=True, slots=True)
class AlertFacts:
    """Alerts of facemon's own groups."""

    rules: "Sequence[LoadedRule]"
    asked: Sequence[AskedAlert]
    has_watchdog: bool
    """Whether one is rendered."""


def gather(examination: Examination) -> AlertFacts | None:
    """Take the alerts of Prometheus, and ask it for the parts of some; None where it does not answer."""
    from facemon.render.alert_rules import alerts_of

    prometheus, config = examination.prometheus, examination.fitted
    rendered = {alert.name: alert for alert in alerts_of(config)}
    if prometheus is None:
        return None
    groups = {f"facemon-{alert.group}" for alert in rendered.values()}
    rules = [rule for rule in prometheus.rules if rule.state and rule.group in groups]
    by_name = {rule.name: rule for rule in rules}
    asked = [
        _asked(prometheus.url, name, by_name.get(name), is_rendered=name in rendered)
        for name in examination.servers.alerts
    ]
    return AlertFacts(rules, asked, _WATCHDOG in rendered)


def _asked(url: str, name: str, rule: "LoadedRule | None", *, is_rendered: bool) -> AskedAlert:
    if rule is None:
        return AskedAlert(name, is_rendered, "")
    since = min((alert.since for alert in rule.alerts), default="")
    cause = _cause(url, rule) if rule.state == "inactive" else None
    return AskedAlert(name, is_rendered, rule.state, since, f"{rule.held_s:g} s", cause)


def _cause(url: str, rule: "LoadedRule") -> Cause | None:
    """Why its expression has no result; what cannot be asked of it must not hide the other alerts."""
    from facemon.render.lint.query_parts import query_parts

    try:
        return cause_of(query_parts(rule.query), lambda query: value_of(url, query))
    except ValueError:
        return Cause(f"the reason is not known: facemon cannot parse its expression: {rule.query}")
    except NoAnswerError as error:
        return Cause(f"the reason is not known: {error.message}")


def judge(facts: AlertFacts | None) -> Examined:
    """Name the alerts that fire, and say why others do not."""
    if facts is None:
        return Examined(not_looked_at=(f"alerts: {NO_ANSWER}",))
    if not facts.rules and not facts.asked:
        return Examined(not_looked_at=("alerts: Prometheus has loaded none of facemon's",))
    states = Counter(rule.state for rule in facts.rules)
    reasons = [f"{each.name} {_reason(each)}" for each in facts.asked]
    counts = f"{states['firing']} of {counted(len(facts.rules), 'alert')} firing, {states['pending']} pending"
    return Examined("; ".join((counts, *reasons)), tuple(_findings(facts)))


def _findings(facts: AlertFacts) -> Iterator[Finding]:
    states = {rule.name: rule.state for rule in facts.rules}
    if facts.has_watchdog and states.get(_WATCHDOG, "firing") != "firing":
        seen = f"its state is {states[_WATCHDOG]}"
        yield Finding("the Watchdog does not fire", seen, "facemon explain Watchdog")
    for each in facts.asked:
        if not each.is_rendered:
            command = f"facemon explain {each.name}"
            yield Finding(f"{each.name} cannot fire: it is not rendered", "it is disabled, or left out", command)
        elif not each.state:
            yield Finding(f"{each.name} cannot fire: Prometheus has not loaded it", "", _RELOAD)
        elif each.cause is not None and each.cause.lacks_data:
            command = f"facemon explain {each.name}"
            yield Finding(f"{each.name} cannot fire: series are missing", each.cause.text, command)
    for rule in facts.rules:
        firing = [alert for alert in rule.alerts if alert.state == "firing"]
        if firing and rule.name != _WATCHDOG:
            severity = Severity.ERROR if firing[0].labels.get("severity") == "critical" else Severity.WARNING
            command = rule.annotations.get("next_command", f"facemon explain {quote(rule.name)}")
            yield Finding(f"the alert {rule.name} fires", _evidence(firing), command, severity)


def _evidence(firing: "Sequence[ActiveAlert]") -> str:
    # Prometheus lists those that began together in any order.
    oldest = min(firing, key=lambda alert: (alert.since, sorted(alert.labels.items())))
    more = f"; {len(firing) - 1} more" if len(firing) > 1 else ""
    return f"{_told(oldest.labels)}since {oldest.since[:16].replace('T', ' ')} UTC{more}"


def _told(labels: Mapping[str, str]) -> str:
    own = [f"{name} {value}" for name, value in sorted(labels.items()) if name not in _COMMON and value]
    return f"{', '.join(own[:_MOST_NAMED])}, " if own else ""


def _reason(each: AskedAlert) -> str:
    match each.state:
        case "firing":
            return f"fires since {each.since[:19]}"
        case "pending":
            return f"is pending since {each.since[:19]}: its condition must hold for {each.held}"
        case "":
            return "is not loaded"
        case _:
            text = each.cause.text if each.cause else "has a result now: the next evaluation makes it pending"
            return f"does not fire: {text}"


AREA = Area("alerts", gather, judge)
