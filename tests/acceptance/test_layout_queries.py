"""The queries that the documentation gives for deliveries, run by DuckDB and Polars on some."""

import re
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from facemon.store.ledger.opening import open_ledger
from tests.store.delivered import shared_folder
from tests.store.log_rows import NOON, log_images
from tests.store.nodes import send, state_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "bucket.md"
LOCATION = "s3://logs/cameras/"
BY_DAY = [("gate", "11-22", 22, 4), ("gate", "11-23", 22, 4), ("hall", "11-22", 22, 4)]
"""Source, day, rows and failures of the shared log."""


def documented(language: str) -> list[str]:
    """The queries of the section in a language, in order."""
    section = PAGE.read_text().partition("## Queries over deliveries\n")[2].partition("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A shared log of two cameras, with rows that a copy delivered too, and a segment that no delivery names."""
    objects = shared_folder(tmp_path / "log")
    for node, days in (("gate", 2), ("hall", 1)):
        with open_ledger(tmp_path / node, create=True) as ledger:
            for day in range(days):
                log_images(ledger, 20, observed=NOON + timedelta(days=day), sources=(node,))
                if day == 0:
                    send(ledger, objects, node)
        if days == 2:
            shutil.copytree(tmp_path / node, tmp_path / "copy")
            for folder in (tmp_path / node, tmp_path / "copy"):
                with open_ledger(folder) as ledger:
                    send(ledger, objects, node)
        with open_ledger(tmp_path / node) as ledger:
            epoch, _ = state_of(ledger)
    whole = next(entry.key for entry in objects.listed("node-segments/hall/"))
    left = f"node-segments/hall/{epoch}/2-00dead/date=2026-11-22/left.parquet"
    objects.write(left, objects.read(whole) or b"")
    return tmp_path / "log"


def test_the_documented_queries_count_what_was_delivered(shared: Path) -> None:
    set_segments, rows_by_day, deliveries = (query.replace(LOCATION, f"{shared}/") for query in documented("sql"))
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'Pacific/Kiritimati'")  # where noon in UTC is the next day
    connection.execute(set_segments)
    found = [(source, f"{day:%m-%d}", rows, failed) for source, day, rows, failed in
             connection.execute(rows_by_day).fetchall()]  # fmt: skip
    assert found == BY_DAY
    told = connection.execute(deliveries).fetchall()
    assert sorted((node, newest, count) for node, _, newest, count in told) == [
        ("gate", 1, 1), ("gate", 2, 2), ("hall", 1, 1),
    ]  # fmt: skip


def test_polars_counts_the_same(shared: Path) -> None:
    program, spark = documented("python")
    names: dict[str, Any] = {}
    exec(program.replace(LOCATION, f"{shared}/"), names)  # noqa: S102 - of our own page
    assert [(source, f"{day:%m-%d}", rows, failed) for source, day, rows, failed in names["by_day"].rows()] == BY_DAY
    compile(spark, "bucket.md", "exec")  # Spark itself is not installed
