"""The store: whose it is, what it holds, whether its files are there, and how new its rows are."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.doctor.ages import age_text
from facemon.doctor.area import Area
from facemon.doctor.examination import Examination
from facemon.doctor.finding import Examined, Finding, Severity, finding_of
from facemon.domain.counted import counted
from facemon.errors import FacemonError

if TYPE_CHECKING:
    from facemon.store.inventory import Inventory
    from facemon.store.ledger.protocol import Ledger

_LEAST_FREE = 256 << 20
"""Bytes: a disk with less is full within hours."""
_MOST_SOURCES = 64
_MOST_NAMED = 3
_AHEAD = timedelta(minutes=5)
"""Clocks of cameras differ by less."""
_LATELY = timedelta(days=28)
"""Sources without rows for longer are gone."""


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """What is known of the store; `trouble` alone where it cannot be read."""

    path: Path
    now: datetime
    model: str
    window: timedelta
    mode: int
    mode_name: str
    trouble: FacemonError | None = None
    held: "Inventory | None" = None
    missing: tuple[str, ...] = ()
    """Files of segments that are not there."""
    lost_references: tuple[str, ...] = ()
    """Names of references whose files are not there."""
    set_aside: int = 0
    doubt: str | None = None
    """What is wrong with the clock."""
    late_rows: int = 0
    free_bytes: int = 0
    newest_by_source: tuple[tuple[str | None, datetime], ...] = ()


def gather(examination: Examination) -> StoreFacts:
    """Read the ledger, and look whether the files that it names are there; no row is read."""
    from facemon.store.permissions import MODES

    config = examination.config
    path, mode = config.store.path, config.store.mode
    facts = StoreFacts(path, examination.now, config.model.id, config.drift.window, MODES[mode], mode)
    if (trouble := examination.store_trouble) is not None:
        return replace(facts, trouble=trouble)
    return examination.read_store(lambda ledger: _read(facts, ledger)) or facts


def _read(facts: StoreFacts, ledger: "Ledger") -> StoreFacts:
    import shutil

    from facemon.store.inventory import take_inventory
    from facemon.store.reference_files import missing_references
    from facemon.store.set_aside import read_records

    paths = [segment.path for segment in ledger.segments.within() if segment.path is not None]
    return replace(
        facts,
        held=take_inventory(ledger),
        missing=tuple(path for path in paths if not (ledger.folder / path).is_file()),
        lost_references=missing_references(ledger),
        set_aside=len(read_records(ledger.folder)),
        doubt=ledger.clock.doubt(),
        late_rows=ledger.arrivals.read(facts.model).late_rows(ledger.now() - facts.window),
        free_bytes=shutil.disk_usage(ledger.folder).free,
        newest_by_source=tuple(_newest(facts, ledger)),
    )


def _newest(facts: StoreFacts, ledger: "Ledger") -> Iterator[tuple[str | None, datetime]]:
    """The newest hour of each source, of the images of batches and of the API alike."""
    from facemon.domain.prediction import Origin
    from facemon.domain.times import hour_of, start_of_hour

    first, end = hour_of(ledger.now() - _LATELY), hour_of(ledger.now()) + 1
    names = {name for origin in Origin for name in ledger.profiles.known_sources(first, origin, _MOST_SOURCES)}
    for name in sorted(names):
        if (hour := ledger.profiles.last_hour(facts.model, name, end)) is not None:
            yield name, start_of_hour(hour)


def judge(facts: StoreFacts) -> Examined:
    """Say what keeps rows out of checks and metrics, and what is about to."""
    if facts.held is None:
        return Examined(
            findings=(finding_of(facts.trouble or FacemonError("the store cannot be read", "facemon store info")),)
        )
    return Examined(_looked_at(facts, facts.held), tuple(_findings(facts, facts.held)), facts=tuple(_facts(facts)))


def _findings(facts: StoreFacts, held: "Inventory") -> Iterator[Finding]:
    if facts.doubt:
        yield Finding("the clock is wrong", facts.doubt, "facemon store clock")
    if facts.missing:
        named = ", ".join(facts.missing[:_MOST_NAMED])
        count = counted(len(facts.missing), "file")
        yield Finding(f"{count} of the log missing", f"{facts.path}: {named}", "facemon store repair")
    if facts.lost_references:
        yield _about_references(facts)
    if facts.free_bytes < _LEAST_FREE:
        free = f"{facts.free_bytes / 1e6:.0f} MB free"
        yield Finding("the store's disk is nearly full", f"{facts.path}: {free}", "facemon store prune")
    yield from _about_rows(facts, held)
    if held.permissions.mode != facts.mode:
        seen = f"{held.permissions.text}, and store.mode is {facts.mode_name}"
        what = "the permissions of the store are not those of the configuration"
        yield Finding(what, seen, "facemon store repair", Severity.WARNING)


def _about_references(facts: StoreFacts) -> Finding:
    from facemon.reports.store_report import renewal

    named, count = ", ".join(facts.lost_references[:_MOST_NAMED]), len(facts.lost_references)
    return Finding(
        f"{counted(count, 'file')} of references missing", f"{facts.path}: {named}", renewal(facts.lost_references)
    )


def _about_rows(facts: StoreFacts, held: "Inventory") -> Iterator[Finding]:
    predict = "facemon predict PATH"
    if not held.rows or held.last is None:
        yield Finding("the log is empty", f"{facts.path} has no rows", predict)
        return
    if not held.models.get(facts.model):
        others = ", ".join(held.models)
        yield Finding(f"the log has no rows of {facts.model}", f"it has rows of {others}", predict)
    elif facts.now - held.last > facts.window:
        seen = f"the newest was observed at {held.last:%Y-%m-%d %H:%M} UTC, {age_text(facts.now - held.last)}"
        yield Finding("there are no rows in drift.window", seen, predict, Severity.WARNING)
    if held.last - facts.now > _AHEAD:
        ahead = (held.last - facts.now).total_seconds() / 3_600
        seen = f"the newest at {held.last:%Y-%m-%d %H:%M} UTC, {ahead:.1f} hours ahead: no window has it before that"
        command = "give times with their offset from UTC, such as 2026-11-30T09:00+01:00, or set the camera's clock"
        yield Finding("rows were observed in the future", seen, command, Severity.WARNING)
    if facts.late_rows:
        was = counted(facts.late_rows, "row was", "rows were", grouped=True)
        what = f"{was} logged too late for any check of record"
        seen = "they were observed before drift.window, and logged since the last check"
        yield Finding(what, seen, "facemon drift-check --since 7d", Severity.WARNING)


def _looked_at(facts: StoreFacts, held: "Inventory") -> str:
    newest = f", the newest observed {age_text(facts.now - held.last)}" if held.last else ""
    size = f"{held.bytes / 1e6:.1f} MB"
    rows = f"{counted(held.rows, 'row', grouped=True)} in {counted(held.files + held.inline, 'segment')}"
    return f"{facts.path}, version {held.version}, of {held.permissions.owner_name}: {rows}, {size}{newest}"


def _facts(facts: StoreFacts) -> Iterator[str]:
    for source, at in facts.newest_by_source:
        yield f"source {source}: newest rows in the hour from {at:%Y-%m-%d %H:%M} UTC, {age_text(facts.now - at)}"
    if facts.set_aside:
        yield f"{counted(facts.set_aside, 'damaged segment')} set aside by facemon store repair"
    yield "only names and sizes of files were checked: facemon store verify reads every row"


AREA = Area("store", gather, judge)
