"""The order in which the events of life happen: whole lives, and a short one."""

from collections.abc import Iterable

from tests.life import events
from tests.life.event import Event, Scene


def _one_by_one(happening: Iterable[Event]) -> tuple[Scene, ...]:
    return tuple(Scene((event,)) for event in happening)


LIFE = (
    *_one_by_one((events.QUIET, events.COUNTER_RESET)),
    Scene(
        (events.DRIFT,),
        _one_by_one((
            *events.MISSED, events.EXPORTER_RESTART, events.PROMETHEUS_RESTART, events.ALERTMANAGER_AWAY,
        )),
    ),
    # A new Prometheus has forgotten what is over; the other tells of it for 15 minutes, with what begins then.
    *_one_by_one((events.PROMETHEUS_RESTART,)),
    Scene((events.FAILING,), _one_by_one((events.COUNTER_RESET,))),
    # Without a `for`, so that what is told as resolved too early fires again at once.
    Scene((events.SILENT,), _one_by_one((events.RESTART_INSIDE_KEEP_WINDOW,))),
    *_one_by_one((
        events.CARRIER_AWAY, events.STORE_GONE, events.DARK, events.NO_CHECK, events.PROMETHEUS_RESTART,
        events.DARK_WHILE_ALERTMANAGER_IS_AWAY,
    )),
    Scene((events.NO_REFERENCE, events.NO_EVALUATION)),
    *_one_by_one((*events.EXPORTS_STOP, events.REFUSED)),
)  # fmt: skip
SHORT = (
    Scene((events.DRIFT,), _one_by_one((events.MISSED[-1], events.EXPORTER_RESTART))),
    Scene((events.SILENT, events.NO_REFERENCE, events.NO_EVALUATION)),
)
