"""What the picture of the dashboard is made of: the exports as they were scraped, and the panels that can be drawn."""

import json
import re
from typing import Any

from fetch_panels import SOURCE
from panel_pictures import scraped, upper_panels
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics

from facemon.render.dashboards import DASHBOARDS
from tests.render.configurations import DEFAULTS, config_of

TARGET = {"job": "exporter", "instance": "exporter:8001"}
EARLIER = '# TYPE drift_score gauge\ndrift_score{attribute="age"} 0.25\ndrift_score{attribute="a\\"b"} 1\n'
LATER = '# TYPE drift_score gauge\ndrift_score{attribute="age"} 0.5\n'


def points(end: float) -> dict[str, list[tuple[float, float]]]:
    text = "".join(scraped([(1000.0, EARLIER), (1300.0, LATER)], TARGET, end))
    found: dict[str, list[tuple[float, float]]] = {}
    for family in read_openmetrics(text):  # type: ignore[no-untyped-call]
        for sample in family.samples:
            assert sample.labels.items() >= TARGET.items()
            found.setdefault(sample.labels["attribute"], []).append((float(sample.timestamp or 0), sample.value))
    return found


def test_an_export_counts_until_the_next_one() -> None:
    assert points(1400.0) == {
        "age": [(1000, 0.25), (1120, 0.25), (1240, 0.25), (1300, 0.5)],
        'a"b': [(1000, 1), (1120, 1), (1240, 1)],
    }


def test_the_last_export_counts_until_the_end_and_no_moment_has_two_values() -> None:
    assert points(1540.0)["age"][-2:] == [(1420, 0.5), (1540, 0.5)]
    text = [*scraped([(1000.0, EARLIER), (1240.0, LATER)], TARGET, 1300.0)]
    assert [line.split()[1:] for line in text if "age" in line] == [
        ["0.25", "1000.000"],
        ["0.25", "1120.000"],
        ["0.5", "1240.000"],
    ]


def test_panels_close_up_where_one_cannot_be_drawn() -> None:
    panels: list[dict[str, Any]] = DASHBOARDS["ml_metrics.json"](config_of(DEFAULTS))["panels"]
    shown = list(upper_panels(panels))
    assert {each["type"] for each in shown} == {"row", "text", "stat", "timeseries", "table"}
    assert [each["title"] for each in shown][-2:] == ["Drift score above its threshold", "Columns now"]
    *_, above, last = (each["gridPos"] for each in shown)
    assert last["y"] == above["y"] + above["h"]


def test_each_package_has_one_version() -> None:
    packages = json.loads((SOURCE / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert [name for name, version in packages.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []
