"""What a Prometheus says of itself: targets, rules, alerts, Alertmanagers, and the values of expressions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from facemon.config.web_address import has_secret
from facemon.doctor.answers import NoAnswerError, ask, ask_json, mapping
from facemon.domain.times import parse_time
from facemon.local_path import shown_url

_RELOADED = "prometheus_config_last_reload_successful"


@dataclass(frozen=True, slots=True)
class ScrapeTarget:
    """One active target."""

    job: str
    address: str
    url: str
    health: str
    """up, down or, before the first scrape, unknown."""
    error: str


@dataclass(frozen=True, slots=True)
class ActiveAlert:
    """An alert that is pending or firing."""

    labels: Mapping[str, str]
    state: str
    since: str
    value: str


@dataclass(frozen=True, slots=True)
class LoadedRule:
    """A rule as it was loaded; an alert has a state, a recording rule has none."""

    group: str
    name: str
    query: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    held_s: float
    kept_s: float | None
    """None where this Prometheus does not tell."""
    health: str
    error: str
    state: str
    alerts: tuple[ActiveAlert, ...]


@dataclass(frozen=True, slots=True)
class PrometheusFacts:
    """One Prometheus."""

    url: str
    version: str
    targets: tuple[ScrapeTarget, ...]
    rules: tuple[LoadedRule, ...]
    alertmanagers: tuple[str, ...]
    """The addresses of the Alertmanagers that it sends to."""
    took_its_files: bool | None
    """Whether it took its configuration when it last read it; None where it does not tell."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The value of a series now."""

    labels: Mapping[str, str]
    value: float


def prometheus_facts(url: str) -> PrometheusFacts:
    """Ask one; NoAnswerError where it does not answer, or is not a Prometheus."""
    data = {name: _data(url, name) for name in ("targets", "rules", "alertmanagers", "status/buildinfo")}
    try:
        return PrometheusFacts(
            url,
            str(data["status/buildinfo"]["version"]),
            tuple(map(_target, data["targets"]["activeTargets"])),
            tuple(_rule(group["name"], rule) for group in data["rules"]["groups"] for rule in group["rules"]),
            tuple(str(each["url"]) for each in data["alertmanagers"]["activeAlertmanagers"]),
            _took_its_files(url),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise NoAnswerError(
            f"{url} does not answer as Prometheus does", "give the address of Prometheus: --prometheus URL"
        ) from None


def value_of(url: str, query: str) -> tuple[Sample, ...]:
    """Return the series of an expression, a number as one without labels; NoAnswerError where it is refused."""
    found = _data(url, f"query?{urlencode({'query': query})}")
    try:
        if found["resultType"] == "scalar":
            return (Sample({}, float(found["result"][1])),)
        # Of a range the number of samples tells more than any one of them.
        return tuple(
            Sample(mapping(each["metric"]), float(each["value"][1]) if "value" in each else len(each["values"]))
            for each in found["result"]
        )
    except (KeyError, TypeError, ValueError):
        raise NoAnswerError(
            f"{url} does not answer as Prometheus does", "give the address of Prometheus: --prometheus URL"
        ) from None


def _data(url: str, path: str) -> Any:
    answer = ask_json(f"{url}/api/v1/{path}")
    if not isinstance(answer, dict) or "data" not in answer:
        raise NoAnswerError(
            f"{url} does not answer as Prometheus does", "give the address of Prometheus: --prometheus URL"
        )
    return answer["data"]


def _took_its_files(url: str) -> bool | None:
    try:
        page = ask(f"{url}/metrics").decode("utf-8", "replace")
    except NoAnswerError:
        return None
    found = next((line for line in page.splitlines() if line.startswith(f"{_RELOADED} ")), None)
    return None if found is None else float(found.rpartition(" ")[2]) == 1


def _target(found: Any) -> ScrapeTarget:
    address, url, error = found["discoveredLabels"].get("__address__", ""), str(found["scrapeUrl"]), found["lastError"]
    if has_secret(url):
        # Prometheus repeats the address in its error.
        url, error = shown_url(url), str(error).replace(url, shown_url(url))
    return ScrapeTarget(found["labels"]["job"], address, url, found["health"], error)


def _rule(group: Any, found: Any) -> LoadedRule:
    return LoadedRule(
        str(group),
        str(found["name"]),
        str(found["query"]),
        mapping(found.get("labels", {})),
        mapping(found.get("annotations", {})),
        float(found.get("duration", 0)),
        float(found["keepFiringFor"]) if "keepFiringFor" in found else None,
        found["health"],
        found.get("lastError", ""),
        found.get("state", ""),
        tuple(map(_alert, found.get("alerts", ()))),
    )


def _alert(found: Any) -> ActiveAlert:
    since = str(found["activeAt"])
    parse_time(since[:19])  # ValueError for what is not a time
    return ActiveAlert(mapping(found["labels"]), found["state"], since, found["value"])
