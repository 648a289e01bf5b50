"""A short life on real servers: drift beside missed scrapes and a restart, a silent camera, old stamps."""

from pathlib import Path

import pytest

from tests.life.play import live
from tests.life.script import SHORT
from tests.life.setting import Setting, scrape_interval_ms
from tests.patience import HANG_S

pytestmark = [pytest.mark.servers, pytest.mark.slow]


def test_each_incident_is_told_once(newer_servers: Path, tmp_path: Path) -> None:
    interval_ms = scrape_interval_ms(500)
    setting = Setting(0, "newer_servers", interval_ms, "exporter", 40, 3, "Hall 3", 60, for_factor=0.2, min_requests=1)
    life = live(setting, SHORT, newer_servers, tmp_path, patience_s=HANG_S / 4)
    assert life.faults == []
    assert life.events.keys() == {event.name for scene in SHORT for event in scene.all_events()}
    assert {(way.event, way.alert) for way in life.ways} == {
        (event.name, alert.alert) for scene in SHORT for event in scene.all_events() for alert in event.told
    }
