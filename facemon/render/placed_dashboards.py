"""The dashboards as they go into one Grafana: those that anything feeds, under uids that no other stack has."""

import re
from collections.abc import Collection
from typing import Any

from facemon.config.document import Config
from facemon.render.alert import Dashboard, dashboard_uid
from facemon.render.dashboards import DASHBOARDS
from facemon.render.dashboards.panel import DATASOURCE_UID
from facemon.render.provisioning import datasource_name, datasource_uid

_EMPTY = ("row", "text")
"""Panels that ask Prometheus nothing."""
_LINK = re.compile(r"/d/(" + "|".join(map(re.escape, Dashboard)) + r")(?![\w-])")


def dashboards(config: Config) -> dict[str, dict[str, Any]]:
    """Each dashboard by the name of its file, without those that have nothing to show."""
    built = {name: build(config) for name, build in DASHBOARDS.items()}
    fed = {name: content for name, content in built.items() if _asks_anything(content)}
    gone = {content["uid"] for name, content in built.items() if name not in fed}
    is_usual = not gone and dashboard_uid("", config) == "" and datasource_uid(config) == DATASOURCE_UID
    if is_usual and datasource_name(config) == "Prometheus":
        return fed
    return {name: _placed(content, config, gone) for name, content in fed.items()}


def _asks_anything(content: dict[str, Any]) -> bool:
    return any(panel["type"] not in _EMPTY for panel in content["panels"])


def _placed(content: dict[str, Any], config: Config, gone: Collection[str]) -> dict[str, Any]:
    placed: dict[str, Any] = _renamed(content, config, gone)
    placed["uid"] = dashboard_uid(content["uid"], config)
    for variable in placed["templating"]["list"]:
        if variable["type"] == "datasource":
            variable["current"] = {"text": datasource_name(config), "value": datasource_uid(config)}
    return placed


def _renamed(content: Any, config: Config, gone: Collection[str]) -> Any:
    """The same with links to the dashboards' uids here, without those to dashboards that are not there."""
    match content:
        case str():
            return _LINK.sub(lambda found: f"/d/{dashboard_uid(found[1], config)}", content)
        case dict():
            return {key: _renamed(value, config, gone) for key, value in content.items()}
        case list():
            return [_renamed(item, config, gone) for item in content if not _leads_to(item, gone)]
        case _:
            return content


def _leads_to(item: Any, gone: Collection[str]) -> bool:
    link = _LINK.search(str(item.get("url", ""))) if isinstance(item, dict) else None
    return link is not None and link[1] in gone
