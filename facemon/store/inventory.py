"""What a store holds, at a glance."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from facemon.domain.times import from_micros
from facemon.store.layout import LEDGER_NAME
from facemon.store.ledger.protocol import Ledger
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


def take_inventory(ledger: Ledger) -> Inventory:
    """Count what the ledger knows; reads no rows."""
    with ledger.reading():
        log, unfinished = ledger.segments.size(), ledger.runs.count_unfinished()
        references, checks = ledger.references.count(), ledger.checks.count()
    first, last = log.first_observed, log.last_observed
    files = [*(ledger.folder / "segments").rglob("*.parquet"), *ledger.folder.glob(f"{LEDGER_NAME}*")]
    return Inventory(
        ledger.version, log.rows, log.files, log.inline, sum(map(_size, files)),
        None if first is None else from_micros(first), None if last is None else from_micros(last),
        log.models, unfinished, references, checks, *measure_reports(ledger.folder / FOLDER),
        Permissions.of(ledger.folder),
    )  # fmt: skip


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0  # cleared away since it was listed
