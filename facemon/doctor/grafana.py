"""Grafana: its data source reaches Prometheus, and its dashboards are the rendered ones."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from facemon.config.web_address import has_secret, origin
from facemon.doctor.answers import NoAnswerError, ask_json, mapping
from facemon.doctor.area import Area
from facemon.doctor.examination import Examination
from facemon.doctor.finding import Examined, Finding, Severity
from facemon.domain.counted import counted
from facemon.errors import FacemonError

_TOKEN = "give --grafana-token-file FILE, with the token of a service account"  # noqa: S105 - a hint
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_MOST_NAMED = 3
_OWN_KEYS = frozenset(("id", "version"))
"""What Grafana counts itself."""


@dataclass(frozen=True, slots=True)
class GrafanaFacts:
    """What Grafana has, beside what the configuration renders for it."""

    url: str
    source_uid: str
    source_url: str | None
    """None where the configuration names an existing data source by its uid alone."""
    rendered: Mapping[str, Any]
    """The dashboards by their uid."""
    is_refused: bool = False
    """Whether it wants a token, or another one."""
    has_token: bool = False
    version: str = ""
    database: str = ""
    source: Mapping[str, Any] | None = None
    """None where there is none of that uid."""
    source_health: Mapping[str, Any] | None = None
    dashboards: Mapping[str, Any] | None = None
    """Those that are there, by their uid."""


def gather(examination: Examination) -> GrafanaFacts | None:
    """Ask it for its health, the data source and the dashboards; None where it was not asked for."""
    from facemon.render.placed_dashboards import dashboards
    from facemon.render.provisioning import datasource_uid, datasources, has_datasource_of_its_own

    config, servers = examination.fitted, examination.servers
    if servers.grafana is None:
        return None
    url, token, uid = servers.grafana, servers.grafana_token, datasource_uid(config)
    source_url = datasources(config)["datasources"][0]["url"] if has_datasource_of_its_own(config) else None
    rendered = {built["uid"]: built for built in dashboards(config).values()}
    usual = (url, uid, source_url, rendered)
    try:
        health = ask_json(f"{url}/api/health")
    except NoAnswerError as error:
        raise FacemonError(
            f"Grafana does not answer: {error.message}", error.hint or "start it, or give another --grafana URL"
        ) from error
    if not isinstance(health, dict) or "database" not in health:
        raise _not_grafana(url)
    version, database = str(health.get("version", "")), str(health.get("database", ""))
    try:
        source = _found(f"{url}/api/datasources/uid/{uid}", token)
        source_health = None if source is None else _health(f"{url}/api/datasources/uid/{uid}/health", token)
        found = {each: _found(f"{url}/api/dashboards/uid/{each}", token) for each in rendered}
    except NoAnswerError as error:
        if error.status not in _REFUSED:
            raise
        return GrafanaFacts(*usual, True, token is not None, version, database)
    there = {each: answer["dashboard"] for each, answer in found.items() if answer and "dashboard" in answer}
    return GrafanaFacts(*usual, False, token is not None, version, database, source, source_health, there)


def _found(url: str, token: str | None) -> Mapping[str, Any] | None:
    """What is there; None where nothing is. NoAnswerError for other refusals and other answers."""
    try:
        return mapping(ask_json(url, token))
    except TypeError:
        raise _not_grafana(url) from None
    except NoAnswerError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return None
        raise


def _health(url: str, token: str | None) -> Mapping[str, Any]:
    """What a data source's check says; a failed one comes with a status of 4xx or 5xx."""
    try:
        return mapping(ask_json(url, token))
    except TypeError:
        raise _not_grafana(url) from None
    except NoAnswerError as error:
        if error.status is None or error.status in _REFUSED:
            raise
        return {"status": "ERROR", "message": error.message}


def _not_grafana(url: str) -> NoAnswerError:
    return NoAnswerError(f"{origin(url)} does not answer as Grafana does", "give the address of Grafana: --grafana URL")


def judge(facts: GrafanaFacts | None) -> Examined:
    """Say why dashboards are empty."""
    if facts is None:
        return Examined(not_looked_at=("Grafana: give --grafana URL and --grafana-token-file FILE",))
    version = f"{facts.url}, version {facts.version or 'unknown'}"
    if facts.is_refused:
        if facts.has_token:
            finding = Finding("Grafana refuses the token", f"{facts.url} answered 401 or 403", _TOKEN)
            return Examined(version, (finding,))
        return Examined(version, not_looked_at=(f"Grafana's data source and dashboards: {_TOKEN}",))
    return Examined(
        f"{version}: data source {facts.source_uid}, {counted(len(facts.dashboards or {}), 'dashboard')}",
        tuple(_findings(facts)),
    )


def _findings(facts: GrafanaFacts) -> Iterator[Finding]:
    restart = "facemon render-config, then restart Grafana"
    if facts.database != "ok":
        seen = f"{facts.url}/api/health: database is {facts.database or 'unknown'}"
        yield Finding("Grafana's database is unhealthy", seen, "see Grafana's log")
    if facts.source is None:
        seen = f"{facts.url} has none with the uid {facts.source_uid}"
        yield Finding("Grafana lacks the data source of the dashboards", seen, restart)
    else:
        yield from _of_source(facts, facts.source, restart)
    there = facts.dashboards or {}
    if missing := [built["title"] for uid, built in facts.rendered.items() if uid not in there]:
        yield Finding(f"Grafana lacks {counted(len(missing), 'dashboard')}", ", ".join(missing), restart)
    for uid, built in facts.rendered.items():
        if uid in there and (places := list(_differences(built, there[uid]))):
            more = f" and {len(places) - _MOST_NAMED} more" if len(places) > _MOST_NAMED else ""
            what = f"the dashboard {built['title']} is not the rendered one"
            yield Finding(what, f"{', '.join(places[:_MOST_NAMED])}{more}", "facemon render-config", Severity.WARNING)


def _of_source(facts: GrafanaFacts, source: Mapping[str, Any], restart: str) -> Iterator[Finding]:
    kind, url = str(source.get("type", "")), str(source.get("url", ""))
    shown = origin(url) if has_secret(url) else url
    if kind != "prometheus":
        yield Finding("the data source is not a Prometheus", f"{facts.source_uid} has the type {kind}", restart)
    elif facts.source_url is not None and url.rstrip("/") != facts.source_url.rstrip("/"):
        seen = f"{facts.source_uid} asks {shown}, and the configuration has {facts.source_url}"
        yield Finding("the data source queries another Prometheus", seen, restart)
    health = facts.source_health or {}
    if health.get("status") != "OK":
        seen = f"{facts.source_uid}, {shown}: {health.get('message') or 'no message'}"
        yield Finding("Grafana's data source cannot reach Prometheus", seen, "start Prometheus, or correct the URL")


def _differences(rendered: Any, loaded: Any, place: str = "") -> Iterator[str]:
    """The places at which a dashboard is not as it was rendered; keys that Grafana adds are none."""
    if isinstance(rendered, dict) and isinstance(loaded, dict):
        for key, value in rendered.items():
            if place or key not in _OWN_KEYS:
                yield from _differences(value, loaded.get(key), f"{place}.{key}" if place else str(key))
    elif isinstance(rendered, list) and isinstance(loaded, list) and len(rendered) == len(loaded):
        for index, (first, second) in enumerate(zip(rendered, loaded, strict=True)):
            yield from _differences(first, second, f"{place}[{index}]")
    elif rendered != loaded:
        yield place


AREA = Area("Grafana", gather, judge)
