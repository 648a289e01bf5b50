"""The export of the store's metrics, once: to a textfile, a Pushgateway or the caller.

What is exported tells of its own success already: it is seen only where the export succeeded, and the ledger gets
the same figures. A textfile is put in its place when they are committed, so that a full disk leaves the old one; a
push and other outputs come first, for they fail more often than a commit. The duration lasts until the metrics are
read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.application.operation import Operation
from facemon.config.web_address import origin
from facemon.domain.metric_catalogue import MetricGroup
from facemon.errors import ExitCode

if TYPE_CHECKING:
    from facemon.metrics.pushgateway import Pushgateway

COMMAND = "export-metrics"


class Export(StrEnum):
    """Which metrics to export."""

    ALL = "all"
    MODEL = "model"
    DRIFT = "drift"


_GROUPS = {
    Export.ALL: tuple(MetricGroup),
    Export.MODEL: (MetricGroup.MODEL, MetricGroup.FACEMON),
    Export.DRIFT: (MetricGroup.DRIFT, MetricGroup.FACEMON),
}


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """Which metrics are exported, and to which one of three places."""

    export: Export = Export.ALL
    textfile: Path | None = None
    gateway: "Pushgateway | None" = None
    show: Callable[[str], None] = lambda _: None
    """Takes the text where it goes neither to a file nor to a Pushgateway, before the success is entered."""


def export_metrics(operation: Operation, request: ExportRequest) -> str:
    """Export the store's metrics and return them in the exposition format."""
    from facemon.metrics.doubled_series import refuse_doubled
    from facemon.metrics.exposition import exposition
    from facemon.metrics.scrape_limits import own_registry
    from facemon.metrics.store_collector import build_registry
    from facemon.metrics.textfile import drafted_textfile
    from facemon.store.recorded_commands import announce, entered_before

    config, reporter, textfile = operation.config, operation.reporter, request.textfile
    with operation.open_ledger() as ledger, operation.recorded(ledger, COMMAND) as outcome:
        told = outcome.announced = announce(COMMAND, operation.began, ledger.now())
        # A store that breaks now is an error, not a metric: an old textfile is better than an empty one.
        registry = build_registry(
            operation.open_ledger,
            config.model,
            _GROUPS[request.export],
            must_read=True,
            announced=told.run,
            min_labels=config.evaluate.min_labels,
        )
        text = exposition(own_registry(registry, config, reporter.warn))
        if textfile is not None:
            refuse_doubled(textfile, text)
            with drafted_textfile(textfile, text) as put_in_place, entered_before(ledger, outcome):
                put_in_place()
            reporter.say(f"wrote {textfile}")
        elif request.gateway is not None:
            request.gateway.replace(text)
            reporter.say(f"pushed to {request.gateway.group}")
        else:
            request.show(text)
        outcome.code = ExitCode.OK
    return text


def delete_metrics(operation: Operation, gateway: "Pushgateway") -> None:
    """Delete the whole group on the Pushgateway; nothing is read or recorded."""
    gateway.delete()
    operation.reporter.say(f"deleted {gateway.group}")


def tell_of_gateway(operation: Operation, gateway: "Pushgateway", *, deletes: bool) -> None:
    """Tell what a push gives away, and which parts of its grouping key keep nothing apart."""
    labels = operation.config.metrics.labels
    if gateway.tells_its_secret:
        operation.reporter.say(f"note: the secret goes to {origin(gateway.group.url)} unencrypted; https would hide it")
    if not deletes and (names := _unnamed(gateway, labels)):
        operation.reporter.say(
            f"note: rules and dashboards sum series that differ only in {names}; to keep stores apart, set "
            "metrics.labels instead of --grouping"
        )


def _unnamed(gateway: "Pushgateway", labels: Mapping[str, str]) -> str:
    """The parts of the grouping key that neither rules nor dashboards know of."""
    return ", ".join(name for name, _ in gateway.group.grouping if name not in labels and name != "instance")
