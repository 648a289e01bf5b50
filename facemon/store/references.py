"""References: the data that checks compare against, kept whole, so that retention cannot remove it."""

import secrets
from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from facemon.domain.profile import Profile
from facemon.domain.times import micros
from facemon.errors import FacemonError, UsageError
from facemon.near_names import either, nearest_names
from facemon.store.ledger.protocol import Ledger
from facemon.store.named_reference import Reference, ReferenceSpreads, RemovedReference
from facemon.store.process_lock import ProcessLock
from facemon.store.recovery import recover
from facemon.store.reference_spreads import read_reference_window
from facemon.store.segment_files import read_rows, write_parquet

SET_ONE = "facemon reference set --since 24h makes the last day's predictions the reference"
_WRITER = "reference"
_MOST_NAMED = 10
_GIVEN_AS = b"facemon.given_as"
"""Under this key the file of a table tells what it was called when it was set."""


def set_from_window(
    ledger: Ledger, name: str, since: datetime, until: datetime, *, model: str, note: str, now: datetime
) -> Reference:
    """Make the rows of a model that were observed in `[since, until)` a reference."""
    with ledger.reading():
        start, stop = micros(since), micros(until)
        tables = list(read_rows(ledger, ledger.segments.within(start, stop, model), start, stop, proven=True))
        profiles, spreads = read_reference_window(ledger, since, until, model=model)
    if not tables:
        raise FacemonError(
            f"the log has no rows of {model} between {since:%Y-%m-%d %H:%M} and {until:%Y-%m-%d %H:%M} UTC",
            "facemon store info tells which times it holds",
        )
    table = pa.concat_tables(tables, promote_options="default")
    return _set(ledger, table, profiles, spreads, (name, "predictions", note, model, "window", now, since, until))


def set_from_table(
    ledger: Ledger, name: str, table: pa.Table, *, kind: str, note: str, now: datetime, given_as: str | None = None
) -> Reference:
    """Make a table of other data a reference; its columns stay as they are. `given_as` says where it came from."""
    if given_as is not None:
        table = table.replace_schema_metadata({_GIVEN_AS: given_as.encode()})
    return _set(ledger, table, {}, ReferenceSpreads(), (name, kind, note, None, "file", now, None, None))


def _set(
    ledger: Ledger,
    table: pa.Table,
    profiles: Mapping[str | None, Profile],
    spreads: ReferenceSpreads,
    facts: tuple[str, str, str, str | None, str, datetime, datetime | None, datetime | None],
) -> Reference:
    name, kind, note, model, origin, now, since, until = facts
    with ProcessLock.for_command(ledger.folder, _WRITER):
        recover(ledger, holding=_WRITER)
        if any(known.name == name for known in list_references(ledger)):
            raise FacemonError(f"there is a reference {name!r} already", "choose another name with --name")
        key = secrets.token_hex(8)
        path = f"references/{key}.parquet"
        reference = Reference(key, name, kind, note, model, origin, now, since, until, table.num_rows, path)
        with ledger.writing():
            ledger.files.intend(_WRITER, [(key, path)])
        write_parquet(ledger.folder / path, table)
        with ledger.writing():
            ledger.references.enter(reference, profiles, spreads)
    return find_reference(ledger, name)


def list_references(ledger: Ledger) -> list[Reference]:
    """All references, the one that was set last first, whatever the clock said then."""
    return ledger.references.all()


def find_reference(ledger: Ledger, name: str | None) -> Reference:
    """The reference of a name, or the newest one; UsageError for an unknown name, FacemonError without any."""
    references = list_references(ledger)
    if not references:
        raise no_reference()
    if name is None:
        return references[0]
    for reference in references:
        if reference.name == name:
            return reference
    raise unknown_reference(ledger, [name])


def remove_reference(ledger: Ledger, reference: Reference, now: datetime) -> None:
    """Take a reference out of the ledger; called inside of `Ledger.writing()`.

    Its file stays for an hour, for checks that began before. Drift that was announced of it is forgotten, because
    another reference may get its name; the time of the last `reference` becomes that of the newest which is left.
    """
    references = list_references(ledger)
    ledger.references.remove(reference, now)
    announced = ledger.checks.announced()
    ledger.checks.forget_announced([column for column in announced if column.reference == reference.name])
    if reference.id == references[0].id:
        before = micros(references[1].created) if len(references) > 1 else None
        for run in ledger.commands.all():
            if run.command == _WRITER and run.last_success is not None:
                ledger.commands.take_back_success(_WRITER, run.last_success, before)


def removed_references(ledger: Ledger) -> list[RemovedReference]:
    """The records of references that were removed, in the order of their removal."""
    return ledger.references.removed()


def unknown_reference(ledger: Ledger, names: Collection[str]) -> UsageError:
    """What to raise for names that are not those of references: it says which were removed, and which are near."""
    known = [reference.name for reference in list_references(ledger)]
    removed = {record.name: record for record in removed_references(ledger)}
    said = [
        f"reference {name!r} was removed on {removed[name].removed:%Y-%m-%d at %H:%M} UTC"
        if name in removed
        else f"there is no reference {name!r}"
        for name in names
    ]
    near = [each for name in names if name not in removed for each in nearest_names(name, known)]
    more = f" and {len(known) - _MOST_NAMED} more: facemon reference list" if len(known) > _MOST_NAMED else ""
    listed = f"choose one of: {', '.join(known[:_MOST_NAMED])}{more}" if known else SET_ONE
    return UsageError("; ".join(said), f"did you mean {either(dict.fromkeys(near))}? {listed}" if near else listed)


def no_reference(hint: str = SET_ONE) -> FacemonError:
    """What to raise where a reference is needed and none was ever set, or there is not even a store."""
    return FacemonError("no reference has been set", hint)


def reference_profiles(ledger: Ledger, reference: Reference) -> dict[str | None, Profile]:
    """A window reference's profiles by source."""
    return ledger.references.profiles(reference.id)


def reference_spreads(ledger: Ledger, reference: Reference) -> ReferenceSpreads:
    """How much a window reference's hours and days differ; empty for tables and for references set before version 5."""
    return ledger.references.spreads(reference.id)


def reference_file(ledger: Ledger, reference: Reference) -> Path:
    """The Parquet file that holds a reference's rows."""
    return ledger.folder / reference.path


def given_as(ledger: Ledger, reference: Reference) -> str | None:
    """What a table was called when it was set; None for a window, and where its file does not tell."""
    if reference.origin != "file":
        return None
    try:
        metadata = pa.parquet.read_schema(reference_file(ledger, reference)).metadata or {}
    except (OSError, pa.ArrowException):
        return None
    name = metadata.get(_GIVEN_AS)
    return None if name is None else name.decode()
