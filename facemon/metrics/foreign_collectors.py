"""Collectors of others beside the store's: each costs at most its own metrics, whatever it does."""

import importlib
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from facemon.errors import FacemonError
from facemon.values.metric_catalogue import CATALOGUE

_SOURCE_UP = "facemon_source_up"


def import_collector(path: str, folder: Path) -> Any:
    """The object with `collect()` that `package.module:Name` names; a class is called first.

    Modules beside the configuration, in `folder`, are found too. FacemonError when there is no such thing.
    """
    module_name, _, name = path.partition(":")
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    try:
        found = getattr(importlib.import_module(module_name), name)
        found = found if hasattr(found, "collect") and not isinstance(found, type) else found()
    except Exception as error:
        raise FacemonError(
            f"the collector {path} cannot be made: {type(error).__name__}: {error}",
            "exporter.collectors names package.module:Name of an object with collect(), or of what makes one",
        ) from error
    if not callable(getattr(found, "collect", None)):
        raise FacemonError(f"the collector {path} has no method collect()", "prometheus_client.registry.Collector has")
    return found


@dataclass
class _Source:
    """A collector, its calls in a thread of their own, and what was last said of it."""

    path: str
    collect: Callable[[], Iterable[Family]]
    is_running: bool = False
    trouble: str | None = None


class ForeignCollectors(Collector):
    """The store's metrics, then those of some collectors, and for each of them whether it could be read."""

    def __init__(
        self,
        stored: CollectorRegistry,
        collectors: Iterable[tuple[str, Any]],
        *,
        timeout: float,
        tell: Callable[[str], None],
    ) -> None:
        """`collectors` are import paths and what they name; each has `timeout` seconds in a scrape.

        `tell` hears once when one cannot be read, and once when it can again.
        """
        self._stored = stored
        self._sources = [_Source(path, collector.collect) for path, collector in collectors]
        self._timeout = timeout
        self._tell = tell
        self._asking = threading.Lock()
        """Of two scrapes at once the second waits: a call that still runs would look like one that hangs."""

    def describe(self) -> list[Family]:
        """Nothing, so that registering asks nobody."""
        return []

    def registry(self) -> CollectorRegistry:
        """All of it as a registry of its own."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return registry

    def collect(self) -> Iterator[Family]:
        """All families that are sound."""
        with self._asking:
            sound = self._sound()
        for family in self._stored.collect():
            if family.name == _SOURCE_UP and isinstance(family, GaugeMetricFamily):
                for source in self._sources:
                    family.add_metric((source.path,), float(source.trouble is None))
            yield family
        yield from sound

    def _sound(self) -> list[Family]:
        begun = [(source, self._begin(source)) for source in self._sources]
        deadline = time.monotonic() + self._timeout
        sound: list[Family] = []
        taken = set(CATALOGUE)
        for source, answer in begun:
            families = self._families(answer, deadline, taken)
            self._note(source, families if isinstance(families, str) else None)
            if not isinstance(families, str):
                taken |= {name for family in families for name in _names(family)}
                sound += families
        return sound

    def _begin(self, source: _Source) -> "SimpleQueue[list[Family] | str] | None":
        """Call a collector in a thread; not again while its last call has not ended."""
        if source.is_running:
            return None
        answer: SimpleQueue[list[Family] | str] = SimpleQueue()
        source.is_running = True

        def call() -> None:
            try:
                answer.put(list(source.collect()))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is theirs
                answer.put(f"{type(error).__name__}: {error}")
            finally:
                source.is_running = False

        threading.Thread(target=call, name=source.path, daemon=True).start()
        return answer

    def _families(
        self, answer: "SimpleQueue[list[Family] | str] | None", deadline: float, taken: set[str]
    ) -> list[Family] | str:
        """What a collector answered, or what is wrong with it."""
        left = max(0.0, deadline - time.monotonic())
        try:
            families = answer.get(timeout=left) if answer is not None else "it still hangs"
        except Empty:
            return f"it took longer than {self._timeout:g} s"
        if isinstance(families, str):
            return families
        for family in families:
            if not isinstance(family, Family):
                return f"it gave {type(family).__name__}, no metric family"
            if double := taken & set(_names(family)):
                return f"{min(double)} is exported already"
        names = [name for family in families for name in _names(family)]
        if len(names) != len(set(names)):
            return "it gave the same family twice"
        return _unwritable(families) or families

    def _note(self, source: _Source, trouble: str | None) -> None:
        if trouble and not source.trouble:
            self._tell(f"the collector {source.path} is left out: {trouble}")
        elif source.trouble and not trouble:
            self._tell(f"the collector {source.path} can be read again")
        source.trouble = trouble


def _names(family: Family) -> list[str]:
    return [family.name, *{sample.name for sample in family.samples} - {family.name}]


def _unwritable(families: list[Family]) -> str | None:
    """Why the families cannot be written as text, which would cost the whole page."""

    class _Given:
        def collect(self) -> list[Family]:
            return families

    try:
        generate_latest(_Given())
    except Exception as error:  # noqa: BLE001 - their values may be anything
        return f"its metrics cannot be written: {type(error).__name__}: {error}"
    return None
