"""What a log says, for tests of those who write it."""

from pathlib import Path

from facemon.store.ledger.opening import open_ledger
from facemon.store.segment_files import read_segment
from facemon.store.totals import TotalKey
from facemon.store.verification import verify
from tests.store.sql import sql

ASKED = TotalKey("api_requests_total", ("/predict", "POST", "success", "200"), "")


def images_in(folder: Path) -> list[str]:
    """The images of all rows, once for each input, in the order of their ordinals."""
    with open_ledger(folder) as ledger:
        tables = [read_segment(ledger, segment) for segment in ledger.segments.within()]
        assert verify(ledger).problems == ()
    rows = {
        (run, ordinal): image
        for table in tables
        for run, ordinal, image in zip(*(table[name].to_pylist() for name in ("run", "ordinal", "image")), strict=True)
    }
    return [image for _, image in sorted(rows.items())]


def inputs_done(folder: Path) -> int:
    """Inputs that the ledger says are logged."""
    with open_ledger(folder) as ledger:
        return int(sql(ledger).execute("SELECT sum(done) FROM runs").fetchone()[0])


def asked_in(folder: Path) -> float:
    """How often `ASKED` was counted."""
    with open_ledger(folder) as ledger:
        return ledger.requests.read("here").get(ASKED, 0.0)
