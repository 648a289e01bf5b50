"""Dashboards for import by hand: after Grafana has asked for the data source they are the provisioned ones."""

import json
import re
from typing import Any

import pytest

from facemon.render.dashboards import DASHBOARDS
from facemon.render.dashboards.importable import importable
from facemon.render.rendered_content import panels
from facemon.render.stack import Part
from tests.render.configurations import CONFIGURATIONS, DEFAULTS, config_of, stack_of

_VARIABLE = re.compile(r"\$\{(.+?)\}")


def imported(text: str, given: dict[str, str]) -> Any:
    """What Grafana makes of a file: in each text the inputs are replaced, and nothing else is."""
    content = json.loads(text)
    inputs = {asked["name"]: given[asked["pluginId"]] for asked in content.pop("__inputs")}

    def replaced(value: Any) -> Any:
        match value:
            case str():
                return _VARIABLE.sub(lambda found: inputs.get(found[1], found[0]), value)
            case dict():
                return {key: replaced(each) for key, each in value.items()}
            case list():
                return [replaced(each) for each in value]
        return value

    return replaced(content)


@pytest.mark.parametrize("text", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
@pytest.mark.parametrize("name", DASHBOARDS)
def test_it_is_the_provisioned_one_of_the_chosen_data_source(name: str, text: str) -> None:
    provisioned = DASHBOARDS[name](config_of(text))
    before = json.dumps(provisioned)
    found = imported(json.dumps(importable(provisioned)), {"prometheus": "uid-7"})
    assert json.dumps(provisioned) == before
    required = found.pop("__requires")
    assert (found.pop("id"), found.pop("editable")) == (None, True)
    (source,) = (each for each in found["templating"]["list"] if each["type"] == "datasource")
    assert source.pop("current") == {"text": "uid-7", "value": "uid-7"}
    del provisioned["editable"]
    (source,) = (each for each in provisioned["templating"]["list"] if each["type"] == "datasource")
    del source["current"]
    assert found == provisioned
    kinds = {panel["type"] for _, panel in panels(provisioned)} - {"row"}
    assert {each["id"] for each in required if each["type"] == "panel"} == kinds


def test_they_are_rendered_where_that_is_configured_outside_of_the_provisioned_folder() -> None:
    folder = "monitoring/grafana/import"
    assert not any(path.startswith(folder) for path in stack_of(DEFAULTS, Part.GRAFANA).files)
    files = stack_of("grafana: {import_files: true}", Part.GRAFANA).files
    assert {path for path in files if path.startswith(folder)} == {f"{folder}/{name}" for name in DASHBOARDS}
