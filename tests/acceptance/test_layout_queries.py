"""The queries that the documentation gives for deliveries, run by DuckDB on some."""

import re
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from facemon.store.ledger.opening import open_ledger
from tests.store.delivered import shared_folder
from tests.store.log_rows import NOON, log_images
from tests.store.nodes import send, state_of

OPERATIONS = Path(__file__).resolve().parents[2] / "docs" / "operations.md"


def documented() -> list[str]:
    """The queries of the section, in order."""
    section = OPERATIONS.read_text().partition("### Many cameras, one verdict\n")[2].partition("\n### ")[0]
    return re.findall(r"^```sql\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A shared log of two cameras, with a segment that no delivery names."""
    objects = shared_folder(tmp_path / "log")
    for node, days in (("gate", 2), ("hall", 1)):
        with open_ledger(tmp_path / node, create=True) as ledger:
            for day in range(days):
                log_images(ledger, 20, observed=NOON + timedelta(days=day), sources=(node,))
                send(ledger, objects, node)
            epoch, _ = state_of(ledger)
    whole = next(entry.key for entry in objects.listed("node-segments/hall/"))
    left = f"node-segments/hall/{epoch}/2-00dead/date=2026-11-22/left.parquet"
    objects.write(left, objects.read(whole) or b"")
    return tmp_path / "log"


def test_the_documented_queries_count_what_was_delivered(shared: Path) -> None:
    set_segments, rows_by_day, deliveries = (
        query.replace("s3://logs/cameras/", f"{shared}/") for query in documented()
    )
    connection = duckdb.connect()
    connection.execute(set_segments)
    found = [(source, f"{day:%m-%d}", rows, failed) for source, day, rows, failed in
             connection.execute(rows_by_day).fetchall()]  # fmt: skip
    assert found == [("gate", "11-22", 22, 4), ("gate", "11-23", 22, 4), ("hall", "11-22", 22, 4)]
    told = connection.execute(deliveries).fetchall()
    assert [(node, newest, count) for node, _, newest, count in told] == [("gate", 2, 2), ("hall", 1, 1)]
