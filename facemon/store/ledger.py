"""The ledger of a store: where it lies, which version it has, and how it is opened and changed."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Self

from facemon import __version__
from facemon.errors import FacemonError
from facemon.store.ledger_upgrade import upgrade as upgrade_ledger
from facemon.store.ledger_upgrade import version_of
from facemon.store.migrations import OLDEST_VERSION, STORE_VERSION
from facemon.store.process_lock import ProcessLock
from facemon.store.store_clock import FILE as CLOCK_FILE
from facemon.store.store_clock import StoreClock, newest_time

LEDGER_NAME = "ledger.sqlite"
_DRAFT_NAME = "ledger.new"
FOLDERS = ("segments", "references", "reports", "locks")
_APPLICATION_ID = 0x66616365  # "face"
_BUSY_SECONDS = 30
_NETWORK_FILE_SYSTEMS = ("nfs", "cifs", "smb", "9p", "fuse.sshfs", "fuse.s3fs", "ceph", "glusterfs", "lustre", "afs")

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


class Ledger:
    """An open ledger; one thread, one process. Others may have the same ledger open."""

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        self.folder = folder
        self.connection = connection
        self.version = version_of(connection)
        """That of the tables; STORE_VERSION, unless the ledger was opened without an upgrade."""

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        create: bool = False,
        upgrade: bool = True,
        tell: Callable[[str], None] | None = None,
    ) -> Self:
        """Open the store in `folder`, making it first if `create` is set.

        An older store is upgraded, which `tell` hears of, unless `upgrade` is off: then `version` tells which tables
        it has. FacemonError when there is none, when a newer facemon wrote it, when it is no store, when it lies on
        a network file system, or when it cannot be written; nothing is touched then.
        """
        path = folder / LEDGER_NAME
        if not _is_there(path):
            if not create:
                raise FacemonError(
                    f"there is no store in {folder}", "facemon predict makes one; or name another under store.path"
                )
            _create(folder)
        _refuse_foreign(path)
        _refuse_network(folder)
        if not (os.access(folder, os.W_OK) and os.access(path, os.W_OK)):
            raise FacemonError(
                f"the store in {folder} cannot be written",
                "reading needs write access too, for the ledger's write-ahead log: mount it writable for this user",
            )
        connection = _connect(path)
        try:
            # Again, because the newest commits may stand in the write-ahead log, which the header does not show.
            _refuse_unknown(path, version := version_of(connection))
            if upgrade and version < STORE_VERSION:
                _upgrade(connection, path, tell)
            return cls(folder, connection)
        except BaseException:
            connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the ledger."""
        self.connection.close()

    @cached_property
    def clock(self) -> StoreClock:
        """The clock of this machine, judged by what the store has seen."""
        with self.reading() as connection:
            return StoreClock(self.folder, newest_time(connection))

    def now(self) -> datetime:
        """The time by which rows and stamps are written, windows end and retention counts."""
        return self.clock.now()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that writes: all of the block is kept, or nothing."""
        with self._transaction("BEGIN IMMEDIATE"):
            yield self.connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One transaction that reads: the block sees one state of the ledger."""
        if self.connection.in_transaction:
            yield self.connection
            return
        with self._transaction("BEGIN"):
            yield self.connection

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        is_outermost = not self.connection.in_transaction
        try:
            try:
                self.connection.execute(begin)
                self._refuse_changed_version()
                yield
                self.connection.commit()
            except BaseException:
                # Also when the commit failed, or a signal came just after the begin.
                if is_outermost:
                    self.connection.rollback()
                raise
        except sqlite3.Error as error:
            raise FacemonError(f"the store in {self.folder} failed: {error}") from error

    def _refuse_changed_version(self) -> None:
        """A newer facemon may have upgraded the store since it was opened: its tables mean something else now."""
        if (version := version_of(self.connection)) != self.version:
            raise FacemonError(
                f"the store in {self.folder} was upgraded from version {self.version} to {version} by another facemon",
                "start this command again with the facemon that upgraded it",
            )


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise FacemonError(f"the store in {path.parent} cannot be read: {error.strerror}") from error


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_SECONDS, isolation_level=None
    )
    try:
        # FULL, because a segment that was registered must still be there after a power cut.
        connection.execute("PRAGMA synchronous = FULL")
        # The first statement that reads: a damaged ledger is met here, not in the middle of a command.
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.Error as error:
        connection.close()
        raise FacemonError(f"the store in {path.parent} cannot be opened: {error}") from error
    return connection


def _create(folder: Path) -> None:
    """Make an empty store; two processes that come at once make one."""
    _refuse_network(folder)
    try:
        if folder.is_dir() and (strangers := _strangers(folder)):
            if (folder / LEDGER_NAME).exists():
                return  # somebody else has just made it
            raise FacemonError(
                f"{folder} is no store and is not empty: it holds {strangers[0]}",
                "name an empty folder under store.path",
            )
        for name in FOLDERS:
            (folder / name).mkdir(parents=True, exist_ok=True)
        with ProcessLock.waiting(folder / "locks" / "create.lock"):
            if not (folder / LEDGER_NAME).exists():
                _create_ledger(folder / LEDGER_NAME)
    except OSError as error:
        raise FacemonError(f"no store can be made in {folder}: {error.strerror}") from error
    except sqlite3.Error as error:
        raise FacemonError(f"no store can be made in {folder}: {error}") from error


def _strangers(folder: Path) -> list[str]:
    """What a folder holds beside the parts of a store and the half ledger of a process that died making one."""
    names = {entry.name for entry in folder.iterdir()} - {*FOLDERS, CLOCK_FILE}
    return sorted(name for name in names if not name.startswith(_DRAFT_NAME))


def _create_ledger(path: Path) -> None:
    # Made under another name, so that nobody ever opens half a ledger.
    draft = path.with_name(_DRAFT_NAME)
    for left in path.parent.glob(f"{_DRAFT_NAME}*"):
        left.unlink()
    with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
        connection.executescript(f"BEGIN;{_TABLES}COMMIT;")
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {STORE_VERSION}")
        connection.execute("PRAGMA journal_mode = WAL")
    draft.rename(path)


def _refuse_foreign(path: Path) -> None:
    """Look at the file's header alone, which changes nothing, before the ledger is opened.

    SQLite has to read it: when a process closes a file, it loses all its locks on it, those of another open
    ledger too, whose write-ahead log would then be deleted while it is in use. SQLite knows and waits.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            # Takes any length of the file for good, which a checkpoint elsewhere may be changing right now.
            connection.execute("PRAGMA writable_schema = ON")
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.OperationalError as error:
        raise FacemonError(f"the store's ledger {path} cannot be read: {error}") from error
    except sqlite3.DatabaseError:
        application = version = 0
    if application != _APPLICATION_ID:
        raise FacemonError(f"{path} is no facemon ledger", "name another folder under store.path")
    _refuse_unknown(path, version)


def _refuse_unknown(path: Path, version: int) -> None:
    if not OLDEST_VERSION <= version <= STORE_VERSION:
        raise FacemonError(
            f"the store in {path.parent} has version {version}; this facemon ({__version__}) reads versions "
            f"{OLDEST_VERSION} to {STORE_VERSION}",
            "install the newer facemon that wrote it, or name another folder under store.path",
        )


def _upgrade(connection: sqlite3.Connection, path: Path, tell: Callable[[str], None] | None) -> None:
    try:
        upgrade_ledger(connection, path, tell)
    except sqlite3.Error as error:
        raise FacemonError(f"the store in {path.parent} cannot be upgraded: {error}") from error
    except OSError as error:
        raise FacemonError(f"the store in {path.parent} cannot be upgraded: {error.strerror}") from error


def _refuse_network(folder: Path) -> None:
    """SQLite's write-ahead log needs memory that all its users share, which no network file system gives."""
    kind = _file_system_on(folder, folder.stat().st_dev if folder.exists() else None)
    if kind.startswith(_NETWORK_FILE_SYSTEMS):
        raise FacemonError(
            f"{folder} lies on a network file system ({kind}), where two writers can destroy the ledger",
            "name a folder on a local disk under store.path",
        )


@lru_cache(maxsize=16)
def _file_system_on(folder: Path, device: int | None) -> str:
    """A store is opened twice a second, for each scrape too: the mounts are read again once its device is another."""
    del device
    return file_system_of(folder)


def file_system_of(path: Path) -> str:
    """The type of the file system that a path lies on, as Linux names it; empty where that is unknown."""
    target = path.resolve()
    best, kind = -1, ""
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    for line in mounts:
        left, _, right = line.partition(" - ")
        point = Path(left.split()[4].replace("\\040", " "))
        # Of two mounts on the same point (an automounter's and the real one) the later one counts.
        if len(point.parts) >= best and (point == target or point in target.parents):
            best, kind = len(point.parts), right.split()[0]
    return kind
