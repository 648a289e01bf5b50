"""What many machines must reach, and what users of one machine must not pay for it."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks import many_listing, many_rows, many_storage, many_unpaid
from benchmarks.machine import Line

ABOUT = f"{many_storage.ABOUT}\n{many_listing.ABOUT}\n{many_rows.ABOUT}\n{many_unpaid.ABOUT}"


def measure(folder: Path) -> Iterator[Line]:
    """Rates from object storage, memory over long listings, checks of many rows, and one machine before and after."""
    for name, lines in {
        "storage": many_storage.storage_lines,
        "listing": many_listing.listing_lines,
        "rows": many_rows.rows_lines,
        "unpaid": many_unpaid.unpaid_lines,
    }.items():
        (folder / name).mkdir()
        yield from lines(folder / name)
