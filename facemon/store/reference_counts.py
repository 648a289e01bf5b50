"""The counts of a table that is a reference, kept so that the next check need not count its rows again."""

from facemon.store.ledger.sqlite_ledger import Ledger
from facemon.store.references import Reference

_KEPT = 4
"""Ways of counting: data, model and both checks, and one configuration that was changed."""


def read_counts(ledger: Ledger, reference: Reference, key: str) -> bytes | None:
    """What was kept under the key, which says how the rows were counted; None where they were counted otherwise."""
    query = "SELECT data FROM baseline_counts WHERE baseline = ? AND key = ?"
    row = ledger.connection.execute(query, (reference.id, key)).fetchone()
    return None if row is None else bytes(row[0])


def keep_counts(ledger: Ledger, reference: Reference, key: str, data: bytes) -> None:
    """Keep the counts, and of those of other keys the newest few."""
    with ledger.writing() as connection:
        connection.execute("INSERT OR REPLACE INTO baseline_counts VALUES (?, ?, ?)", (reference.id, key, data))
        connection.execute(
            "DELETE FROM baseline_counts WHERE baseline = ? AND rowid NOT IN "
            "(SELECT rowid FROM baseline_counts WHERE baseline = ? ORDER BY rowid DESC LIMIT ?)",
            (reference.id, reference.id, _KEPT),
        )
