"""Random set-ups to live through: what is watched, how its metrics travel, and how much shorter each time is."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import yaml

from facemon.config.document import Config
from facemon.config.durations import format_duration
from facemon.config.loader import parse_config
from facemon.config.prometheus import TRANSPORT_JOBS, Transport
from facemon.render.alert_rules import alerts_of
from tests.patience import SLOWNESS

MODEL_NAME, MODEL_VERSION = "faces", "1"
TEAM, OPERATIONS, DEAD_MAN = "team", "operations", "dead man"
"""The receivers: of everything, of what concerns the monitoring itself, and of the Watchdog."""
_USUAL_INTERVAL_S = 15.0
_USUAL_GROUP_WAIT_S = 30.0
_LONG_FOR_S = 300.0
_SLOWEST = 2.0
_PATHS: tuple[Transport, ...] = ("exporter", "textfile", "pushgateway")
EXPORTED_WITHIN_S = 16 * 60.0
"""How old exports may be, in usual seconds."""
PROMETHEUS_FLAGS: Mapping[str, float] = {"--rules.alert.for-grace-period": 60.0, "--rules.alert.resend-delay": 120.0}
"""In usual seconds; the first as the rendered compose file has it.

An alert that Prometheus has sent holds for four times the second, which is a minute by default. It is two here: after a
start Prometheus looks for Alertmanagers only after five seconds, on any scale, and alerts must not end in that time.
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """One set-up; every time is as much shorter than usual as its scrape interval is shorter than 15 seconds."""

    number: int
    generation: str
    """The folder of the servers below `.tools`."""
    interval_ms: int
    path: Transport
    """How the store's metrics leave it."""
    attributes: int
    cameras: int
    site: str | None
    group_interval_s: float
    """In usual seconds, like all other times here."""
    for_factor: float
    min_requests: int
    is_shared: bool = True
    """Whether its Prometheus scrapes jobs of other people too."""

    @property
    def scale(self) -> float:
        """What one usual second takes."""
        return self.interval_ms / 1000 / _USUAL_INTERVAL_S

    @property
    def interval_s(self) -> float:
        """Seconds from one scrape to the next."""
        return self.interval_ms / 1000

    @property
    def group_wait_s(self) -> float:
        """Seconds that Alertmanager waits for more alerts of a new group."""
        return _USUAL_GROUP_WAIT_S * self.scale

    @property
    def attribute_names(self) -> tuple[str, ...]:
        """The model's attributes; the first two are those of the logged rows."""
        return ("gender", "age", *(f"trait_{number:02}" for number in range(3, self.attributes + 1)))

    @property
    def camera_names(self) -> tuple[str, ...]:
        """The sources of the images."""
        return tuple(f"camera-{number}" for number in range(1, self.cameras + 1))

    @property
    def flags(self) -> tuple[str, ...]:
        """The options of Prometheus that have times in them."""
        return tuple(f"{flag}={self.duration(seconds)}" for flag, seconds in PROMETHEUS_FLAGS.items())

    def duration(self, usual_s: float) -> str:
        """A usual time as this set-up has it, as text."""
        return format_duration(timedelta(milliseconds=max(1, round(usual_s * self.scale * 1000))))

    def __str__(self) -> str:
        """The set-up in a few words."""
        site = "" if self.site is None else f", site {self.site}"
        return (
            f"configuration {self.number} on {self.generation}: by {self.path}, {self.attributes} attributes, "
            f"{self.cameras} cameras{site}, scrapes each {self.interval_ms} ms"
        )


def settings(count: int, seed: int, generations: tuple[str, ...]) -> list[Setting]:
    """So many random set-ups, each on every generation of servers; the same for the same seed."""
    return [
        _setting(number, generation, Random(f"life/{seed}/{number}"))
        for number in range(1, count + 1)
        for generation in generations
    ]


def scrape_interval_ms(idle_ms: int) -> int:
    """The scrape interval on this machine as it is now, from one for an idle machine: a scrape must end within it."""
    return round(idle_ms * min(_SLOWEST, SLOWNESS))


def _setting(number: int, generation: str, random: Random) -> Setting:
    return Setting(
        number=number,
        generation=generation,
        interval_ms=scrape_interval_ms(random.choice((500, 600))),
        # In turn, so that few set-ups have every path too.
        path=_PATHS[number % len(_PATHS)],
        attributes=random.choice((2, 5, 17, 40)),
        cameras=random.choice((2, 3, 7, 12)),
        site=random.choice((None, "north", "Hall 3")),
        group_interval_s=random.choice((60.0, 90.0, 150.0)),
        for_factor=random.choice((0.5, 0.8, 1.0)),
        min_requests=random.choice((1, 2, 5)),
    )


def configuration(setting: Setting, ports: Mapping[str, int], hooks: Mapping[str, str], folder: Path) -> str:
    """The facemon.yaml of a set-up whose servers listen on these ports, and whose receivers are at these addresses."""
    document = _document(setting, ports, hooks)
    # The same in usual times, because some of what facemon has follows other times.
    usual_interval_ms = round(_USUAL_INTERVAL_S * 1000)
    as_usual = yaml.safe_dump(_document(replace(setting, interval_ms=usual_interval_ms), ports, hooks))
    usual = parse_config(as_usual, name="facemon.yaml", directory=folder)
    for name, change in _shorter(setting, usual).items():
        document["alerts"].setdefault(name, {}).update(change)
    return yaml.safe_dump(document, sort_keys=False)


def _document(setting: Setting, ports: Mapping[str, int], hooks: Mapping[str, str]) -> dict[str, Any]:
    jobs = ["api", "exporter", "prometheus", "alertmanager"]
    if (job := TRANSPORT_JOBS[setting.path]) not in jobs:
        jobs.append(job)
    site = {} if setting.site is None else {"site": setting.site}
    return {
        "version": 1,
        "model": {"name": MODEL_NAME, "version": MODEL_VERSION, "networks": [_network(setting)]},
        "metrics": {"labels": site},
        "prometheus": {
            "scrape_interval": f"{setting.interval_ms}ms",
            "rate_window": setting.duration(300),
            "store_metrics_from": setting.path,
            "jobs": jobs,
            "targets": {job: [f"127.0.0.1:{ports[job]}"] for job in jobs},
            # What was pushed has any job; a label of the targets says whose it is.
            "target_labels": {"team": "vision"} if setting.path == "pushgateway" else {},
            "alertmanagers": [f"127.0.0.1:{ports['alertmanager']}"],
        },
        "alerts": {"HighErrorRate": {"min_requests": setting.min_requests}, **_stale(setting)},
        "alertmanager": {
            "target_version": "0.25",
            "receivers": [{"name": name, "webhook": [{"url": url}]} for name, url in hooks.items()],
            "routes": [{"match": {"area": "stack"}, "receiver": OPERATIONS}],
            "dead_man": {"receiver": DEAD_MAN, "repeat_interval": setting.duration(300)},
            "group_wait": setting.duration(_USUAL_GROUP_WAIT_S),
            "group_interval": setting.duration(setting.group_interval_s),
            "repeat_interval": setting.duration(4 * 3600),
        },
    }


def _stale(setting: Setting) -> dict[str, Any]:
    """How old an export may be, longer than any other trouble lasts."""
    return {
        name: {"threshold": setting.duration(EXPORTED_WITHIN_S)}
        for name in ("ExportStale", "TextfileStale", "PushStale")
    }


def _network(setting: Setting) -> dict[str, Any]:
    numbers = {"kind": "ordinal", "values": [5, 30, 70], "bands": {"young": [0, 18], "old": [18, 99]}}
    labels = {"kind": "categorical", "labels": ["female", "male"]}
    return {
        "path": "faces.onnx",
        "input": {"name": "input", "size": [8, 8]},
        "attributes": [
            {"name": name, "output": name, **(numbers if name == "age" else labels)} for name in setting.attribute_names
        ],
    }


def _shorter(setting: Setting, usual: Config) -> dict[str, dict[str, Any]]:
    """The `for` of each built-in alert, as facemon has it or shorter, in the times of the set-up."""
    usual_s = {alert.name: alert.for_.total_seconds() for alert in alerts_of(usual) if alert.for_}
    # Short ones stay: a restart must pass unnoticed.
    return {
        name: {"for": setting.duration(seconds * (setting.for_factor if seconds >= _LONG_FOR_S else 1.0))}
        for name, seconds in usual_s.items()
    }
