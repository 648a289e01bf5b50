"""Every key of the dashboards is one that Grafana's own types know; what they do not know they do not write."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from facemon.render.dashboards import DASHBOARDS
from tests.render.configurations import CONFIGURATIONS, config_of

models = pytest.importorskip("grafana_foundation_sdk.models.dashboard", reason="pip install -e '.[dev]'")
encoder = pytest.importorskip("grafana_foundation_sdk.cog.encoder")
plugins = pytest.importorskip("grafana_foundation_sdk.cog.plugins")


def read_back(dashboard: dict[str, Any]) -> Any:
    plugins.register_default_plugins()
    return json.loads(encoder.JSONEncoder().encode(models.Dashboard.from_json(dashboard)))


def lost(before: Any, after: Any, place: str = "") -> Iterator[str]:
    """Where what was read differs from what was written; keys that were added as defaults are no loss."""
    match before:
        case dict():
            for key, value in before.items():
                yield from lost(value, after[key], f"{place}.{key}") if key in after else [f"{place}.{key}"]
        case list():
            for index, (one, other) in enumerate(zip(before, after, strict=True)):
                yield from lost(one, other, f"{place}[{index}]")
        case _ if before != after:
            yield place


@pytest.mark.parametrize("text", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_key_is_known(name: str, text: str) -> None:
    content = DASHBOARDS[name](config_of(text))
    assert list(lost(content, read_back(content))) == []


@pytest.mark.parametrize("place", ["fieldConfig.defaults.custom", "options.legend", "targets.0", ""])
def test_a_key_that_nobody_knows_is_noticed(place: str) -> None:
    content = DASHBOARDS["ml_metrics.json"](config_of(""))
    (panel,) = (panel for panel in content["panels"] if panel["id"] == 4)
    for key in filter(None, place.split(".")):
        panel = panel[int(key)] if key.isdigit() else panel[key]
    panel["unheard_of"] = True
    assert [each.rpartition(".")[2] for each in lost(content, read_back(content))] == ["unheard_of"]
