"""Refuse sources that the log never had, before anything is shown."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from facemon.errors import UsageError
from facemon.near_names import did_you_mean

if TYPE_CHECKING:
    from facemon.store.ledger.protocol import Ledger

_MOST_NAMED = 8
_MOST_SOURCES = 1_000
"""So many are compared with a wrong name."""


def refuse_unknown_sources(ledger: "Ledger", names: Iterable[str]) -> None:
    """UsageError for a source that the log never had rows of; its hint names the nearest one, or some of the log's.

    Where an hour had so many sources that some are counted together, its rows are asked for the source. One that a
    check found silent is not refused: its rows may have been removed since.
    """
    from facemon.store.crowded_sources import may_be_crowded_out

    unknown = [name for name in names if not ledger.profiles.has_source(name)]
    if unknown:
        checked = {state.source for state in ledger.checks.source_states()}
        unknown = [name for name in unknown if name not in checked]
    if unknown := [name for name in unknown if not may_be_crowded_out(ledger, name)]:
        known = _known_sources(ledger)
        raise UsageError(
            f"the log has no rows of the source {unknown[0]!r}", did_you_mean(unknown[0], known, _there(known))
        )


def _known_sources(ledger: "Ledger") -> list[str]:
    from facemon.domain.prediction import Origin

    found = (ledger.profiles.known_sources(0, origin, _MOST_SOURCES) for origin in Origin)
    return list(dict.fromkeys(name for names in found for name in names))


def _there(known: list[str]) -> str:
    if not known:
        return "no row names its source: leave the option out, or name it with facemon predict --source NAME"
    more = f" and {len(known) - _MOST_NAMED} more" if len(known) > _MOST_NAMED else ""
    return f"it has those of {', '.join(known[:_MOST_NAMED])}{more}"
