"""How an empty store is made: its folders, and a ledger with the tables of the present version."""

import sqlite3
from contextlib import closing
from pathlib import Path

from facemon.errors import FacemonError
from facemon.store.file_system import refuse_network
from facemon.store.layout import FOLDERS, LEDGER_NAME
from facemon.store.ledger.migrations import STORE_VERSION
from facemon.store.permissions import Permissions, make_file, make_folder, permissions_for_new, refuse_root
from facemon.store.process_lock import ProcessLock
from facemon.store.store_clock import FILE as CLOCK_FILE

APPLICATION_ID = 0x66616365  # "face"
"""What SQLite keeps in the header of each ledger."""
_DRAFT_NAME = "ledger.new"

_TABLES = """
CREATE TABLE segments (
    id TEXT PRIMARY KEY, path TEXT, rows INTEGER NOT NULL, model TEXT NOT NULL,
    first_observed INTEGER NOT NULL, last_observed INTEGER NOT NULL, last_predicted INTEGER, sha256 TEXT NOT NULL,
    data BLOB);
CREATE INDEX segments_by_time ON segments (first_observed, last_observed);
CREATE TABLE intents (segment TEXT PRIMARY KEY, writer TEXT NOT NULL, path TEXT NOT NULL);
CREATE TABLE discards (path TEXT PRIMARY KEY, since INTEGER NOT NULL);
CREATE TABLE totals (
    metric TEXT, labels TEXT, part TEXT, value REAL NOT NULL, PRIMARY KEY (metric, labels, part)) WITHOUT ROWID;
CREATE TABLE departed (
    metric TEXT, labels TEXT, part TEXT, value REAL NOT NULL, PRIMARY KEY (metric, labels, part)) WITHOUT ROWID;
CREATE TABLE profiles (
    hour INTEGER, model TEXT, source TEXT, origin TEXT, data BLOB NOT NULL,
    PRIMARY KEY (hour, model, source, origin)) WITHOUT ROWID;
CREATE TABLE arrivals (
    model TEXT, hour INTEGER, logged INTEGER NOT NULL, checked INTEGER NOT NULL,
    PRIMARY KEY (model, hour)) WITHOUT ROWID;
CREATE TABLE runs (
    id TEXT PRIMARY KEY, inputs TEXT NOT NULL, model TEXT NOT NULL, fingerprint TEXT NOT NULL, source TEXT,
    started INTEGER NOT NULL, finished INTEGER, done INTEGER NOT NULL DEFAULT 0, digest TEXT NOT NULL DEFAULT '',
    flushes INTEGER NOT NULL DEFAULT 0);
CREATE TABLE request_totals (
    instance TEXT, metric TEXT, labels TEXT, part TEXT, value REAL NOT NULL,
    PRIMARY KEY (instance, metric, labels, part)) WITHOUT ROWID;
CREATE TABLE baselines (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, note TEXT NOT NULL, model TEXT,
    origin TEXT NOT NULL, created INTEGER NOT NULL, since INTEGER, until INTEGER, rows INTEGER NOT NULL,
    path TEXT NOT NULL);
CREATE TABLE baseline_profiles (
    baseline TEXT, source TEXT, data BLOB NOT NULL, PRIMARY KEY (baseline, source)) WITHOUT ROWID;
CREATE TABLE baseline_spreads (
    baseline TEXT, scope TEXT CHECK (scope IN ('source', 'whole')), source TEXT, data BLOB NOT NULL,
    PRIMARY KEY (baseline, scope, source)) WITHOUT ROWID;
CREATE TABLE baseline_counts (baseline TEXT, key TEXT, data BLOB NOT NULL, PRIMARY KEY (baseline, key));
CREATE TABLE drift_results (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, document TEXT NOT NULL);
CREATE TABLE drift_columns (
    model TEXT, check_name TEXT, attribute TEXT, measure TEXT, score REAL, p_value REAL, detected INTEGER,
    samples INTEGER NOT NULL, undecided INTEGER NOT NULL,
    PRIMARY KEY (model, check_name, attribute, measure)) WITHOUT ROWID;
CREATE TABLE drift_checks (
    model TEXT, check_name TEXT, threshold REAL NOT NULL, at INTEGER NOT NULL, decided INTEGER,
    PRIMARY KEY (model, check_name)) WITHOUT ROWID;
CREATE TABLE drift_sources (
    model TEXT, check_name TEXT, source TEXT, detected INTEGER, rows INTEGER NOT NULL, undecided INTEGER NOT NULL,
    at INTEGER NOT NULL, PRIMARY KEY (model, check_name, source)) WITHOUT ROWID;
CREATE TABLE evaluations (
    at INTEGER, model TEXT, attribute TEXT, correct INTEGER NOT NULL, labelled INTEGER NOT NULL,
    PRIMARY KEY (at, model, attribute)) WITHOUT ROWID;
CREATE TABLE labelled_images (
    model TEXT, attribute TEXT, image TEXT, hour INTEGER, source TEXT NOT NULL, is_right INTEGER NOT NULL,
    PRIMARY KEY (model, attribute, image, hour)) WITHOUT ROWID;
CREATE TABLE announced_drift (
    model TEXT, reference TEXT, current TEXT, source TEXT, check_name TEXT, column_name TEXT,
    PRIMARY KEY (model, reference, current, source, check_name, column_name)) WITHOUT ROWID;
CREATE TABLE command_runs (
    command TEXT PRIMARY KEY, finished INTEGER NOT NULL, seconds REAL NOT NULL, exit_code INTEGER NOT NULL,
    last_success INTEGER) WITHOUT ROWID;
"""


def create_store(folder: Path, mode: int, *, as_root: bool) -> None:
    """Make an empty store whose files have a mode; two processes that come at once make one."""
    refuse_network(folder)
    try:
        permissions = permissions_for_new(folder, mode)
        if not as_root:
            refuse_root(folder, permissions)
        if folder.is_dir() and (strangers := _strangers(folder)):
            if (folder / LEDGER_NAME).exists():
                return  # another process has just made it
            raise FacemonError(
                f"{folder} is not a store and is not empty: it holds {strangers[0]}",
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


def _strangers(folder: Path) -> list[str]:
    """What a folder holds beside the parts of a store and the half ledger of a process that died making one."""
    names = {entry.name for entry in folder.iterdir()} - {*FOLDERS, CLOCK_FILE}
    return sorted(name for name in names if not name.startswith(_DRAFT_NAME))


def _create_ledger(path: Path, permissions: Permissions) -> None:
    # Made under another name, so that half a ledger is never opened.
    draft = path.with_name(_DRAFT_NAME)
    for left in path.parent.glob(f"{_DRAFT_NAME}*"):
        left.unlink()
    make_file(draft, permissions, exclusive=True)
    with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
        connection.executescript(f"BEGIN;{_TABLES}COMMIT;")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {STORE_VERSION}")
        connection.execute("PRAGMA journal_mode = WAL")
    draft.rename(path)
