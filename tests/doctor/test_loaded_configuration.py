"""A rendered configuration equals what each generation of Alertmanager shows after it was loaded; a change is seen."""

import copy
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from facemon.doctor.alertmanager_facts import alertmanager_facts
from facemon.doctor.loaded_configuration import differences
from facemon.render.alertmanager_config import alertmanager_config
from facemon.render.purpose import fitted
from facemon.render.stack_text import yaml_text
from tests.render.configurations import DIRECTORY, config_of
from tests.render.random_configurations import sampled
from tests.servers import run_alertmanager

pytestmark = [pytest.mark.slow, pytest.mark.servers]
SEED, COUNT = 11, 12
RENDERED = {
    "route": {"receiver": "a", "group_wait": "90s", "routes": [{"matchers": ['x="1"', 'a="2"'], "receiver": "b"}]},
    "receivers": [{"name": "a", "webhook_configs": [{"url": "http://localhost:9/x", "send_resolved": True}]}],
}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda c: c["route"].update(receiver="b"), "route.receiver"),
        (lambda c: c["route"].pop("group_wait"), "route.group_wait"),
        (lambda c: c["route"].update(group_wait="1m31s"), "route.group_wait"),
        (lambda c: c["route"]["routes"].append({"receiver": "c"}), "route.routes"),
        (lambda c: c["route"]["routes"][0]["matchers"].pop(), "route.routes[0].matchers"),
        (lambda c: c["route"]["routes"][0].update(mute_time_intervals=["x"]), "route.routes[0].mute_time_intervals"),
        (lambda c: c["route"]["routes"][0].update(routes=[{"receiver": "c"}]), "route.routes[0].routes"),
        (lambda c: c["route"]["routes"][0].update(match_re={"x": ".+"}), "route.routes[0].match_re"),
        (lambda c: c.update(inhibit_rules=[{"source_matchers": ['x="1"']}]), "inhibit_rules"),
        (lambda c: c["receivers"].clear(), "receivers"),
        (lambda c: c.pop("receivers"), "receivers"),
    ],
)
def test_changes_are_seen(change: Any, place: str) -> None:
    loaded = copy.deepcopy(RENDERED)
    change(loaded)
    assert list(differences(RENDERED, loaded)) == [place]


def test_spellings_are_no_change() -> None:
    loaded: Any = copy.deepcopy(RENDERED)
    loaded["route"]["group_wait"] = "1m30s"
    loaded["route"]["routes"][0]["matchers"].sort()
    loaded["route"]["routes"][0]["continue"] = False
    loaded["receivers"][0]["webhook_configs"][0]["url"] = "<secret>"
    loaded["global"] = {"resolve_timeout": "5m"}
    loaded["mute_time_intervals"], loaded["inhibit_rules"] = [{"name": "of no route"}], []
    assert list(differences(RENDERED, loaded)) == []


def test_what_was_loaded_is_what_was_rendered(each_generation: Path, tmp_path: Path) -> None:
    """Secrets' files are named, not read, until something is sent."""
    newest = (0, 25) if each_generation.name == "servers" else (0, 33)
    configs = [fitted(config_of(text), DIRECTORY) for text in sampled(COUNT, SEED)]
    rendered = [alertmanager_config(each) for each in configs if each.alertmanager.version <= newest]
    assert rendered
    path = tmp_path / "alertmanager.yml"
    path.write_text("route: {receiver: a}\nreceivers: [{name: a}]\n")
    with run_alertmanager(each_generation, path, tmp_path) as server:
        for content in rendered:
            path.write_text(yaml_text(content))
            urllib.request.urlopen(urllib.request.Request(f"{server.url}/-/reload", method="POST")).close()
            assert list(differences(content, alertmanager_facts(server.url).configuration)) == []
