"""Other people's collectors by import path: how one is found, and what it may yield."""

import importlib
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric as Family
from prometheus_client.core import Sample
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.registry import Collector

from facemon.config.trusted_file import may_hold_modules
from facemon.errors import FacemonError
from facemon.metrics.timed_source import SourceFault, TimedSource

_COLLECTORS = "exporter.collectors takes MODULE:NAME of a class or function of collectors, or of a collector"
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")
_SUFFIXES = {
    "counter": ("_total", "_created"),
    "summary": ("", "_sum", "_count", "_created"),
    "histogram": ("_bucket", "_sum", "_count", "_created"),
    "gaugehistogram": ("_bucket", "_gsum", "_gcount"),
    "info": ("_info",),
}
"""What the samples of each type of family may be called, after the family's own name; of other types, as it."""


class FamilyNames(NamedTuple):
    """A family's name, and those of its samples."""

    family: str
    series: frozenset[str]

    @property
    def all(self) -> frozenset[str]:
        """Every name that no other family may have."""
        return self.series | {self.family}


def names_of(name: str, kind: str) -> FamilyNames:
    """The names that a family takes, by its own name (a counter's without `_total`) and its Prometheus type."""
    return FamilyNames(name, frozenset(name + suffix for suffix in _SUFFIXES.get(kind, ("",))))


def load_collector(import_path: str, directory: Path) -> TimedSource:
    """The collector that `package.module:Name` names: an object with `collect()`, or what makes one without arguments.

    Modules in `directory` are found too, after all others, so that a stray file there hides no library; not where
    other users may write to it, as in /tmp. FacemonError when there is none, or when its code fails.
    """
    if str(directory) not in sys.path and may_hold_modules(directory):
        sys.path.append(str(directory))
        importlib.invalidate_caches()
    module_name, _, name = import_path.partition(":")
    module = _run(lambda: importlib.import_module(module_name), module_name)
    try:
        found = getattr(module, name)
    except AttributeError:
        raise FacemonError(f"{module.__file__ or module_name} has no {name}", _COLLECTORS) from None
    if isinstance(found, type) or not callable(getattr(found, "collect", None)):
        if not callable(found):
            raise FacemonError(f"{name} has no collect() and makes nothing that has", _COLLECTORS)
        found = _run(found, name)
    collect = getattr(found, "collect", None)
    if not callable(collect):
        raise FacemonError(f"{name} makes a {type(found).__name__}, which has no collect()", _COLLECTORS)
    return TimedSource(import_path, lambda: _checked_families(collect))


def _checked_families(collect: Callable[[], Iterable[object]]) -> Iterator[Family]:
    """What a collector yields, copied, since it may go on changing it; SourceFault for what would break a scrape."""
    seen = set[str]()
    for yielded in collect():
        if not isinstance(yielded, Family):
            raise SourceFault(f"it yields a {type(yielded).__name__}, which is not a metric family")
        if not _NAME.fullmatch(str(yielded.name)):
            raise SourceFault(f"it yields an invalid metric name: {str(yielded.name)[:100]!r}")
        family = _copied(yielded)
        names = names_of(family.name, family.type).all
        if twice := seen & names:
            raise SourceFault(f"it yields {min(twice)} twice")
        seen |= names
        _try_to_show(family)
        yield family


def _copied(yielded: Family) -> Family:
    family = Family(yielded.name, str(yielded.documentation), yielded.type, yielded.unit)
    series_names = names_of(family.name, family.type).series
    seen = set[tuple[str, tuple[tuple[str, str], ...]]]()
    for sample in list(yielded.samples):
        labels = dict(sample.labels)
        if sample.name not in series_names:
            raise SourceFault(f"{yielded.name} has a sample that is called {str(sample.name)[:100]!r}")
        if bad := next((label for label in labels if not _LABEL.fullmatch(str(label))), None):
            raise SourceFault(f"{yielded.name} has an invalid label name: {str(bad)[:100]!r}")
        if any(not isinstance(value, str) for value in labels.values()):
            raise SourceFault(f"{yielded.name} has a label whose value is not text")
        key = (sample.name, tuple(sorted(labels.items())))
        if key in seen:
            raise SourceFault(f"{yielded.name} has two series with the same labels")
        seen.add(key)
        family.samples.append(Sample(sample.name, labels, float(sample.value), sample.timestamp, sample.exemplar))
    return family


class _Given(Collector):
    def __init__(self, family: Family) -> None:
        self._family = family

    def collect(self) -> Iterator[Family]:
        yield self._family


def _try_to_show(family: Family) -> None:
    """Let it raise here whatever an exposition would make of it, rather than in everybody's scrape."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Given(family))
    generate_latest(registry)
    generate_openmetrics(registry)  # type: ignore[no-untyped-call]


def _run(step: Callable[[], Any], what: str) -> Any:
    try:
        return step()
    except ModuleNotFoundError as error:
        raise FacemonError(
            f"there is no module {error.name}, neither installed nor beside the configuration",
            "a folder that another user may write to is searched only if FACEMON_TRUST names it",
        ) from error
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if frame.filename != __file__ and not frame.filename.startswith("<frozen")]
        where = f" ({own[-1].filename}:{own[-1].lineno})" if own else ""
        raised = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise FacemonError(f"{what} raises {raised}{where}") from error
