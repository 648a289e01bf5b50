"""How an empty store is made: its folders, and a ledger with the tables that each module of the ledger declares."""

import sqlite3
from contextlib import closing
from pathlib import Path

from facemon.errors import FacemonError
from facemon.store.file_system import refuse_network
from facemon.store.layout import FOLDERS, LEDGER_NAME, NEW_LEDGER, SQLITE_ENDS, foreign_names
from facemon.store.ledger.header import APPLICATION_ID, STORE_VERSION
from facemon.store.permissions import Permissions, make_file, make_folder, permissions_for_new, refuse_root
from facemon.store.process_lock import ProcessLock


def create_store(folder: Path, mode: int, *, as_root: bool) -> None:
    """Make an empty store whose files have a mode; two processes that come at once make one."""
    refuse_network(folder)
    try:
        permissions = permissions_for_new(folder, mode)
        if not as_root:
            refuse_root(folder, permissions)
        if folder.is_dir() and (foreign := foreign_names(folder)):
            if (folder / LEDGER_NAME).exists():
                return  # another process has just made it
            raise FacemonError(
                f"{folder} is not a store and is not empty: it holds {foreign[0]}",
                "name an empty folder under store.path",
            )
        # A folder that is there already has the permissions that were chosen for it.
        folder.parent.mkdir(parents=True, exist_ok=True)
        for name in FOLDERS:
            make_folder(folder / name, permissions)
        with ProcessLock.waiting(folder / "locks" / "create.lock"):
            if not (folder / LEDGER_NAME).exists():
                _create_ledger(folder / LEDGER_NAME, permissions)
    except OSError as error:
        raise FacemonError(f"no store can be made in {folder}: {error.strerror}") from error
    except sqlite3.Error as error:
        raise FacemonError(f"no store can be made in {folder}: {error}") from error


def _create_ledger(path: Path, permissions: Permissions) -> None:
    # Made under another name, so that half a ledger is never opened.
    draft = path.with_name(NEW_LEDGER)
    for end in ("", *SQLITE_ENDS):
        draft.with_name(f"{NEW_LEDGER}{end}").unlink(missing_ok=True)  # of a process that was killed
    make_file(draft, permissions, exclusive=True)
    with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
        connection.executescript(f"BEGIN;{_tables()}COMMIT;")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {STORE_VERSION}")
        connection.execute("PRAGMA journal_mode = WAL")
    draft.rename(path)


def _tables() -> str:
    """The statements that make all tables, from the modules that keep them."""
    from facemon.store.ledger.announcement_table import TABLES as ANNOUNCEMENTS
    from facemon.store.ledger.arrival_table import TABLES as ARRIVALS
    from facemon.store.ledger.check_tables import TABLES as CHECKS
    from facemon.store.ledger.command_table import TABLES as COMMANDS
    from facemon.store.ledger.delivery_table import TABLES as DELIVERIES
    from facemon.store.ledger.evaluation_tables import TABLES as EVALUATIONS
    from facemon.store.ledger.file_tables import TABLES as FILES
    from facemon.store.ledger.node_tables import TABLES as NODES
    from facemon.store.ledger.profile_table import TABLES as PROFILES
    from facemon.store.ledger.reference_tables import TABLES as REFERENCES
    from facemon.store.ledger.request_table import TABLES as REQUESTS
    from facemon.store.ledger.run_table import TABLES as RUNS
    from facemon.store.ledger.segment_table import TABLES as SEGMENTS
    from facemon.store.ledger.total_tables import TABLES as TOTALS

    # Their order is that of the tables in the file.
    return (
        SEGMENTS + FILES + TOTALS + PROFILES + ARRIVALS + RUNS + REQUESTS + REFERENCES + CHECKS + EVALUATIONS
        + ANNOUNCEMENTS + COMMANDS + DELIVERIES + NODES
    )  # fmt: skip
