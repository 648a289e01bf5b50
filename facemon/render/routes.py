"""The routing tree of alertmanager.yml, and the refusal of routes that no alert can reach."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from facemon.config.alertmanager import NULL_RECEIVER, AlertmanagerConfig, DeadManConfig, MuteTimeConfig, RouteConfig
from facemon.config.document import Config
from facemon.config.durations import format_duration
from facemon.errors import ConfigError
from facemon.printable import Lines, printable
from facemon.render.alert import Alert
from facemon.render.alert_labels import LabelSpace, Values, label_space
from facemon.render.promql import equals, one_of
from facemon.render.routing import WATCHDOG, Claim, claims, default_receiver, left_for

_FLUSHES_PER_REPEAT = 5
_SHORTEST = timedelta(milliseconds=1)
_DISTINGUISHED = ("alertname", "area", "incident", "severity", "attribute", "job", "service", "objective")
"""Labels whose values are all known, so that each one in a route must be among them."""


def routing_tree(config: Config, alerts: Sequence[Alert]) -> dict[str, Any]:
    """The `route` of alertmanager.yml; ConfigError names every route that no alert can reach, and why."""
    settings = config.alertmanager
    if faults := [*_dead_man_faults(settings, alerts), *_route_faults(config, alerts)]:
        raise ConfigError(
            Lines("\n".join(map(printable, faults))),
            hint="correct the route or leave it out: no alert would ever take it",
        )
    routes = [_route(route) for route in settings.routes]
    if any(alert.name == WATCHDOG for alert in alerts):
        routes.insert(0, _watchdog(settings.dead_man))
    return {
        "receiver": default_receiver(settings),
        "group_by": list(_incident(config) if settings.group_by is None else settings.group_by),
        "group_wait": format_duration(settings.group_wait),
        "group_interval": format_duration(settings.group_interval),
        "repeat_interval": format_duration(settings.repeat_interval),
        "routes": routes,
    }


def _incident(config: Config) -> tuple[str, ...]:
    """The labels that make up one incident. Checks and columns do not: a dark camera drifts in many of them."""
    return ("incident", "model", *config.metrics.labels)


def unproven_routes(config: Config, alerts: Sequence[Alert]) -> Iterator[str]:
    """The routes that facemon's own alerts do not reach: what labels an alert of the user's own brings is not known."""
    everything = claims(config.alertmanager)
    spaces = {alert.name: label_space(alert, config) for alert in alerts}
    for place, claim in enumerate(everything):
        before = everything[:place]
        reached = {name for name, space in spaces.items() if left_for(claim, before, space)}
        known = any(left_for(claim, before, space.known_part) for name, space in spaces.items() if name in reached)
        if claim.index is not None and reached and not known:
            yield (
                f"alertmanager.routes[{claim.index}]: only an alert whose labels facemon does not know can reach it "
                f"({', '.join(sorted(reached))}): {_in_words(claim)}"
            )


def time_intervals(settings: AlertmanagerConfig) -> list[dict[str, Any]]:
    """The `time_intervals` of alertmanager.yml, which routes mute by."""
    return [{"name": time.name, "time_intervals": [_interval(time)]} for time in settings.mute_times]


def _watchdog(dead_man: DeadManConfig | None) -> dict[str, Any]:
    matchers = [equals("alertname", WATCHDOG).text]
    if dead_man is None:
        return {"matchers": matchers, "receiver": NULL_RECEIVER}
    repeat = dead_man.repeat_interval
    flush = max(repeat / _FLUSHES_PER_REPEAT, _SHORTEST)
    return {
        "matchers": matchers,
        "receiver": dead_man.receiver,
        "group_wait": "0s",
        "group_interval": format_duration(flush),
        # A repetition is due only at a flush, and the last one is noted a moment after its flush: without this
        # half flush it would come one flush late, every time.
        "repeat_interval": format_duration(max(repeat - flush / 2, _SHORTEST)),
    }


def _route(route: RouteConfig) -> dict[str, Any]:
    content: dict[str, Any] = {"matchers": _matchers(route.match), "receiver": route.receiver}
    if route.continue_:
        content["continue"] = True
    if route.mute:
        content["mute_time_intervals"] = list(route.mute)
    waits = {
        "group_wait": route.group_wait,
        "group_interval": route.group_interval,
        "repeat_interval": route.repeat_interval,
    }
    return content | {key: format_duration(wait) for key, wait in waits.items() if wait is not None}


def _matchers(match: Mapping[str, str | tuple[str, ...]]) -> list[str]:
    return [
        equals(label, value).text if isinstance(value, str) else one_of(label, value).text
        for label, value in match.items()
    ]


def _interval(time: MuteTimeConfig) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if time.weekdays:
        content["weekdays"] = list(time.weekdays)
    if time.hours:
        content["times"] = [{"start_time": hours.from_, "end_time": hours.to} for hours in time.hours]
    return {**content, "location": time.location}


def _dead_man_faults(settings: AlertmanagerConfig, alerts: Sequence[Alert]) -> Iterator[str]:
    if settings.dead_man is not None and all(alert.name != WATCHDOG for alert in alerts):
        yield f"alertmanager.dead_man: alerts.{WATCHDOG} is disabled, so that nothing would ever reach it"


def _route_faults(config: Config, alerts: Sequence[Alert]) -> Iterator[str]:
    everything = claims(config.alertmanager)
    spaces = [label_space(alert, config) for alert in alerts]
    for place, claim in enumerate(everything):
        if claim.index is None:
            continue
        at = f"alertmanager.routes[{claim.index}]"
        if unknown := list(_unknown_matches(claim, spaces)):
            yield from (f"{at}.match.{match}" for match in unknown)
        elif all(space.within(claim.match) is None for space in spaces):
            yield f"{at}: no alert has all of these labels: {_in_words(claim)}"
        elif all(left_for(claim, everything[:place], space) is None for space in spaces):
            yield f"{at}: every alert that it matches goes to {_takers(claim, everything[:place], spaces)} before it"


def _unknown_matches(claim: Claim, spaces: Sequence[LabelSpace]) -> Iterator[str]:
    """The labels with a value that no alert can have, with the values that there are."""
    for label, wanted in claim.match.items():
        possible = [space[label] for space in spaces]
        missing = [value for value in sorted(wanted.named) if not any(value in values for values in possible)]
        if missing and (label in _DISTINGUISHED or len(missing) == len(wanted.named)):
            yield f"{label}: no alert has {_listed(missing)} there ({_known(possible)})"


def _known(possible: Sequence[Values]) -> str:
    named = sorted({value for values in possible if not values.but for value in values.named if value})
    return f"there are {', '.join(map(repr, named))}" if named else "no alert has this label"


def _takers(claim: Claim, before: Sequence[Claim], spaces: Sequence[LabelSpace]) -> str:
    matched = [part for space in spaces if (part := space.within(claim.match))]
    final = [earlier for earlier in before if not earlier.continues]
    taking = [each for each in final if any(part.within(each.match) is not None for part in matched)]
    alone = [each for each in final if all(not part.differing(each.match) for part in matched)]
    places = [
        "the Watchdog's own route" if each.index is None else f"routes[{each.index}]" for each in alone[:1] or taking
    ]
    return " or ".join(places)


def _in_words(claim: Claim) -> str:
    return ", ".join(f"{label}={_listed(sorted(values.named))}" for label, values in claim.match.items())


def _listed(values: Sequence[str]) -> str:
    return " or ".join(repr(value) for value in values)
