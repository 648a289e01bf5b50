"""Draws panels of a rendered dashboard by Grafana's own components, with the answers of a real Prometheus.

Grafana's server cannot be had. What it does between an answer and a component is in tools/panels/panels.jsx.
"""

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

from fetch_panels import PANELS
from fetch_servers import TOOLS
from page_picture import Look, kept, taken
from picture_scene import CONFIGURATION, METRICS, NOW
from prometheus_client.parser import text_string_to_metric_families as read_text

from facemon.config.document import Config
from facemon.config.loader import parse_config
from facemon.render.dashboards import DASHBOARDS
from facemon.render.prometheus_config import own_targets
from facemon.render.promql import quoted
from tests.pages.browser import Browser
from tests.render.grafana_queries import DAY, Grafana
from tests.servers import promtool, run_prometheus
from tests.serving import serving

_SERVERS = TOOLS / "servers"
_LOOK = Look(height=1400)
_LOOKED_AT = NOW + timedelta(hours=9)
_SPACING = 120
"""Seconds between two scrapes: below the five minutes after which Prometheus forgets a series."""
_DRAWN = ("row", "text", "stat", "timeseries", "table")
"""Grafana's packages have no state timelines, pies and heatmaps."""
_WIDTH = 24
"""Units of the grid from one side of the dashboard to the other."""
_LAST = "Columns now"
"""The last panel of the picture."""
_PAGE = """<!doctype html><meta charset="utf-8"><title>Panels</title><link rel="stylesheet" href="panels.css">
<body><div id="root"></div><script>window.SCENE = {scene}</script><script src="panels.js"></script>"""

Snapshot = tuple[float, str]
"""When metrics were exported, in seconds since 1970, and the exposition."""


def draw_dashboard(chrome: Browser, scene: Path, image: Path) -> None:
    """Draw the upper rows of the dashboard ML Model Metrics as it is nine hours after the last check."""
    config = parse_config(CONFIGURATION, name="facemon.yaml", directory=scene)
    end = _LOOKED_AT.timestamp()
    dashboard = DASHBOARDS["ml_metrics.json"](config)
    with _grafana(config, exported(scene), end) as grafana:
        everything: Mapping[str, None] = dict.fromkeys(grafana.options(dashboard))
        panels = [answered(grafana, dashboard, panel, everything) for panel in upper_panels(dashboard["panels"])]
    content = {"from": end - 7 * DAY, "to": end, "width": _LOOK.width, "panels": panels}
    with _page_of(content) as url:
        page = chrome.page(width=_LOOK.width)
        # What lies below the window is not drawn by the table.
        size = {"width": _LOOK.width, "height": _LOOK.height}
        page.ask("Emulation.setDeviceMetricsOverride", **size, deviceScaleFactor=1, mobile=False)
        page.open(url)
        page.until(lambda: page.complaints() or page.evaluate("Boolean(window.DRAWN)"), "the panels are drawn")
        elsewhere = [each for each in page.requested() if not each.startswith(url)]
        if faults := [*page.complaints(), *elsewhere]:
            raise RuntimeError(f"the panels were not drawn: {faults}")
        kept(taken(page, _LOOK), image, has_photograph=False)


def exported(scene: Path) -> list[Snapshot]:
    """Return what was exported along the way, in the order of time."""
    files = (scene / METRICS).glob("*/facemon.prom")
    return sorted((float(file.parent.name), file.read_text(encoding="utf-8")) for file in files)


def scraped(snapshots: Sequence[Snapshot], target: Mapping[str, str], end: float) -> Iterator[str]:
    """Yield what a Prometheus has that scraped until the end, as OpenMetrics: each export counts until the next."""
    points = dict[str, list[tuple[float, float]]]()
    for (begin, text), (until, _) in pairwise([*snapshots, (end, "")]):
        for family in read_text(text):
            for sample in family.samples:
                labels = ",".join(f"{name}={quoted(value)}" for name, value in {**sample.labels, **target}.items())
                series = points.setdefault(f"{sample.name}{{{labels}}}", [])
                count = int((until - begin) // _SPACING)
                series += ((begin + number * _SPACING, sample.value) for number in range(count + 1))
    for head, values in points.items():
        # An export that comes exactly at a scrape counts once.
        yield from (f"{head} {value!r} {moment:.3f}\n" for moment, value in dict(values).items())
    yield "# EOF\n"


def upper_panels(panels: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the panels down to the last one of the picture, moved up to where others cannot be drawn."""
    left_out = 0
    for panel in panels:
        place = panel["gridPos"]
        if panel["type"] in _DRAWN:
            yield {**panel, "gridPos": {**place, "y": place["y"] - left_out}}
        elif place["w"] == _WIDTH:
            left_out += place["h"]
        if panel["title"] == _LAST:
            return


def answered(
    grafana: Grafana, dashboard: Mapping[str, Any], panel: Mapping[str, Any], choices: Mapping[str, None]
) -> dict[str, Any]:
    """Return the panel with what Prometheus answered to each of its queries."""
    asked = grafana.panels({**dashboard, "panels": [panel]}, choices)
    return {**panel, "answers": [{"step": each.step, "answer": each.answer} for each in asked]}


@contextmanager
def _grafana(config: Config, snapshots: Sequence[Snapshot], end: float) -> Iterator[Grafana]:
    """A user who looks at a real Prometheus that scraped the exporter."""
    (instance,) = own_targets("exporter", config)
    target = {"job": config.prometheus.job_name("exporter"), "instance": instance}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "metrics.txt").open("w", encoding="utf-8") as file:
            file.writelines(scraped(snapshots, target, end))
        command = ("tsdb", "create-blocks-from", "--max-block-duration=720h", "openmetrics")
        filled = promtool(_SERVERS, *command, folder / "metrics.txt", folder / "prometheus")
        if filled.returncode != 0:
            raise RuntimeError(f"promtool: {filled.stderr}")
        (folder / "prometheus.yml").write_text("{}", encoding="utf-8")
        for_good = ("--storage.tsdb.retention.time=100y",)
        with run_prometheus(_SERVERS, folder / "prometheus.yml", folder, extra_args=for_good) as prometheus:
            yield Grafana(prometheus.url, end)


@contextmanager
def _page_of(content: Mapping[str, Any]) -> Iterator[str]:
    """The address of a page that draws the panels; icons and fonts come from beside it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in PANELS.iterdir():
            (folder / path.name).symlink_to(path.resolve())
        scene = json.dumps(content).replace("</", "<\\/")
        (folder / "index.html").write_text(_PAGE.format(scene=scene), encoding="utf-8")
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=name))
        with serving(server):
            yield f"http://127.0.0.1:{server.server_port}/"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing of each request."""
