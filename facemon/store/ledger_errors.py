"""What can be wrong with a ledger, beside all that can be wrong with a file."""

from pathlib import Path

from facemon.errors import FacemonError
from facemon.store.layout import LEDGER_NAME

RECOVER = (
    "facemon store recover BACKUP goes back to a backup and keeps what is newer; "
    "without a backup: facemon store recover --no-backup"
)


class NoStoreError(FacemonError):
    """A folder holds no store, and none was to be made."""


class LostLedgerError(FacemonError):
    """A store has no ledger, and had one."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"the store in {folder} lost its ledger", RECOVER)


class DamagedLedgerError(FacemonError):
    """The ledger is not what was written to it."""

    def __init__(self, folder: Path, reason: object) -> None:
        super().__init__(f"the ledger {folder / LEDGER_NAME} is damaged: {reason}", RECOVER)


class LedgerCopyError(FacemonError):
    """A ledger cannot be copied."""
