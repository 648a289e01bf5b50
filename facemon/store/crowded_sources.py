"""Sources that had no place in any of their hours, so that only the rows tell of them."""

import pyarrow.compute

from facemon.domain.profile import OTHER
from facemon.domain.times import HOUR_MICROS
from facemon.errors import FacemonError
from facemon.store.ledger.protocol import Ledger
from facemon.store.segment_files import read_segment

_FIRST, _END = -(1 << 40), 1 << 40
"""Hours before and after all others."""


def may_be_crowded_out(ledger: Ledger, source: str) -> bool:
    """Whether a source has rows in hours that had more sources than places, or rows there that cannot be read."""
    if not ledger.profiles.has_source(OTHER):
        return False
    crowded: dict[str, set[int]] = {}
    with ledger.reading():
        for segment in reversed(ledger.segments.within()):
            first, last = segment.first_observed // HOUR_MICROS, segment.last_observed // HOUR_MICROS
            if segment.model not in crowded:
                crowded[segment.model] = ledger.profiles.crowded_hours(_FIRST, _END, segment.model)
            if crowded[segment.model].isdisjoint(range(first, last + 1)):
                continue
            try:
                found = read_segment(ledger, segment, ["source"], encoded=True)["source"]
            except FacemonError:
                return True
            if pyarrow.compute.any(pyarrow.compute.equal(found, source)).as_py():
                return True
    return False
