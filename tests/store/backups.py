"""Backups that tests make and unpack."""

import subprocess
from pathlib import Path

from facemon.store.backup import Backup, back_up
from facemon.store.ledger.opening import open_ledger


def restore(archive: Path, folder: Path) -> Path:
    """Unpack an archive with the tool that operators have; answer the store's folder."""
    folder.mkdir()
    subprocess.run(["tar", "-xf", archive, "-C", folder], check=True)
    (store,) = folder.iterdir()
    return store


def backed_up(store: Path, target: Path) -> Backup:
    with open_ledger(store, upgrade=False) as ledger:
        return back_up(ledger, target)
