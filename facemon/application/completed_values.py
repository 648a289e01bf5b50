"""The values that a shell offers for options and arguments: names of the store, the configuration and the catalogue.

A look for a shell writes nothing and waits for nothing, so it opens the ledger in a way of its own.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facemon.config.document import Config
    from facemon.store.ledger.protocol import Ledger

_MOST_SOURCES = 200


def references(config: "Config") -> Iterable[str]:
    """The names of references, the newest first."""
    return _of_store(config, lambda ledger: [reference.name for reference in ledger.references.all()])


def sources(config: "Config") -> Iterable[str]:
    """The sources of the log and of api.sources."""
    from facemon.domain.prediction import Origin

    def read(ledger: "Ledger") -> list[str]:
        return [name for origin in Origin for name in ledger.profiles.known_sources(0, origin, _MOST_SOURCES)]

    return dict.fromkeys((*config.api.sources, *_of_store(config, read)))


def models(config: "Config") -> Iterable[str]:
    """The configured model, and those that the log has rows of."""
    return dict.fromkeys((config.model.id, *_of_store(config, lambda ledger: ledger.segments.models())))


def metrics(_: "Config") -> Iterable[str]:
    """The metrics of the catalogue."""
    from facemon.domain.metric_catalogue import CATALOGUE

    return CATALOGUE


def alerts(config: "Config") -> Iterable[str]:
    """The alerts that are rendered with any configuration like this."""
    return _known(config)["alert"]


def columns(config: "Config") -> Iterable[str]:
    """The columns of the last recorded check; of the log where there is none."""

    def read(ledger: "Ledger") -> list[str]:
        checks = [outcome for result in ledger.checks.history(1) for outcome in result.checks.values()]
        return [column.column for outcome in checks for column in outcome.columns]

    return dict.fromkeys(_of_store(config, read)) or _known(config)["column"]


def attributes(config: "Config") -> Iterable[str]:
    """The attributes of the model."""
    return [attribute.name for attribute in config.model.attributes]


def fail_rules(config: "Config") -> Iterable[str]:
    """What --fail-on takes."""
    return ("any", "never", "share=0.5", *(f"attribute={name}" for name in columns(config)))


def explainable(config: "Config") -> Iterable[str]:
    """What `facemon explain` knows."""
    return dict.fromkeys((*(name for names in _known(config).values() for name in names), *sources(config)))


def _known(config: "Config") -> dict[str, tuple[str, ...]]:
    from facemon.render.glossary import known_names
    from facemon.render.purpose import fitted

    return known_names(fitted(config, Path()))


def _of_store(config: "Config", read: "Callable[[Ledger], list[str]]") -> list[str]:
    """What a function reads of the store; nothing where it cannot be read."""
    from facemon.errors import FacemonError
    from facemon.store.ledger.opening import open_ledger_untouched

    try:
        with open_ledger_untouched(config.store.path) as ledger:
            return read(ledger)
    except FacemonError:
        return []
