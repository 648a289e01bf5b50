"""What a name means here: an alert, a metric, a column of the log, a source or a PromQL expression."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facemon.application.operation import Operation
from facemon.errors import FacemonError

if TYPE_CHECKING:
    from facemon.render.explained_source import ExplainedSource, SourceCheck
    from facemon.render.glossary import Explained
    from facemon.store.drift_results import SourceState


def explain_name(operation: Operation, name: str) -> "Explained":
    """Look a name up in the rendered stack, the catalogue of metrics and the log."""
    from facemon.render.glossary import explain
    from facemon.render.purpose import fitted

    return explain(name, fitted(operation.config, Path()), lambda source: _source(operation, source))


def names_to_explain(operation: Operation) -> Mapping[str, Sequence[str]]:
    """All names that can be explained, by kind."""
    from facemon.render.glossary import known_names
    from facemon.render.purpose import fitted

    return known_names(fitted(operation.config, Path()))


def explained_document(found: "Explained") -> dict[str, Any]:
    """The object of `facemon.explain/1`."""
    from facemon.render.glossary import SCHEMA

    return found.document(SCHEMA)


def names_document(names: Mapping[str, Sequence[str]]) -> Mapping[str, Any]:
    """The object of `facemon.explain/1` that lists names."""
    from facemon.render.glossary import SCHEMA

    return {"schema": SCHEMA, "kind": "names", "names": names}


def _source(operation: Operation, name: str) -> "ExplainedSource | None":
    """A source of images that the log has, with what the newest checks say of it; none without a log."""
    from facemon.render.explained_source import source_of_images
    from facemon.render.purpose import fitted

    try:
        with operation.open_ledger() as ledger, ledger.reading():
            is_logged = ledger.profiles.has_source(name)
            states = [state for state in ledger.checks.source_states() if state.source == name]
    except FacemonError:
        # What can be explained without a log should not need one.
        is_logged, states = False, []
    if not (is_logged or states or name in operation.config.api.sources):
        return None
    return source_of_images(name, fitted(operation.config, Path()), [_check(state) for state in states])


def _check(state: "SourceState") -> "SourceCheck":
    from facemon.domain.times import format_time, from_micros
    from facemon.render.explained_source import SourceCheck

    verdict = "silent" if not state.rows else "undecided" if state.undecided else "drift" if state.detected else "ok"
    return SourceCheck(state.model, state.check, verdict, state.rows, format_time(from_micros(state.at)))
