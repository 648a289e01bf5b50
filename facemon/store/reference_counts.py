"""The counts of a table that is a reference, kept so that the next check need not count its rows again."""

from facemon.store.ledger.protocol import Ledger
from facemon.store.named_reference import Reference

_KEPT = 4
"""Ways of counting: data, model and both checks, and one configuration that was changed."""


def read_counts(ledger: Ledger, reference: Reference, key: str) -> bytes | None:
    """What was kept under the key, which says how the rows were counted; None where they were counted otherwise."""
    return ledger.references.counts(reference.id, key)


def keep_counts(ledger: Ledger, reference: Reference, key: str, data: bytes) -> None:
    """Keep the counts, and of those of other keys the newest few."""
    with ledger.writing():
        ledger.references.keep_counts(reference.id, key, data, _KEPT)
