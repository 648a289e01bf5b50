"""Where things lie in a store's folder, which of them are facemon's own, and which show that there was a ledger."""

import re
from pathlib import Path

LEDGER_NAME = "ledger.sqlite"
NEW_LEDGER = "ledger.new"
"""What the first ledger of a store is called until it is whole."""
FOLDERS = ("segments", "references", "reports", "locks")
WORK = "recovering"
"""What a recovery makes before it replaces the ledger."""
SET_ASIDE = "set-aside"
"""Where repairs and recoveries move what they take out of the log."""
CLOCK = "clock"
SQLITE_ENDS = ("-wal", "-shm", "-journal")
"""How the files are called that SQLite makes beside a ledger."""

_SQLITE_END = f"({'|'.join(SQLITE_ENDS)})?"
_AFTER_LEDGER = re.compile(
    # With those that an upgrade kept, such as ledger.v4.sqlite, and drafts that a killed process left.
    rf"\.?ledger(\.v\d+)?\.sqlite(\.part)?{_SQLITE_END}|{CLOCK}|\.{CLOCK}\.\d+|{SET_ASIDE}|{WORK}"
)
"""What only a command makes that has opened the ledger, or a recovery."""
_BEFORE_LEDGER = re.compile(rf"{'|'.join(FOLDERS)}|{re.escape(NEW_LEDGER)}{_SQLITE_END}")
"""What is made before the first ledger: a process may be killed then, and the next one goes on."""
_TRACES = {
    "segments": re.compile(r"date=.*|.*\.parquet|\..*\.parquet\.part"),
    "references": re.compile(r".*\.parquet|\..*\.parquet\.part"),
    "reports": re.compile(r"drift-\d{8}T\d{6}Z\.html"),
}
"""Files and folders that are written after the ledger has an entry for them; users write other reports themselves."""


def foreign_names(folder: Path) -> list[str]:
    """Return what lies in a store's folder and is not facemon's own, in order; OSError if it cannot be listed."""
    names = sorted(entry.name for entry in folder.iterdir())
    return [name for name in names if not (_AFTER_LEDGER.fullmatch(name) or _BEFORE_LEDGER.fullmatch(name))]


def has_lost_ledger(folder: Path) -> bool:
    """Return whether a folder has no ledger and holds what only a store with a ledger leaves.

    OSError if it cannot be listed. The ledger is looked for last: another process may be making it.
    """
    return _has_trace(folder) and not (folder / LEDGER_NAME).exists()


def _has_trace(folder: Path) -> bool:
    if any(_AFTER_LEDGER.fullmatch(entry.name) for entry in folder.iterdir()):
        return True
    return any(pattern.fullmatch(path.name) for name, pattern in _TRACES.items() for path in (folder / name).rglob("*"))
