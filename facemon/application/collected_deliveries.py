"""`facemon store collect`: what many machines have delivered to a shared log, registered in the local one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from facemon.application.operation import Operation
from facemon.application.reachable_storage import refused_storage
from facemon.domain.counted import counted
from facemon.errors import ExitCode, FacemonError, LockedError, UsageError

if TYPE_CHECKING:
    from facemon.object_storage.object_folder import ObjectFolder
    from facemon.reports.printed_parts import Part
    from facemon.store.ledger.protocol import Ledger
    from facemon.store.shared_log.cleaning import Cleaning
    from facemon.store.shared_log.collecting import Collection


@dataclass(frozen=True, slots=True)
class CollectedDeliveries:
    """What a collection found at a location."""

    location: str
    collection: "Collection"
    cleaning: "Cleaning | None"
    """What was removed, where that was asked for."""

    @property
    def code(self) -> ExitCode:
        """1 for damaged deliveries, 3 for missing shards and numbers of nodes, 0 when the store has all of them."""
        if self.collection.damaged:
            return ExitCode.FAILED
        return ExitCode.FOUND if any(each.missing for each in self.collection.every) else ExitCode.OK

    def document(self) -> dict[str, Any]:
        """Return the answer as an object for JSON."""
        from facemon.reports.collection_report import collection_document

        return collection_document(self.location, self.collection, self.cleaning)

    def report(self) -> "Iterator[Part]":
        """Yield the answer for people."""
        from facemon.reports.collection_report import collection_report

        return collection_report(self.collection, self.cleaning)


def collect_deliveries(operation: Operation, location: str, *, cleans: bool) -> CollectedDeliveries:
    """Register the deliveries that a location has and the store has not; with `cleans` remove abandoned segments.

    UsageError for an address that cannot be read, and for a store that delivers; FacemonError where nothing
    is there, or where the storage fails.
    """
    from facemon.object_storage.folder_address import parse_folder
    from facemon.object_storage.object_folder import open_folder
    from facemon.object_storage.object_store import HINT, is_installed
    from facemon.object_storage.storage_error import StorageError
    from facemon.store.shared_log.collecting import collect
    from facemon.store.shared_log.layout import JOBS, NODE_DELIVERIES

    address = parse_folder(location)
    if not is_installed():
        raise UsageError(f"{address.url}: reading it needs the package obstore", HINT)
    try:
        objects = open_folder(address, create=False)
        is_empty = all(next(objects.listed(prefix), None) is None for prefix in (JOBS, NODE_DELIVERIES))
        _refuse_empty(address.url, is_empty=is_empty)
        with (
            operation.open_ledger(create=True) as ledger,
            operation.recorded(ledger, "store collect") as outcome,
            operation.reporter.progress("collecting", "deliveries") as progress,
        ):
            _refuse_node(ledger)
            before = ledger.size().models
            found = collect(ledger, objects, lambda: progress.advance(1))
            _warn_of_other_models(operation, before, ledger.size().models)
            cleaned = _cleaned(operation, objects) if cleans else None
            answer = CollectedDeliveries(address.url, found, cleaned)
            outcome.code = answer.code
    except StorageError as error:
        raise refused_storage(address.url, error) from error
    return answer


def _warn_of_other_models(operation: Operation, before: Mapping[str, int], now: Mapping[str, int]) -> None:
    """Say of new rows that no drift check of this configuration looks at."""
    own = operation.config.model.id
    for model, rows in now.items():
        if model != own and (new := rows - before.get(model, 0)) > 0:
            operation.reporter.warn(
                f"{counted(new, 'row')} of the model {model} registered, and facemon.yaml describes {own}: drift-check "
                f"looks at {own} alone; give all machines one model, or check {model} with a facemon.yaml of its own"
            )


def _cleaned(operation: Operation, objects: "ObjectFolder") -> "Cleaning | None":
    """Remove what was never delivered; None, and a warning, while another process does."""
    from facemon.store.shared_log.cleaning import clean

    try:
        return clean(objects)
    except LockedError as error:
        operation.reporter.warn(f"{error.message}: nothing was removed; {error.hint}")
        return None


def _refuse_empty(url: str, *, is_empty: bool) -> None:
    if is_empty:
        raise FacemonError(
            f"{url}: nothing was delivered there",
            "correct the address, or deliver first: facemon predict images.parquet --shard 1/8 --deliver LOCATION, or "
            "facemon store deliver LOCATION on a machine with a store of its own",
        )


def _refuse_node(ledger: "Ledger") -> None:
    """UsageError for a store that delivers its own rows: it would deliver those of others, too."""
    if (state := ledger.nodes.state()) is not None:
        raise UsageError(
            f"the store in {ledger.folder} delivers to {state.location} as {state.node}, and does not collect",
            "collect into a store of its own: store.path in another facemon.yaml",
        )
