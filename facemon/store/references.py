"""References: what somebody declared to be normal, kept whole, so that retention cannot take it away."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from facemon.domain.profile import Profile
from facemon.domain.profile_codec import decode_profile, encode_profile
from facemon.domain.times import from_micros, micros
from facemon.errors import FacemonError
from facemon.store.ledger.sqlite_ledger import Ledger
from facemon.store.process_lock import ProcessLock
from facemon.store.recovery import recover
from facemon.store.reference_spreads import ReferenceSpreads, enter_spreads, read_reference_window, read_spreads
from facemon.store.segment_files import list_segments, read_rows, write_parquet

WRITER = "reference"
_GIVEN_AS = b"facemon.given_as"
"""Under this key the file of a table tells what it was called when it was set."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A named reference; `kind` is predictions or labels, `origin` window or file."""

    id: str
    name: str
    kind: str
    note: str
    model: str | None
    origin: str
    created: datetime
    since: datetime | None
    until: datetime | None
    rows: int
    path: str


_COLUMNS = "id, name, kind, note, model, origin, created, since, until, rows, path"


def set_from_window(
    ledger: Ledger, name: str, since: datetime, until: datetime, *, model: str, note: str, now: datetime
) -> Reference:
    """Make the rows of a model that were observed in `[since, until)` a reference."""
    with ledger.reading() as connection:
        start, stop = micros(since), micros(until)
        tables = list(read_rows(ledger, list_segments(connection, start, stop, model), start, stop, proven=True))
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
    """Make a table of somebody's own a reference; its columns stay as they are. `given_as` says where it came from."""
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
    with ProcessLock.for_command(ledger.folder, WRITER):
        recover(ledger, holding=WRITER)
        if any(known.name == name for known in list_references(ledger)):
            raise FacemonError(f"there is a reference {name!r} already", "choose another name with --name")
        reference = secrets.token_hex(8)
        path = f"references/{reference}.parquet"
        with ledger.writing() as connection:
            connection.execute("INSERT INTO intents VALUES (?, ?, ?)", (reference, WRITER, path))
        write_parquet(ledger.folder / path, table)
        times = (micros(now), since and micros(since), until and micros(until))
        with ledger.writing() as connection:
            connection.execute(
                f"INSERT INTO baselines ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                (reference, name, kind, note, model, origin, *times, table.num_rows, path),
            )
            rows = [(reference, source or "", encode_profile(profile)) for source, profile in profiles.items()]
            connection.executemany("INSERT INTO baseline_profiles VALUES (?, ?, ?)", rows)
            enter_spreads(connection, reference, spreads)
            connection.execute("DELETE FROM intents WHERE segment = ?", (reference,))
    return find_reference(ledger, name)


def list_references(ledger: Ledger) -> list[Reference]:
    """All references, the one that was set last first, whatever the clock said then."""
    rows = ledger.connection.execute(f"SELECT {_COLUMNS} FROM baselines ORDER BY rowid DESC")  # noqa: S608
    return [_reference(row) for row in rows]


def find_reference(ledger: Ledger, name: str | None) -> Reference:
    """The reference of a name, or the newest one; FacemonError when there is none."""
    references = list_references(ledger)
    if not references:
        raise no_reference()
    if name is None:
        return references[0]
    for reference in references:
        if reference.name == name:
            return reference
    known = ", ".join(reference.name for reference in references)
    raise FacemonError(f"there is no reference {name!r}", f"there are: {known}")


def no_reference() -> FacemonError:
    """What to raise where a reference is needed and none was ever set, or there is not even a store."""
    return FacemonError(
        "no reference has been set",
        "facemon reference set --since 24h makes the last day's predictions the reference",
    )


def reference_profiles(ledger: Ledger, reference: Reference) -> dict[str | None, Profile]:
    """A window reference's profiles by source."""
    rows = ledger.connection.execute("SELECT source, data FROM baseline_profiles WHERE baseline = ?", (reference.id,))
    return {source or None: decode_profile(data) for source, data in rows}


def reference_spreads(ledger: Ledger, reference: Reference) -> ReferenceSpreads:
    """How much a window reference's hours and days differ; empty for tables and for references set before version 5."""
    return read_spreads(ledger.connection, reference.id)


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


def _reference(row: tuple[Any, ...]) -> Reference:
    facts = dict(zip(_COLUMNS.split(", "), row, strict=True))
    for name in ("created", "since", "until"):
        facts[name] = None if facts[name] is None else from_micros(facts[name])
    return Reference(**facts)
