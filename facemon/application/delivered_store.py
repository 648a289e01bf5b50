"""`facemon store deliver`: what is new in the local log, delivered to one that many machines share."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from facemon.application.left_out import refuse_left_out
from facemon.application.operation import Operation
from facemon.application.reachable_storage import refused_storage
from facemon.domain.counted import counted
from facemon.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from facemon.store.shared_log.node_delivering import NodeDeliveries


@dataclass(frozen=True, slots=True)
class DeliverRequest:
    """Where a store delivers to, and as which node."""

    location: str
    node: str | None = None
    """None for the name that it had before, or for that of the machine."""
    is_moved: bool = False
    """Whether all that was delivered elsewhere is there."""


def deliver_store(operation: Operation, request: DeliverRequest) -> "NodeDeliveries":
    """Deliver the rows of closed hours that were not delivered before.

    UsageError for an address that cannot be written, a name that is not fit for keys, and a store that collects;
    FacemonError where the storage fails, where the clock is wrong, and, once all else is done, for damaged segments.
    """
    from facemon.object_storage.folder_address import parse_folder
    from facemon.object_storage.object_folder import open_folder
    from facemon.object_storage.object_store import HINT, is_installed
    from facemon.object_storage.storage_error import StorageError
    from facemon.store.shared_log.node_delivering import NodeRequest, deliver

    address = parse_folder(request.location)
    if not is_installed():
        raise UsageError(f"{address.url}: writing to it needs the package obstore", HINT)
    try:
        with (
            operation.open_ledger() as ledger,
            operation.recorded(ledger, "store deliver") as outcome,
            operation.reporter.progress("delivering", "deliveries") as progress,
        ):
            done = deliver(
                ledger,
                lambda: open_folder(address, create=True),
                NodeRequest(address.url, request.node, request.is_moved),
                lambda: progress.advance(1),
            )
            _tell(operation, address.url, done)
            refuse_left_out(operation, tuple(done.damaged.values()))
            outcome.code = ExitCode.OK
    except StorageError as error:
        raise refused_storage(address.url, error) from error
    return done


def _tell(operation: Operation, url: str, done: "NodeDeliveries") -> None:
    say = operation.reporter.say
    if done.new_epoch is not None:
        say(f"the numbers of {done.node}'s deliveries start again at 1: {done.new_epoch}")
    if done.ahead:
        operation.reporter.warn(
            f"{counted(done.ahead, 'row')} not delivered yet: this machine's clock was ahead when it predicted them; "
            "run facemon store deliver again when the time of their prediction has passed"
        )
    until = f"observed before {done.until:%Y-%m-%d %H:%M} UTC"
    if not done.deliveries:
        say(f"{url}: no new rows {until}")
        return
    what = f"{counted(done.deliveries, 'delivery', 'deliveries')} with {counted(done.rows, 'row')}"
    say(f"{url}: {what} of {done.node}, {until}")
