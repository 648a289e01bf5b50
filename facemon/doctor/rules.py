"""The rules that Prometheus has loaded: all that the configuration renders, equal to it, and without errors."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING, Any

from facemon.doctor.area import Area
from facemon.doctor.examination import Examination
from facemon.doctor.finding import Examined, Finding
from facemon.doctor.prometheus import NO_ANSWER
from facemon.domain.counted import counted

if TYPE_CHECKING:
    from facemon.doctor.prometheus_facts import LoadedRule

_MOST_NAMED = 3
_RELOAD = "facemon render-config --reload"


@dataclass(frozen=True, slots=True)
class WantedRule:
    """A rule as the configuration renders it; its query is in the canonical form."""

    group: str
    name: str
    query: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    held_s: float
    kept_s: float


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """Rules on both sides, with canonical queries."""

    wanted: Sequence[WantedRule]
    loaded: "Sequence[tuple[LoadedRule, str]]"
    """Each with its query in the canonical form."""


def gather(examination: Examination) -> RuleFacts | None:
    """Render the rules in memory, and take those of Prometheus; None where it does not answer."""
    from facemon.render.lint.query_parts import canonical

    prometheus = examination.prometheus
    if prometheus is None:
        return None
    wanted = tuple(_wanted(examination))
    groups = {each.group for each in wanted}
    ours = [(rule, canonical(rule.query)) for rule in prometheus.rules if rule.group in groups]
    return RuleFacts(wanted, ours)


def _wanted(examination: Examination) -> Iterator[WantedRule]:
    from facemon.config.durations import parse_duration
    from facemon.render.alert_rules import alert_rules
    from facemon.render.lint.query_parts import canonical
    from facemon.render.recording_rules import recording_rules

    config = examination.fitted
    for content in (alert_rules(config), recording_rules(config)):
        for group in content["groups"]:
            for rule in group["rules"]:
                held, kept = (parse_duration(rule.get(key, "0s")).total_seconds() for key in ("for", "keep_firing_for"))
                yield WantedRule(
                    group["name"], rule.get("alert") or rule["record"], canonical(rule["expr"]),
                    _texts(rule.get("labels", {})), _texts(rule.get("annotations", {})), held, kept,
                )  # fmt: skip


def _texts(given: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in given.items()}


def judge(facts: RuleFacts | None) -> Examined:
    """Name rules that are missing, that differ, and that fail."""
    if facts is None:
        return Examined(not_looked_at=(f"rules: {NO_ANSWER}",))
    looked_at = f"{counted(len(facts.loaded), 'rule')} loaded, {len(facts.wanted)} rendered"
    return Examined(looked_at, tuple(_findings(facts)))


def _findings(facts: RuleFacts) -> Iterator[Finding]:
    if not facts.loaded:
        yield Finding("Prometheus has loaded no rule of facemon", "no group of its rules has facemon's names", _RELOAD)
        return
    names = {(rule.group, rule.name) for rule, _ in facts.loaded}
    missing = [each.name for each in facts.wanted if (each.group, each.name) not in names]
    if missing:
        what = f"{counted(len(missing), 'rule')} not loaded by Prometheus"
        yield Finding(what, _named(missing), _RELOAD)
    differing = [(each.name, why) for each in facts.wanted if (why := _difference(each, facts))]
    if differing:
        what = f"{counted(len(differing), 'rule')} in Prometheus not as the configuration renders them"
        yield Finding(what, _named([f"{name} ({why})" for name, why in differing]), _RELOAD)
    for rule, _ in facts.loaded:
        if rule.health == "err":
            command = f"facemon explain {quote(rule.name)}"
            yield Finding(f"Prometheus cannot evaluate the rule {rule.name}", rule.error, command)


def _difference(wanted: WantedRule, facts: RuleFacts) -> str:
    """How all loaded rules of a name differ from the rendered one; empty where one is equal, or none has the name."""
    found = [(rule, query) for rule, query in facts.loaded if (rule.group, rule.name) == (wanted.group, wanted.name)]
    ways = [_differing_part(wanted, rule, query) for rule, query in found]
    return "" if not all(ways) or not ways else ways[0]


def _differing_part(wanted: WantedRule, rule: "LoadedRule", query: str) -> str:
    if query != wanted.query:
        return "expr"
    if rule.held_s != wanted.held_s:
        return "for"
    if rule.kept_s not in (None, wanted.kept_s):
        return "keep_firing_for"
    if dict(rule.labels) != wanted.labels:
        return "labels"
    return "" if dict(rule.annotations) == wanted.annotations else "annotations"


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{', '.join(names[:_MOST_NAMED])}{more}"


AREA = Area("rules", gather, judge)
