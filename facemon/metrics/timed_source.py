"""A source of metrics that may hang: called in another thread, once at a time, waited for up to a limit."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence

from prometheus_client.core import Metric as Family

from facemon.daemon_threads import DaemonThreads

_MAX_SAMPLES = 50_000
"""Of one source in one scrape: one that never stops yielding would take all memory."""


class SourceFault(Exception):
    """Why a source has no metrics this time."""


class TimedSource:
    """A source by its name, and the call that is on its way, if any."""

    def __init__(self, name: str, collect: Callable[[], Iterable[Family]]) -> None:
        self.name = name
        self._collect = collect
        self._threads = DaemonThreads(f"collect {name}")
        self._lock = threading.Lock()
        self._call: _Call | None = None
        self._is_down = False

    def begin(self) -> "_Call":
        """A call that has just begun; while the last one still runs, that one, so that threads never pile up."""
        with self._lock:
            if self._call is None or self._call.is_over:
                self._call = _Call(self._collect, self._threads)
            return self._call

    def turned(self, *, is_down: bool) -> bool:
        """Note how it went; whether that is news: it was up before, or never asked, and now is not, or the reverse."""
        with self._lock:
            was_down, self._is_down = self._is_down, is_down
            return was_down != is_down


class _Call:
    def __init__(self, collect: Callable[[], Iterable[Family]], threads: DaemonThreads) -> None:
        self._collect = collect
        self._began = time.monotonic()
        self._over = threading.Event()
        self._late = ""
        """Why it has been given up, if it has."""
        self._families: list[Family] = []
        self._fault: str | None = None
        threads.run(self._run)

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    def families(self, limit: float) -> Sequence[Family]:
        """What it yielded; SourceFault when it raised, or is not done `limit` seconds after it began."""
        if not self._over.wait(max(0.0, self._began + limit - time.monotonic())):
            self._late = f"it did not end within {limit:g} s"
            raise SourceFault(self._late)
        if self._fault is not None:
            raise SourceFault(self._fault)
        return self._families

    def _run(self) -> None:
        try:
            self._fill()
        except SourceFault as fault:
            self._fault = str(fault)
        except BaseException as error:  # noqa: BLE001 - other people's code: an exit, too, costs only its own metrics
            self._fault = f"it raised {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        finally:
            self._over.set()

    def _fill(self) -> None:
        count = 0
        for family in self._collect():
            if self._late:
                # Not all that it has: the scrape that waits for this call now must not take it for that.
                raise SourceFault(self._late)
            self._families.append(family)
            count += len(family.samples)
            if count > _MAX_SAMPLES:
                raise SourceFault(f"it yields more than {_MAX_SAMPLES} samples")
