"""What a log says, for tests of those who write it."""

from pathlib import Path

from facemon.store.ledger.request_table import read_request_totals
from facemon.store.ledger.sqlite_ledger import Ledger
from facemon.store.segment_files import list_segments, read_segment
from facemon.store.totals import TotalKey
from facemon.store.verification import verify

ASKED = TotalKey("api_requests_total", ("/predict", "POST", "success", "200"), "")


def images_in(folder: Path) -> list[str]:
    """The images of all rows, once for each input, in the order of their ordinals."""
    with Ledger.open(folder) as ledger:
        tables = [read_segment(ledger, segment) for segment in list_segments(ledger.connection)]
        assert verify(ledger).problems == ()
    rows = {
        (run, ordinal): image
        for table in tables
        for run, ordinal, image in zip(*(table[name].to_pylist() for name in ("run", "ordinal", "image")), strict=True)
    }
    return [image for _, image in sorted(rows.items())]


def inputs_done(folder: Path) -> int:
    """Inputs that the ledger says are logged."""
    with Ledger.open(folder) as ledger:
        return int(ledger.connection.execute("SELECT sum(done) FROM runs").fetchone()[0])


def asked_in(folder: Path) -> float:
    """How often `ASKED` was counted."""
    with Ledger.open(folder) as ledger:
        return read_request_totals(ledger.connection, "here").get(ASKED, 0.0)
