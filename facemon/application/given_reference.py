"""What `--reference` names: a reference of the store, or else a file."""

from pathlib import Path
from typing import TYPE_CHECKING

from facemon.application.local_paths import refuse_url
from facemon.errors import FacemonError, UsageError

if TYPE_CHECKING:
    from facemon.store.ledger.protocol import Ledger

_NEITHER = "there is neither a reference nor a file of that name"
_PATH_STARTS = ("./", "../", "/")


def given_reference(ledger: "Ledger | None", given: str) -> Path | str:
    """The file that a path leads to, or the name of a reference; UsageError where there is neither.

    A name goes first: a file or folder that happens to be called like a reference does not hide it. `./NAME` is the
    file.
    """
    from facemon.store.references import list_references

    refuse_url(given)
    path = Path(given)
    if given.startswith(_PATH_STARTS):
        return path
    names = [] if ledger is None else [known.name for known in list_references(ledger)]
    if given in names:
        return given
    if path.exists():
        return path
    raise _unknown(ledger, given)


def _unknown(ledger: "Ledger | None", given: str) -> FacemonError:
    from facemon.store.references import SET_ONE, removed_references, unknown_reference

    if ledger is None:
        return UsageError(f"--reference {given}: {_NEITHER}", SET_ONE)
    unknown = unknown_reference(ledger, [given])
    if any(record.name == given for record in removed_references(ledger)):
        return unknown
    return UsageError(f"--reference {given}: {_NEITHER}", unknown.hint)
