"""What a store holds, at a glance."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from facemon.domain.times import from_micros
from facemon.store.layout import LEDGER_NAME
from facemon.store.ledger.protocol import Ledger
from facemon.store.node_state import NODES_FROM, CollectedFrom, NodeState
from facemon.store.permissions import Permissions
from facemon.store.report_files import FOLDER, measure_reports


@dataclass(frozen=True, slots=True)
class Inventory:
    """Counts and sizes of a store; times are those of the first and the last row."""

    version: int
    rows: int
    files: int
    inline: int
    bytes: int
    first: datetime | None
    last: datetime | None
    models: dict[str, int]
    unfinished_runs: int
    references: int
    drift_checks: int
    reports: int
    report_bytes: int
    permissions: Permissions
    node: NodeState | None
    """How far the store has come with its own deliveries to a shared log."""
    collected: list[CollectedFrom]
    """What it has collected, by node."""


def take_inventory(ledger: Ledger) -> Inventory:
    """Count what the ledger knows; reads no rows."""
    with ledger.reading():
        held = ledger.size()
        has_nodes = ledger.version >= NODES_FROM
        node, collected = (ledger.nodes.state(), ledger.nodes.collected()) if has_nodes else (None, [])
    first, last = held.first_observed, held.last_observed
    files = [*(ledger.folder / "segments").rglob("*.parquet"), *ledger.folder.glob(f"{LEDGER_NAME}*")]
    return Inventory(
        ledger.version, held.rows, held.files, held.inline, sum(map(_size, files)),
        None if first is None else from_micros(first), None if last is None else from_micros(last),
        held.models, held.unfinished_runs, held.references, held.checks, *measure_reports(ledger.folder / FOLDER),
        Permissions.of(ledger.folder), node, collected,
    )  # fmt: skip


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0  # cleared away since it was listed
