"""What the header of a ledger's file says: that it is a ledger of facemon, and which version its tables have."""

import sqlite3

APPLICATION_ID = 0x66616365  # "face"
"""What SQLite keeps in the header of each ledger."""
OLDEST_VERSION = 1
"""The oldest version that this facemon upgrades."""
STORE_VERSION = 8
"""The present version, which the last of `migrations.MIGRATIONS` leads to."""


def version_of(connection: sqlite3.Connection) -> int:
    """The version of an open ledger, as last committed."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version
