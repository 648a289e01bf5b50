"""Files that belong to a store: no result of a command may take the place of one."""

from pathlib import Path

from facemon.errors import UsageError
from facemon.store.permissions import Permissions

REPORTS = "reports"
"""The folder of a store in which results may be written."""


def refuse_own_file(path: Path) -> None:
    """UsageError for a file in the folder of a store, through links too; those in its folder of reports are free."""
    place = path.resolve()
    for folder in place.parents:
        try:
            Permissions.of(folder)
        except OSError:
            continue  # not the folder of a store
        if folder / REPORTS not in place.parents:
            raise UsageError(
                f"{path} lies in the store {folder}, whose files must not be replaced", "name a file outside of it"
            )
