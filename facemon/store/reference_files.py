"""Whether the files of references are there and whole, as far as that can be known: no hash of them is kept."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from facemon.domain.counted import counted
from facemon.store.ledger.protocol import Ledger

_BATCH_ROWS = 65_536


def damaged_references(ledger: Ledger) -> Iterator[tuple[str, str]]:
    """Yield the name of each reference whose file is missing or damaged, and a sentence about it.

    Each file is decoded in parts, and its rows are counted: a value that changed and can still be decoded is not seen.
    Call it in a transaction.
    """
    for reference in ledger.references.all():
        path = ledger.folder / reference.path
        if fault := _fault(path, reference.rows):
            yield reference.name, f"the file {path} of the reference {reference.name} {fault}"


def missing_references(ledger: Ledger) -> tuple[str, ...]:
    """Return the names of the references whose files are not there; no file is read."""
    return tuple(each.name for each in ledger.references.all() if not (ledger.folder / each.path).is_file())


def _fault(path: Path, rows: int) -> str | None:
    """What is wrong with a file, as the end of a sentence."""
    if not path.exists():
        return "is missing"
    try:
        with pa.parquet.ParquetFile(path) as file:
            found = sum(batch.num_rows for batch in file.iter_batches(_BATCH_ROWS))
    except (OSError, pa.ArrowException) as error:
        # Arrow's reason may be many lines long.
        return f"cannot be read: {str(error).splitlines()[0]}"
    return None if found == rows else f"has {counted(found, 'row')} instead of {rows}"
