"""What a store holds, at a glance."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from facemon.domain.times import from_micros
from facemon.store.layout import LEDGER_NAME
from facemon.store.ledger.sqlite_ledger import Ledger
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
    with ledger.reading() as connection:
        rows, inline, total, first, last = connection.execute(
            "SELECT coalesce(sum(rows), 0), sum(path IS NULL), count(*), min(first_observed), max(last_observed) "
            "FROM segments"
        ).fetchone()
        models = dict(connection.execute("SELECT model, sum(rows) FROM segments GROUP BY model ORDER BY model"))
        (unfinished,) = connection.execute("SELECT count(*) FROM runs WHERE finished IS NULL").fetchone()
        (references,) = connection.execute("SELECT count(*) FROM baselines").fetchone()
        (checks,) = connection.execute("SELECT count(*) FROM drift_results").fetchone()
    files = [*(ledger.folder / "segments").rglob("*.parquet"), *ledger.folder.glob(f"{LEDGER_NAME}*")]
    return Inventory(
        ledger.version, rows, total - (inline or 0), inline or 0, sum(map(_size, files)),
        None if first is None else from_micros(first), None if last is None else from_micros(last),
        models, unfinished, references, checks, *measure_reports(ledger.folder / FOLDER),
        Permissions.of(ledger.folder),
    )  # fmt: skip


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0  # cleared away since it was listed
