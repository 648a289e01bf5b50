"""References that are removed: what checks still need them, and what is known of those that are gone."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from facemon.application.operation import Operation
from facemon.domain.counted import counted
from facemon.errors import UsageError

if TYPE_CHECKING:
    from facemon.config.document import Config
    from facemon.store.ledger.protocol import Ledger
    from facemon.store.named_reference import Reference, RemovedReference

_CHECKS_LOOKED_AT = 1_000
_FILE = "the configuration (drift.reference)"


def remove_references(operation: Operation, names: Sequence[str], *, force: bool = False) -> "list[Reference]":
    """Remove references by name, all of them or none, and return them.

    UsageError for a name that no reference has and, without `force`, for a reference that checks compare with: that
    of `drift.reference`, or the newest of a model, and that of a model's last recorded check. Results of checks stay.
    """
    from facemon.store.references import list_references, remove_reference, unknown_reference

    with operation.open_ledger() as ledger:
        now = ledger.now()
        with ledger.writing():
            known = {reference.name: reference for reference in list_references(ledger)}
            wanted = tuple(dict.fromkeys(names))
            if missing := [name for name in wanted if name not in known]:
                raise unknown_reference(ledger, missing)
            removed, used = [known[name] for name in wanted], _uses(ledger, operation.config)
            if not force and (needed := [name for name in wanted if name in used]):
                raise _in_use(needed, used)
            for each in removed:
                remove_reference(ledger, each, now)
            consequences = _consequences(ledger, operation.config, {name: used.get(name, ()) for name in wanted})
    for each in removed:
        operation.reporter.say(f"removed reference {each.name}: {counted(each.rows, 'row')} ({each.kind})")
    for sentence in consequences:
        operation.reporter.warn(sentence)
    return removed


def removed_references(operation: Operation) -> "list[RemovedReference]":
    """The references that were removed, in the order of their removal; none for a store of an older version."""
    from facemon.store.references import removed_references

    with operation.open_ledger() as ledger:
        return removed_references(ledger)


def _uses(ledger: "Ledger", config: "Config") -> dict[str, list[str]]:
    """Who compares with a reference, by its name."""
    uses: dict[str, list[str]] = {}

    def use(name: str | None, what: str) -> None:
        if name is not None:
            uses.setdefault(name, []).append(what)

    if (named := config.drift.reference) is not None:
        use(named, _FILE)
    last = _last_compared(ledger)
    for model in _models(ledger, config):
        chosen = _chosen(ledger, config, model)
        use(chosen if chosen != named else None, f"checks of {model}")
        use(last.get(model) if last.get(model) not in (chosen, named) else None, f"the last check of {model}")
    return uses


def _models(ledger: "Ledger", config: "Config") -> list[str]:
    return list(dict.fromkeys((config.model.id, *ledger.segments.models())))


def _chosen(ledger: "Ledger", config: "Config", model: str) -> str | None:
    from facemon.drift.reference_sample import usual_reference

    return usual_reference(ledger, config.drift.reference, model)


def _last_compared(ledger: "Ledger") -> dict[str, str]:
    """The reference of each model's newest recorded check of the log."""
    found: dict[str, str] = {}
    for result in ledger.checks.history(_CHECKS_LOOKED_AT):
        if result.model and result.reference.name and result.current.since is not None:
            found.setdefault(result.model, result.reference.name)
    return found


def _in_use(names: Sequence[str], used: "dict[str, list[str]]") -> UsageError:
    said = "; ".join(f"{name!r} is used by {' and '.join(used[name])}" for name in names)
    is_named = any(_FILE in used[name] for name in names)
    first = "name another one there first" if is_named else "set another one first: facemon reference set --since 24h"
    return UsageError(f"nothing was removed: {said}", f"{first}; or add --force")


def _consequences(ledger: "Ledger", config: "Config", gone: "dict[str, Sequence[str]]") -> list[str]:
    """What follows for those who compared with references that are gone."""
    if config.drift.reference in gone:
        return [f"drift.reference names {config.drift.reference!r}: checks fail until the configuration is changed"]
    said = []
    for model in _models(ledger, config):
        if not any(f"checks of {model}" in uses for uses in gone.values()):
            continue
        now = _chosen(ledger, config, model)
        left = f"now compare with {now!r}" if now else "fail until there is another: facemon reference set --since 24h"
        said.append(f"checks of {model} {left}")
    return said
