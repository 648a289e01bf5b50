"""What serve-metrics exports under one configuration after another, each taken whole or not at all."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric as Family

from facemon.config.document import Config
from facemon.config.loader import placed_error
from facemon.config.yaml_source import Keys
from facemon.domain.metric_catalogue import MetricGroup
from facemon.errors import FacemonError
from facemon.metrics.exported_metrics import STORE_SECONDS, ExportedMetrics
from facemon.metrics.foreign_collectors import load_collector
from facemon.metrics.service_probes import ServiceProbes
from facemon.metrics.store_collector import StoreCollector
from facemon.metrics.timed_source import SourceFault, TimedSource
from facemon.store.ledger.opening import open_ledger

Tell = Callable[[str], None]


class Exporter:
    """The store, the probes and the collectors of the configuration that it follows."""

    def __init__(self, warn: Tell, say: Tell) -> None:
        """`warn` is told what fails while it runs, `say` what works again."""
        self.registry = CollectorRegistry(auto_describe=False)
        """The registry of the newest configuration; another one after each `follow`."""
        self._warn = warn
        self._say = say
        self._probes = ServiceProbes(warn, say)
        self._foreign: dict[str, TimedSource] = {}
        self._store_path = Path()
        self._opening = TimedSource("readiness", self._open_store)

    def follow(self, config: Config, path: Path | None) -> None:
        """Export what this configuration, read from the file at `path`, says; ConfigError before anything changes.

        Probes and collectors that it shares with the one before go on as they are.
        """
        foreign = self._loaded(config, path)
        store = StoreCollector(
            partial(open_ledger, config.store.path, tell=self._say),
            config.model,
            tuple(MetricGroup),
            False,
            min_labels=config.evaluate.min_labels,
        )
        registry = CollectorRegistry(auto_describe=False)
        source = TimedSource("store", store.collect)
        foreign_sources = list(foreign.values())
        metrics = ExportedMetrics(config, source, foreign_sources, self._probes.family, self._warn, self._say)
        registry.register(metrics)
        self._probes.follow(config.exporter)
        self._store_path = config.store.path
        self._foreign, self.registry = foreign, registry

    def stop(self) -> None:
        """Ask no service any more."""
        self._probes.stop()

    def why_not_ready(self) -> str | None:
        """None when the store can be read, else the reason."""
        call = self._opening.begin()
        try:
            call.families(STORE_SECONDS)
        except SourceFault as fault:
            return str(fault) if call.is_over else f"the store in {self._store_path} does not answer"
        return None

    def _open_store(self) -> Iterable[Family]:
        try:
            open_ledger(self._store_path).close()
        except FacemonError as error:
            raise SourceFault(error.message) from error
        return ()

    def _loaded(self, config: Config, path: Path | None) -> dict[str, TimedSource]:
        sources: dict[str, TimedSource] = {}
        faults = list[tuple[Keys, str]]()
        for index, import_path in enumerate(config.exporter.collectors):
            try:
                sources[import_path] = self._foreign.get(import_path) or load_collector(import_path, config.directory)
            except FacemonError as error:
                faults.append((("exporter", "collectors", index), error.message))
        if faults:
            raise placed_error(path, faults)
        return sources
