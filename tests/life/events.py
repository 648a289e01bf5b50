"""The events of ordinary life, as data."""

import time
from collections.abc import Callable
from datetime import timedelta

from tests.life.between_scrapes import wait_until_nothing_is_scraped
from tests.life.event import Change, Event, Told
from tests.life.setting import EXPORTED_WITHIN_S, TEAM, Setting
from tests.life.world import World

_MINUTE = 60.0
_SCRAPE = 15.0
_LONG = 10 * _MINUTE
_SOON = 2 * _SCRAPE
"""How long before it is due an age is set back to, in usual seconds."""


def _sleep(world: World, usual_s: float) -> None:
    time.sleep(usual_s * world.setting.scale)


def _missed(scrapes: int) -> Change:
    def miss(world: World) -> None:
        world.pause_carrier(True)
        # Half a scrape more or less than so many, wherever between two scrapes it begins.
        _sleep(world, scrapes * _SCRAPE)
        world.pause_carrier(False)

    return miss


def _restart_exporters(world: World) -> None:
    for server in {world.exporter, world.carrier}:
        server.off()
        server.on()


def _restart_prometheus(world: World) -> None:
    wait_until_nothing_is_scraped(world.prometheus.server.url, world.setting.interval_s)
    world.prometheus.off()
    world.prometheus.on()


def _restart_inside_keep_window(world: World) -> None:
    world.pause_carrier(True)
    _sleep(world, 2 * _SCRAPE)
    _restart_prometheus(world)
    world.pause_carrier(False)


def _alertmanager_away(world: World) -> None:
    world.alertmanager.off()
    _sleep(world, _LONG)
    world.alertmanager.on()


def _while_alertmanager_is_away(change: Change) -> Change:
    def away(world: World) -> None:
        world.alertmanager.off()
        change(world)
        _sleep(world, _LONG / 2)
        world.alertmanager.on()

    return away


def _drift(world: World) -> None:
    world.store.evaluate(0.5)
    world.store.check(drifted=True)


def _no_drift(world: World) -> None:
    world.store.evaluate(0.95)
    world.store.check()


def _fail_among_probes(world: World) -> None:
    # One in four scrapes is one a minute; with more requests that an error rate needs, twice as many as it needs.
    scrapes_in_window = 300 / _SCRAPE
    often = int(scrapes_in_window / (2 * world.setting.min_requests))
    world.api.fail(one_in_scrapes=max(1, min(4, often)))


def _set_back(command: str, usual: timedelta) -> Change:
    def set_back(world: World) -> None:
        world.store.ran(command, usual - timedelta(seconds=_SOON * world.setting.scale))

    return set_back


def _check_set_back(world: World) -> None:
    world.store.check(age=timedelta(hours=26) - timedelta(seconds=_SOON * world.setting.scale))


def _refuse(world: World) -> None:
    world.receivers[TEAM].answers = 400
    world.store.check(silent=world.setting.camera_names[0])


def _accept(world: World) -> None:
    world.receivers[TEAM].answers = 200


def _travels_by(path: str) -> Callable[[Setting], bool]:
    return lambda setting: setting.path == path


QUIET = Event("all is well, but for other people's jobs", lambda world: _sleep(world, 2 * _MINUTE))
DRIFT = Event(
    "all attributes drift, and the accuracy is low", _drift, _no_drift,
    (Told("DriftDetected"), Told("LowModelAccuracy")),
)  # fmt: skip
MISSED = tuple(Event(f"{count} missed scrapes", _missed(count)) for count in (1, 2, 3))
EXPORTER_RESTART = Event("restart of the exporter", _restart_exporters)
PROMETHEUS_RESTART = Event("restart of Prometheus", _restart_prometheus)
RESTART_INSIDE_KEEP_WINDOW = Event(
    "restart of Prometheus while scrapes are missed",
    _restart_inside_keep_window,
    may_resolve_early=True,
    lasts_s=5 * _MINUTE,
)
ALERTMANAGER_AWAY = Event("Alertmanager away for ten minutes", _alertmanager_away, may=frozenset({"TargetDown"}))
DARK_WHILE_ALERTMANAGER_IS_AWAY = Event(
    "a camera is dark, and later is not, while Alertmanager is away",
    _while_alertmanager_is_away(lambda world: world.store.check(dark=world.setting.camera_names[0])),
    _while_alertmanager_is_away(lambda world: world.store.check()), (Told("SourceDrift", after_s=_LONG / 2),),
    may=frozenset({"TargetDown"}),
)  # fmt: skip
COUNTER_RESET = Event("counter reset", lambda world: world.api.restart())
FAILING = Event(
    "every prediction fails, among probes", _fail_among_probes, lambda world: world.api.recover(),
    (Told("HighErrorRate", after_s=5 * _MINUTE),), lasts_s=_LONG,
)  # fmt: skip
CARRIER_AWAY = Event(
    "the exporter away for ten minutes", lambda world: world.carrier.off(), lambda world: world.carrier.on(),
    (Told("TargetDown"),), lasts_s=_LONG,
)  # fmt: skip
STORE_GONE = Event(
    "the store is gone", lambda world: world.store.vanish(), lambda world: world.store.return_(),
    (Told("SourceUnreadable", names=("store",)),), lasts_s=_LONG,
)  # fmt: skip
DARK = Event(
    "one camera is dark", lambda world: world.store.check(dark=world.setting.camera_names[0]),
    lambda world: world.store.check(), (Told("SourceDrift", names=("camera-1",)),),
)  # fmt: skip
SILENT = Event(
    "one camera is silent", lambda world: world.store.check(silent=world.setting.camera_names[-1]),
    lambda world: world.store.check(), (Told("SourceSilent", names=("camera-",)),),
)  # fmt: skip
NO_CHECK = Event(
    "no drift check for 26 hours", _check_set_back, lambda world: world.store.check(),
    (Told("DriftCheckStale", after_s=_SOON, names=("drift-check",)),),
)  # fmt: skip
NO_REFERENCE = Event(
    "no new reference for 90 days", _set_back("reference", timedelta(days=90)),
    lambda world: world.store.ran("reference"), (Told("ReferenceStale", after_s=_SOON, names=("reference",)),),
)  # fmt: skip
NO_EVALUATION = Event(
    "no evaluation for 30 days", _set_back("evaluate", timedelta(days=30)), lambda world: world.store.ran("evaluate"),
    (Told("AccuracyStale", after_s=_SOON, names=("evaluate",)),),
)  # fmt: skip
EXPORTS_STOP = tuple(
    Event(
        f"exports by {path} stop", lambda world: world.exports.off(), lambda world: world.exports.on(),
        (Told(alert, after_s=EXPORTED_WITHIN_S, names=("facemon export-metrics",)),), happens=_travels_by(path),
    )
    for path, alert in (("textfile", "TextfileStale"), ("pushgateway", "PushStale"))
)  # fmt: skip
REFUSED = Event(
    "a receiver refuses everything", _refuse, _accept,
    (Told("NotificationsFailing", after_s=_MINUTE / 2),), may=frozenset({"SourceSilent"}),
)  # fmt: skip
