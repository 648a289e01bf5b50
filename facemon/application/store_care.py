"""Care for the log: what it holds, backups, verification, compaction, retention, and the clock that stamps it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facemon.application.left_out import refuse_left_out
from facemon.application.operation import Operation
from facemon.domain.counted import counted
from facemon.domain.times import EPOCH, format_time, from_micros
from facemon.errors import ExitCode, FacemonError

if TYPE_CHECKING:
    from facemon.domain.clock_judgement import SeenTime
    from facemon.reports.printed_parts import Part
    from facemon.store.node_state import NodeState
    from facemon.store.verification import Verification


@dataclass(frozen=True, slots=True)
class ClockFindings:
    """What is wrong with the clock, and what bears a time that has not come yet."""

    doubt: str | None
    ahead: "Sequence[SeenTime]"

    @property
    def is_wrong(self) -> bool:
        """Whether the clock is wrong, or something bears a time that is more than a day ahead."""
        return bool(self.doubt or self.ahead)

    def report(self) -> "Iterator[Part]":
        """What bears a time that has not come yet, why the clock is doubted, and the hint; or that it is right."""
        from facemon.reports.store_report import clock_report
        from facemon.store.store_clock import HINT

        return clock_report(self.doubt, self.ahead, HINT)


def store_info(operation: Operation) -> dict[str, Any]:
    """What the log holds, ready for JSON; a store of an older version is not upgraded."""
    from facemon.store.inventory import take_inventory
    from facemon.store.ledger.opening import STORE_VERSION
    from facemon.store.permissions import MODES

    store, say = operation.config.store, operation.reporter.say
    with operation.open_ledger(upgrade=False) as ledger:
        found = take_inventory(ledger)
    if found.version < STORE_VERSION:
        say(
            f"the next command that writes upgrades the store from version {found.version} to {STORE_VERSION}; "
            "facemon store backup FILE saves it as it is"
        )
    if found.permissions.mode != MODES[store.mode]:
        say(
            f"the permissions of the store are {found.permissions.text}, not {store.mode} (store.mode): "
            "facemon store repair changes them"
        )
    return {
        "store": str(store.path),
        "version": found.version,
        "user": found.permissions.owner_name,
        "mode": found.permissions.text,
        "rows": found.rows,
        "files": found.files,
        "inline_segments": found.inline,
        "bytes": found.bytes,
        "first_observed_at": found.first and format_time(found.first),
        "last_observed_at": found.last and format_time(found.last),
        "models": found.models,
        "unfinished_runs": found.unfinished_runs,
        "references": found.references,
        "drift_checks": found.drift_checks,
        "reports": found.reports,
        "report_bytes": found.report_bytes,
        "delivers": None if found.node is None else _delivers(found.node),
        "collected": [
            {
                "node": each.node, "epochs": each.epochs, "deliveries": each.deliveries, "missing": each.missing,
                "last_observed_at": format_time(from_micros(each.newest)),
                "last_delivered_at": format_time(from_micros(each.written)),
            }
            for each in found.collected
        ],
    }  # fmt: skip


def _delivers(node: "NodeState") -> dict[str, Any]:
    return {
        "node": node.node, "location": node.location, "epoch": node.epoch, "deliveries": node.number,
        "until": None if node.until is None else format_time(from_micros(node.until)),
    }  # fmt: skip


def back_up_store(operation: Operation, file: Path) -> None:
    """Write the whole store to one archive, while others go on writing."""
    from facemon.store.backup import back_up

    with operation.open_ledger(upgrade=False) as ledger:
        done = back_up(ledger, file)
        held = f"{counted(done.rows, 'row')}, the ledger and {counted(done.files, 'file')}"
        operation.reporter.say(f"wrote {file}: store version {ledger.version}, {held}, {done.bytes / 1e6:.1f} MB")


def verify_store(operation: Operation) -> "Verification":
    """Read the whole log and verify it: each row once, files unchanged, totals and profiles equal to the rows.

    A ledger that is damaged or lost is a problem that was found, not a verification that failed.
    """
    from facemon.store.ledger_errors import DamagedLedgerError, LostLedgerError
    from facemon.store.verification import Verification, verify

    try:
        with operation.open_ledger() as ledger:
            return verify(ledger)
    except (DamagedLedgerError, LostLedgerError) as error:
        return Verification(0, 0, (error.message,), is_ledger_damaged=True)


def compact_store(operation: Operation) -> None:
    """Merge the small segments of completed hours; FacemonError once that is done where damaged ones are left out."""
    from facemon.store.compaction import compact

    with operation.open_ledger() as ledger, operation.recorded(ledger, "store compact") as outcome:
        done = compact(ledger, ledger.now())
        operation.reporter.say(
            f"folded {counted(done.folded, 'segment')} with {counted(done.rows, 'row')} into {done.written}"
        )
        refuse_left_out(operation, done.left_out)
        outcome.code = ExitCode.OK


def prune_store(operation: Operation, days: int | None, *, despite_clock: bool, undelivered: bool) -> None:
    """Remove rows and reports that are older than `days`, or than store.retention_days, and results of labelled images.

    Such a result also stays for drift.accuracy_window: a check counts it towards the accuracy of today.

    FacemonError while the clock is wrong, unless `despite_clock`. Of a store that delivers, rows stay until they are
    delivered, unless `undelivered`.
    """
    from facemon.store.evaluations import prune_labelled
    from facemon.store.report_files import FOLDER, prune_reports
    from facemon.store.retention import prune
    from facemon.store.set_aside import prune_set_aside
    from facemon.store.store_clock import HINT

    say, kept = operation.reporter.say, days or operation.config.store.retention_days
    with operation.open_ledger() as ledger, operation.recorded(ledger, "store prune", warns=despite_clock) as outcome:
        if (doubt := ledger.clock.doubt()) and not despite_clock:
            remedy = f"{HINT}; --despite-clock removes rows by this clock once"
            raise FacemonError(f"nothing is removed: {doubt}", remedy)
        now = datetime.now(UTC) if despite_clock else ledger.now()
        before = now - timedelta(days=min(kept, max(0, (now - EPOCH).days)))
        done = prune(ledger, before, undelivered=undelivered)
        longest = min(operation.config.drift.accuracy_window, now - EPOCH)
        labelled = prune_labelled(ledger, min(before, now - longest))
        reports = prune_reports(ledger.folder / FOLDER, before)
        aside = prune_set_aside(ledger.folder, before, now)
        rows = f"{counted(done.rows, 'row')} in {counted(done.segments, 'segment')}"
        say(f"removed {rows}: observed and predicted more than {kept} days ago")
        if done.undelivered:
            operation.reporter.warn(
                f"{counted(done.undelivered, 'segment')} with older rows stayed: not all of "
                "them are delivered; run facemon store deliver first, or add --undelivered"
            )
        if labelled:
            say(f"removed {counted(labelled, 'result')} of labelled images, whose rows are gone")
        if reports:
            say(f"removed {counted(reports, 'file')} of reports, written more than {kept} days ago")
        if aside:
            say(f"removed {counted(aside, 'file')} that a repair had set aside")
        refuse_left_out(operation, done.left_out)
        outcome.code = ExitCode.OK


def compare_clock(operation: Operation) -> ClockFindings:
    """Compare the clock with the uptime and with what the store has seen."""
    from facemon.store.future_stamps import future_stamps

    with operation.open_ledger() as ledger:
        return ClockFindings(ledger.clock.doubt(), list(future_stamps(ledger, ledger.now())))


def accept_clock(operation: Operation) -> None:
    """Take the clock as right, and set what is stamped with a later time to now."""
    from facemon.store.future_stamps import take_back

    with operation.open_ledger() as ledger:
        changed = take_back(ledger, now := ledger.clock.accept())
        stamps = f"set {counted(changed, 'stamp')} from the future to now"
        operation.reporter.say(f"accepted the clock: {now:%Y-%m-%d %H:%M} UTC; {stamps}")
