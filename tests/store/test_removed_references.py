"""A reference that is removed: nothing else of the store goes, and nothing is left of it but a record."""

from collections.abc import Callable
from datetime import timedelta

import pyarrow as pa
import pytest

from facemon.config.drift import TablesConfig
from facemon.domain.drift_result import Check
from facemon.drift.reference_sample import reference_sample
from facemon.drift.tables import LOG_LAYOUT
from facemon.errors import ExitCode, FacemonError, UsageError
from facemon.store.command_run import CommandRun
from facemon.store.drift_states import DriftedColumn
from facemon.store.inventory import take_inventory
from facemon.store.ledger.protocol import Ledger
from facemon.store.named_reference import Reference
from facemon.store.recorded_commands import record_command
from facemon.store.recovery import GRACE_SECONDS, recover
from facemon.store.reference_counts import keep_counts, read_counts
from facemon.store.references import (
    find_reference,
    list_references,
    reference_file,
    reference_profiles,
    remove_reference,
    removed_references,
    set_from_table,
    set_from_window,
)
from facemon.store.verification import verify
from tests.store.log_rows import ATTRIBUTES, MODEL, NOON, log_images
from tests.store.oracles import log_rows
from tests.store.sql import sql

HOUR = timedelta(hours=1)


def a_window(ledger: Ledger, name: str = "window") -> Reference:
    return set_from_window(ledger, name, NOON, NOON + HOUR, model=MODEL, note="a good hour", now=NOON)


def a_table(ledger: Ledger, name: str = "table") -> Reference:
    return set_from_table(ledger, name, pa.table({"a": [1, 2]}), kind="labels", note="", now=NOON)


def remove(ledger: Ledger, reference: Reference) -> None:
    with ledger.writing():
        remove_reference(ledger, reference, ledger.now())


@pytest.mark.parametrize("make", [a_window, a_table])
def test_it_is_gone_with_all_that_was_kept_of_it(ledger: Ledger, make: Callable[[Ledger], Reference]) -> None:
    log_images(ledger, 60)
    rows, totals = log_rows(ledger), ledger.totals.read()
    other, gone = a_table(ledger, "other"), make(ledger)
    for each in (other, gone):
        keep_counts(ledger, each, "key", b"counts")
    remove(ledger, gone)
    keep_counts(ledger, gone, "key", b"of a check that began before")
    assert list_references(ledger) == [other]
    assert (read_counts(ledger, gone, "key"), reference_profiles(ledger, gone)) == (None, {})
    assert read_counts(ledger, other, "key") == b"counts"
    assert (log_rows(ledger), ledger.totals.read()) == (rows, totals)
    assert take_inventory(ledger).references == 1
    assert verify(ledger).problems == ()
    assert not any(gone.id in line for line in sql(ledger).iterdump() if not is_record(line))


def is_record(line: str) -> bool:
    """Whether a line of a dump may be left of a removed reference: its record, and that its file is given up."""
    return "'removed'" in line or "discards" in line


def test_its_file_stays_for_checks_that_began_before(ledger: Ledger) -> None:
    gone = a_table(ledger)
    path = reference_file(ledger, gone)
    remove(ledger, gone)
    recover(ledger)
    assert path.is_file()
    sql(ledger).execute("UPDATE discards SET since = since - ?", (GRACE_SECONDS + 1,))
    recover(ledger)
    assert not path.exists()
    assert list((ledger.folder / "references").iterdir()) == []


def test_a_record_says_when_it_was_removed(ledger: Ledger) -> None:
    gone = a_table(ledger, "été")
    a_table(ledger, "spring")
    assert removed_references(ledger) == []
    before = ledger.now()
    remove(ledger, gone)
    (record,) = removed_references(ledger)
    assert (record.id, record.name, record.kind, record.rows, record.created) == (gone.id, "été", "labels", 2, NOON)
    assert before <= record.removed <= ledger.now()
    assert record.had_name_at("été", NOON + HOUR)
    assert not record.had_name_at("été", NOON - HOUR)
    assert not record.had_name_at("spring", NOON + HOUR)
    with pytest.raises(UsageError, match=rf"reference 'été' was removed on {record.removed:%Y-%m-%d at %H:%M} UTC") as (
        caught
    ):
        find_reference(ledger, "été")
    assert caught.value.hint == "choose one of: spring"


def test_its_name_may_be_given_again(ledger: Ledger) -> None:
    """Drift of the one that is gone was announced: that of its successor is news."""
    gone = a_table(ledger, "normal")
    column, other = (DriftedColumn(MODEL, name, "", "null", "data", "beard") for name in ("normal", "another"))
    with ledger.writing():
        ledger.checks.announce([column, other])
    remove(ledger, gone)
    assert ledger.checks.announced() == {other}
    again = a_table(ledger, "normal")
    assert find_reference(ledger, "normal") == again
    remove(ledger, again)
    assert [each.id for each in removed_references(ledger)] == [gone.id, again.id]


def test_the_last_success_is_that_of_the_newest_that_is_left(ledger: Ledger) -> None:
    """Otherwise the alert on an old reference would wait from the day of one that is gone."""

    def success() -> int | None:
        (run,) = ledger.commands.all()
        assert isinstance(run, CommandRun)
        return run.last_success

    old, middle, newest = (a_table(ledger, name) for name in ("old", "middle", "newest"))
    record_command(ledger, "reference", NOON + 2 * HOUR, 1.0, ExitCode.OK)
    entered = success()
    remove(ledger, middle)
    assert success() == entered
    remove(ledger, newest)
    assert success() == old.created.timestamp() * 1e6
    remove(ledger, old)
    assert success() is None


def test_a_check_that_meets_the_removal_says_so(ledger: Ledger) -> None:
    """What it reads would be empty, and everything drift."""
    log_images(ledger, 60)
    gone = a_window(ledger)
    remove(ledger, gone)
    with pytest.raises(FacemonError, match="'window' was removed meanwhile"):
        reference_sample(
            ledger, gone, attributes=ATTRIBUTES, tables=TablesConfig(), checks=(Check.DATA,), layout=LOG_LAYOUT
        )
