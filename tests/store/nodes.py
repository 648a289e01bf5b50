"""Stores of made rows that deliver as nodes, for tests of the store."""

from typing import Any

from facemon.object_storage.object_folder import ObjectFolder
from facemon.store.ledger.protocol import Ledger
from facemon.store.segment_files import read_segment
from facemon.store.shared_log.node_delivering import NodeDeliveries, NodeRequest, deliver

LOCATION = "s3://logs/log/"


def send(ledger: Ledger, objects: ObjectFolder, node: str | None = "gate", **request: Any) -> NodeDeliveries:
    """Deliver what is new in a store."""
    return deliver(ledger, lambda: objects, NodeRequest(request.pop("location", LOCATION), node, **request))


def images_of(ledger: Ledger) -> list[tuple[str, int, int]]:
    """Each row of a log: its run, ordinal and face."""
    found = []
    for segment in ledger.segments.within():
        table = read_segment(ledger, segment, ("run", "ordinal", "face"))
        found += [(row["run"], row["ordinal"], row["face"] or 0) for row in table.to_pylist()]
    return sorted(found)


def state_of(ledger: Ledger) -> tuple[str, int]:
    """The epoch of a store, and the number of its last delivery."""
    state = ledger.nodes.state()
    assert state is not None
    return state.epoch, state.number
