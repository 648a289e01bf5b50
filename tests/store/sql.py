"""A look below the protocol, for tests that damage a ledger or count what SQLite does."""

import sqlite3

import pytest

from facemon.store.ledger.protocol import Ledger
from facemon.store.ledger.sqlite_ledger import SqliteLedger


def sql(ledger: Ledger) -> sqlite3.Connection:
    """The connection of a ledger that SQLite keeps; a test that asks for that of another one is left out."""
    if not isinstance(ledger, SqliteLedger):
        pytest.skip("looks below the protocol, into SQLite")
    return ledger.connection
