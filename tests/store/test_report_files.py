"""Reports appear whole, under a name that says when, and obey the retention."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from facemon.errors import FacemonError, UsageError
from facemon.store.report_files import (
    LATEST,
    dated_name,
    measure_reports,
    prune_reports,
    write_page_of_record,
    write_report,
)

AT = datetime(2026, 11, 28, 2, 0, 5, tzinfo=UTC)


def test_a_page_of_record_is_dated_and_the_latest(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    first = write_page_of_record(folder, AT, "one")
    second = write_page_of_record(folder, AT + timedelta(days=1), "two")
    assert (first.name, second.name) == ("drift-20261128T020005Z.html", "drift-20261129T020005Z.html")
    assert [path.read_text() for path in (first, second, folder / LATEST)] == ["one", "two", "two"]
    assert measure_reports(folder) == (3, 9)
    assert {path.name for path in folder.iterdir()} == {first.name, second.name, LATEST}
    assert first.stat().st_mode & 0o777 == 0o644


def test_old_reports_go_and_nothing_else(tmp_path: Path) -> None:
    kept = [
        "drift.html",
        LATEST,
        "notes-20200101T000000Z.html",
        "drift-20200101T000000Z.txt",
        "drift-20201399T000000Z.html",
    ]
    old = [
        dated_name(kind, AT - timedelta(days=91), suffix) for kind, suffix in (("drift", "html"), ("evidently", "json"))
    ]
    new = dated_name("evidently", AT - timedelta(days=89), "html")
    for name in (*kept, *old, new):
        (tmp_path / name).write_text("x")
    assert prune_reports(tmp_path, AT - timedelta(days=90)) == 2
    assert {path.name for path in tmp_path.iterdir()} == {*kept, new}


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert prune_reports(tmp_path / "reports", AT) == 0
    assert measure_reports(tmp_path / "reports") == (0, 0)


def test_what_cannot_be_written_leaves_no_draft(tmp_path: Path) -> None:
    (tmp_path / "drift.html").mkdir()
    with pytest.raises(FacemonError, match=r"drift\.html cannot be written: Is a directory"):
        write_report(tmp_path / "drift.html", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["drift.html"]


def test_a_named_pipe_is_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "page.html"
    os.mkfifo(pipe)
    with pytest.raises(UsageError, match="is not a regular file"):
        write_report(pipe, "page")
    assert pipe.is_fifo()
