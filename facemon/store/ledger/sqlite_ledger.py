"""A ledger that SQLite keeps: where it lies, which version it has, and how it is opened and changed."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from facemon.error_hints import refused_access
from facemon.errors import FacemonError
from facemon.store.file_system import refuse_network
from facemon.store.layout import FOLDERS, LEDGER_NAME, has_lost_ledger
from facemon.store.ledger.header import APPLICATION_ID, OLDEST_VERSION, STORE_VERSION, version_of
from facemon.store.ledger.protocol import LedgerCopy, LedgerSize
from facemon.store.ledger.sqlite_errors import explained, is_damage
from facemon.store.ledger.sqlite_parts import SqliteParts
from facemon.store.ledger_errors import DamagedLedgerError, LedgerCopyError, LostLedgerError, NoStoreError
from facemon.store.permissions import (
    MODES,
    Permissions,
    other_user,
    refuse_root,
    unwritable,
)
from facemon.store.store_clock import StoreClock
from facemon.version import __version__

_BUSY_SECONDS = 30
_FILES = "SELECT path, sha256 FROM segments WHERE path IS NOT NULL UNION ALL SELECT path, NULL FROM baselines"


class SqliteLedger(SqliteParts):
    """`protocol.Ledger` in SQLite."""

    def __init__(self, folder: Path, connection: sqlite3.Connection, *, as_root: bool = False) -> None:
        super().__init__(connection)
        self.folder = folder
        self._as_root = as_root
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
        mode: Literal["private", "group"] = "private",
        as_root: bool = False,
        files: Path | None = None,
    ) -> Self:
        """See `opening.open_ledger`; `files` is the folder of the files that the ledger names, if it is another one."""
        path = folder / LEDGER_NAME
        if not has_ledger(folder):
            _refuse_lost_ledger(folder)
            if not create:
                raise NoStoreError(
                    f"there is no store in {folder}", "facemon predict makes one; or name another under store.path"
                )
            from facemon.store.ledger.creation import create_store

            create_store(folder, MODES[mode], as_root=as_root)
        _refuse_unwritable(folder, path)
        _refuse_foreign(path)
        refuse_network(folder)
        connection = _connect(path)
        try:
            opened = cls(folder, connection, as_root=as_root)
            # Again, because the newest commits may stand in the write-ahead log, which the header does not show.
            _refuse_unknown(path, version := version_of(connection))
            is_older = upgrade and version < STORE_VERSION
            if create or is_older:
                opened.refuse_foreign_root()
            if is_older:
                _upgrade(connection, path, tell, files or folder)
                opened.version = version_of(connection)
            return opened
        except sqlite3.Error as error:
            connection.close()
            raise explained(folder, error, "cannot be opened") from error
        except BaseException:
            connection.close()
            raise

    @classmethod
    def open_untouched(cls, folder: Path) -> Self:
        """See `opening.open_ledger_untouched`."""
        path = folder / LEDGER_NAME
        if not path.is_file():
            raise NoStoreError(f"there is no store in {folder}", "facemon predict makes one")
        _refuse_foreign(path)
        opened = cls(folder, _connect_untouched(path))
        if opened.version != STORE_VERSION:
            opened.close()
            raise FacemonError(
                f"the store in {folder} has version {opened.version}", "facemon store verify upgrades it"
            )
        return opened

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(sqlite3.Error):
            self.close()
        # What is read outside of a transaction may meet a damaged page too.
        if isinstance(error, sqlite3.Error):
            raise explained(self.folder, error) from error

    def close(self) -> None:
        self.connection.close()

    def refuse_foreign_root(self) -> None:
        if self._as_root or os.geteuid() != 0:
            return
        with suppress(FileNotFoundError):
            refuse_root(self.folder, Permissions.of(self.folder))

    @cached_property
    def clock(self) -> StoreClock:
        with self.reading():
            return StoreClock(self.folder, self.stamps.newest())

    def now(self) -> datetime:
        return self.clock.now()

    @contextmanager
    def writing(self) -> Iterator[None]:
        self.refuse_foreign_root()
        with self._transaction("BEGIN IMMEDIATE"):
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        if self.connection.in_transaction:
            yield
            return
        with self._transaction("BEGIN"):
            yield

    def size(self) -> LedgerSize:
        rows, inline, total, first, last = self.connection.execute(
            "SELECT coalesce(sum(rows), 0), coalesce(sum(path IS NULL), 0), count(*), min(first_observed), "
            "max(last_observed) FROM segments"
        ).fetchone()
        models = dict(self.connection.execute("SELECT model, sum(rows) FROM segments GROUP BY model ORDER BY model"))
        counts = self.connection.execute(
            "SELECT (SELECT count(*) FROM runs WHERE finished IS NULL), (SELECT count(*) FROM baselines), "
            "(SELECT count(*) FROM drift_results)"
        ).fetchone()
        return LedgerSize(rows, total - inline, inline, first, last, models, *counts)

    def faults(self, most: int) -> list[str]:
        checked = self.connection.execute(f"PRAGMA integrity_check({most})").fetchall()
        if checked == [("ok",)]:
            return []
        return [line for (text,) in checked for line in text.splitlines() if not line.startswith("***")]

    def named_files(self) -> dict[str, str | None]:
        return dict(self.connection.execute(_FILES))

    def copy_to(self, target: Path) -> LedgerCopy:
        from facemon.store.ledger.copying import copy_ledger

        try:
            copy_ledger(self.folder / LEDGER_NAME, target)
            with closing(sqlite3.connect(target)) as copied:
                paths = tuple(path for path, _ in copied.execute(_FILES))
                (rows,) = copied.execute("SELECT coalesce(sum(rows), 0) FROM segments").fetchone()
        except sqlite3.Error as error:
            if is_damage(error):
                raise DamagedLedgerError(self.folder, error) from error
            raise LedgerCopyError(f"the copy of the ledger: {error}") from error
        return LedgerCopy(paths, rows)

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
                    with suppress(sqlite3.Error):  # the first error says more
                        self.connection.rollback()
                raise
        except sqlite3.Error as error:
            raise explained(self.folder, error) from error

    def _refuse_changed_version(self) -> None:
        """A newer facemon may have upgraded the store since it was opened: its tables mean something else now."""
        if (version := version_of(self.connection)) != self.version:
            raise FacemonError(
                f"the store in {self.folder} was upgraded from version {self.version} to {version} by another facemon",
                "start this command again with the facemon that upgraded it",
            )


def has_ledger(folder: Path) -> bool:
    """Whether a ledger is in a folder; FacemonError where this process may not look."""
    try:
        return (folder / LEDGER_NAME).exists()
    except OSError as error:
        raise other_user(folder) or FacemonError(f"the store in {folder} cannot be read: {error.strerror}") from error


def _refuse_lost_ledger(folder: Path) -> None:
    """LostLedgerError in a store without its ledger: a new one would count neither its files nor the rows it held."""
    with suppress(OSError):
        if has_lost_ledger(folder):
            raise LostLedgerError(folder)


def _refuse_unwritable(folder: Path, path: Path) -> None:
    if refused := refused_access(folder) or refused_access(path, os.R_OK | os.W_OK):
        raise unwritable(folder, refused)


def _connect(path: Path) -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?mode=rw"
    try:
        connection = sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
    except sqlite3.Error as error:
        raise explained(path.parent, error, "cannot be opened") from error
    try:
        # FULL, because a segment that was registered must still be there after a power cut.
        connection.execute("PRAGMA synchronous = FULL")
        # The first statement that reads: a damaged ledger is met here, not in the middle of a command.
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.Error as error:
        connection.close()
        raise explained(path.parent, error, "cannot be opened") from error
    return connection


def _connect_untouched(path: Path) -> sqlite3.Connection:
    """Read without a lock where no process has the ledger open; else beside the others, whose files are there.

    SQLite would make the files of a write-ahead log that is missing, and remove those that it made.
    """
    is_open = all(path.with_name(f"{path.name}{end}").exists() for end in ("-wal", "-shm"))
    address = f"{path.absolute().as_uri()}?mode=ro{'' if is_open else '&immutable=1'}"
    return sqlite3.connect(address, uri=True, timeout=0, isolation_level=None)


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
    except sqlite3.DatabaseError as error:
        if (path.parent / FOLDERS[0]).is_dir():
            raise DamagedLedgerError(path.parent, error) from error
        application = version = 0
    if not path.stat().st_size and (path.parent / FOLDERS[0]).is_dir():
        raise DamagedLedgerError(path.parent, "it is empty")
    if application != APPLICATION_ID:
        raise FacemonError(f"{path} is not a facemon ledger", "name another folder under store.path")
    _refuse_unknown(path, version)


def _refuse_unknown(path: Path, version: int) -> None:
    if not OLDEST_VERSION <= version <= STORE_VERSION:
        raise FacemonError(
            f"the store in {path.parent} has version {version}; this facemon ({__version__}) reads versions "
            f"{OLDEST_VERSION} to {STORE_VERSION}",
            "install the newer facemon that wrote it, or name another folder under store.path",
        )


def _upgrade(connection: sqlite3.Connection, path: Path, tell: Callable[[str], None] | None, files: Path) -> None:
    from facemon.store.ledger.upgrade import upgrade

    try:
        upgrade(connection, path, tell, files)
    except sqlite3.Error as error:
        raise explained(path.parent, error, "cannot be upgraded") from error
    except OSError as error:
        raise FacemonError(f"the store in {path.parent} cannot be upgraded: {error.strerror}") from error
