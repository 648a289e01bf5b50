"""The catalogue of metrics, with the values that an export would hold now."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from facemon.application.operation import Operation
from facemon.errors import FacemonError

if TYPE_CHECKING:
    from prometheus_client.core import Metric as Family

    from facemon.metrics.catalogue_values import MetricValue


@dataclass(frozen=True, slots=True)
class MetricValues:
    """Metrics of the catalogue, without values where the store cannot be read."""

    known: "list[MetricValue]"
    trouble: FacemonError | None

    def document(self) -> dict[str, Any]:
        """The object of `facemon.metrics/1`."""
        from facemon.metrics.catalogue_values import to_document

        return to_document(self.trouble.message if self.trouble else None, self.known)

    def refuse_trouble(self) -> str | None:
        """Why values are missing, where the store is missing; FacemonError where it cannot be read."""
        from facemon.store.ledger_errors import NoStoreError

        if self.trouble is None:
            return None
        if not isinstance(self.trouble, NoStoreError):
            raise self.trouble
        return self.trouble.message


def metric_values(operation: Operation, name: str | None = None) -> MetricValues:
    """All metrics, or the one of a name; UsageError for a name that there is not."""
    from facemon.metrics.catalogue_values import catalogue_values

    catalogue_values(None, name)  # an unknown name, before the store is read
    families, trouble = _read(operation)
    return MetricValues(list(catalogue_values(families, name)), trouble)


def _read(operation: Operation) -> "tuple[list[Family] | None, FacemonError | None]":
    """What an export would hold now, or why the store cannot be read."""
    from facemon.metrics.constant_labels import labelled
    from facemon.metrics.store_collector import build_registry
    from facemon.store.request_totals import EVERY_INSTANCE

    registry = build_registry(
        operation.open_ledger,
        operation.config.model,
        must_read=True,
        instance=EVERY_INSTANCE,
        min_labels=operation.config.evaluate.min_labels,
    )
    try:
        return list(labelled(registry.collect(), operation.config.metrics.labels)), None
    except FacemonError as error:
        return None, error
