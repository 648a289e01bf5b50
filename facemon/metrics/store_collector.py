"""The store's metrics, read from the ledger at the moment they are asked for: committed values only."""

from collections.abc import Callable, Collection, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from facemon.config.evaluation import EvaluateConfig
from facemon.config.model import ModelConfig
from facemon.domain.metric_catalogue import MetricGroup
from facemon.errors import FacemonError
from facemon.metrics.store_families.registry import STORE_FAMILIES
from facemon.metrics.store_families.scrape import Scrape
from facemon.store.command_run import CommandRun
from facemon.store.ledger.protocol import Ledger
from facemon.store.total_families import gauge_family
from facemon.version import __version__

_MIN_LABELS = EvaluateConfig().min_labels


class StoreCollector(Collector):
    """Metric families from a ledger, opened again for each scrape so that a store that returns is seen."""

    def __init__(
        self,
        open_ledger: Callable[[], Ledger],
        model: ModelConfig,
        groups: Collection[MetricGroup],
        must_read: bool,
        announced: CommandRun | None = None,
        instance: str | None = None,
        *,
        min_labels: int = _MIN_LABELS,
    ) -> None:
        self._min_labels = min_labels
        self._instance = instance
        self._open_ledger = open_ledger
        self._model = model
        self._groups = groups
        self._must_read = must_read
        self._announced = announced
        """A run that is told as it will be entered, in place of the one before."""

    def describe(self) -> list[Family]:
        """Nothing, so that registering does not read the store."""
        return []

    def collect(self) -> Iterator[Family]:
        """Every family of the chosen groups that has a value.

        A broken store is `facemon_source_up 0`; with `must_read` it is a FacemonError.
        """
        yield gauge_family("facemon_build_info", [((__version__,), 1.0)])
        try:
            with self._open_ledger() as ledger:
                families = self.read(ledger)
        except FacemonError:
            if self._must_read:
                raise
            yield gauge_family("facemon_source_up", [(("store",), 0.0)])
            return
        yield gauge_family("facemon_source_up", [(("store",), 1.0)])
        yield from families

    def read(self, ledger: Ledger) -> list[Family]:
        """Return the store's families; FacemonError when the store cannot be read."""
        with ledger.reading():
            scrape = Scrape(ledger, self._model, self._instance, self._announced, self._min_labels)
            return [
                family
                for group, families in STORE_FAMILIES
                if group is None or group in self._groups
                for family in families(scrape)
            ]


def build_registry(
    open_ledger: Callable[[], Ledger],
    model: ModelConfig,
    groups: Collection[MetricGroup] = tuple(MetricGroup),
    *,
    must_read: bool = False,
    announced: CommandRun | None = None,
    instance: str | None = None,
    min_labels: int = _MIN_LABELS,
) -> CollectorRegistry:
    """A registry of its own, which holds the store's metrics and nothing else.

    `announced` is a run that is about to succeed: it is shown as if it had ended. With `instance` there are the metrics
    of the requests that the API on that address has answered too, or on any address for `EVERY_INSTANCE`. `min_labels`
    is how many true labels an accuracy needs (`evaluate.min_labels`).
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(StoreCollector(open_ledger, model, groups, must_read, announced, instance, min_labels=min_labels))
    return registry
