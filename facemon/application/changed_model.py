"""Another model under the same name and version: its fingerprint tells, and the rows of both are mixed."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from facemon.application.operation import Operation
from facemon.domain.times import micros

if TYPE_CHECKING:
    from facemon.store.ledger.protocol import Ledger
    from facemon.store.named_reference import Reference

_SHOWN_DIGITS = 12


def warn_of_changed_model(operation: Operation, ledger: "Ledger", fingerprint: str) -> None:
    """Tell before the first row is logged that the last rows of this name and version are of another model."""
    model = operation.config.model.id
    before = ledger.runs.last_fingerprint(model)
    if fingerprint and before not in (None, fingerprint):
        operation.reporter.warn(
            f"{model} was last logged with the fingerprint {_shown([before or ''])}, and has {_shown([fingerprint])} "
            f"now: its files or its description have changed; {_way_out(model)}"
        )


def mixed_window(ledger: "Ledger", model: str, since: datetime, until: datetime) -> str | None:
    """What to tell of a window in which rows of several models were logged under one name and version; None for one."""
    found = ledger.runs.fingerprints(model, micros(since), micros(until))
    return None if len(found) < 2 else _mixed(model, found, "in this window")


def mixed_sides(
    ledger: "Ledger", model: str, reference: "Reference | None", since: datetime, until: datetime
) -> str | None:
    """The same of a window and the one that a reference was taken from, together."""
    found = ledger.runs.fingerprints(model, micros(since), micros(until))
    if reference is not None and reference.since is not None and reference.until is not None:
        found = [*ledger.runs.fingerprints(model, micros(reference.since), micros(reference.until)), *found]
    found = list(dict.fromkeys(found))
    return None if len(found) < 2 else _mixed(model, found, "in the windows that are compared")


def _mixed(model: str, fingerprints: Sequence[str], where: str) -> str:
    return (
        f"{model} was logged with {len(fingerprints)} fingerprints {where} ({_shown(fingerprints)}): its files or its "
        f"description have changed; {_way_out(model)}"
    )


def _way_out(model: str) -> str:
    return f"give the changed model a model.version of its own, other than {model}"


def _shown(fingerprints: Sequence[str]) -> str:
    return ", ".join(each[:_SHOWN_DIGITS] for each in fingerprints)
