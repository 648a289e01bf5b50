"""How a ledger is opened; the one place that says what keeps it, which is SQLite."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from facemon.store.ledger.header import STORE_VERSION
from facemon.store.ledger.protocol import Ledger
from facemon.store.ledger.sqlite_ledger import SqliteLedger, has_ledger

__all__ = ("STORE_VERSION", "has_ledger", "open_ledger", "open_ledger_beside", "open_ledger_untouched")

Tell = Callable[[str], None]


def open_ledger(
    folder: Path,
    *,
    create: bool = False,
    upgrade: bool = True,
    tell: Tell | None = None,
    mode: Literal["private", "group"] = "private",
    as_root: bool = False,
) -> Ledger:
    """Open the store in `folder`, making it first, with the permissions of `mode`, if `create` is set.

    Root may read a store of another user, but write to it only with `as_root`; files stay the owner's then.

    An older store is upgraded, which `tell` hears of, unless `upgrade` is off: then `version` tells which tables it
    has. FacemonError when it is missing, not a store, written by a newer facemon, on a network file system, or when it
    cannot be written; nothing is touched then.
    """
    return SqliteLedger.open(folder, create=create, upgrade=upgrade, tell=tell, mode=mode, as_root=as_root)


def open_ledger_beside(place: Path, folder: Path, *, create: bool = False, upgrade: bool = True) -> Ledger:
    """Open the ledger in `place` as that of the store in `folder`, whose files it names and where it will lie.

    An upgrade reads these files, so they must be there; `named_files` says which, without one.
    """
    opened = SqliteLedger.open(place, create=create, upgrade=upgrade, as_root=True, files=folder)
    opened.folder = folder
    return opened


def open_ledger_untouched(folder: Path) -> Ledger:
    """Open the ledger of a store of this version for a short look: nothing is written, and no command waits.

    FacemonError, or an error of the implementation, where that cannot be done; then there is nothing to see.
    """
    return SqliteLedger.open_untouched(folder)
