"""What a name means here: an alert, a metric, a column of the log, a source or a PromQL expression."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facemon.application.operation import Operation
from facemon.errors import FacemonError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from facemon.render.explained_source import ExplainedSource, SourceCheck
    from facemon.render.glossary import Explained
    from facemon.reports.printed_parts import Part
    from facemon.store.drift_states import SourceState


@dataclass(frozen=True, slots=True)
class ExplainedName:
    """What a name means."""

    found: "Explained"

    def document(self) -> dict[str, Any]:
        """The object of `facemon.explain/1`."""
        from facemon.render.glossary import SCHEMA

        return self.found.document(SCHEMA)

    def report(self) -> "Iterator[Part]":
        """What is said of it as a table, then its runbook or the like."""
        from facemon.reports.printed_parts import Table

        yield Table(("what", "value"), tuple(self.found.facts()))
        if self.found.page:
            yield f"\n{self.found.page}"


@dataclass(frozen=True, slots=True)
class KnownNames:
    """All names that can be explained, by kind."""

    names: Mapping[str, Sequence[str]]

    def document(self) -> Mapping[str, Any]:
        """The object of `facemon.explain/1` that lists names."""
        from facemon.render.glossary import SCHEMA

        return {"schema": SCHEMA, "kind": "names", "names": self.names}

    def report(self) -> "Iterator[Part]":
        """The names as a table."""
        from facemon.reports.printed_parts import Table

        yield Table(("what", "name"), tuple((kind, name) for kind, found in self.names.items() for name in found))


def explain_name(operation: Operation, name: str) -> ExplainedName:
    """Look a name up in the rendered stack, the catalogue of metrics and the log."""
    from facemon.render.glossary import explain
    from facemon.render.purpose import fitted

    found = explain(name, fitted(operation.config, Path()), lambda source: _source(operation, source))
    return ExplainedName(found)


def names_to_explain(operation: Operation) -> KnownNames:
    """All names that can be explained, by kind."""
    from facemon.render.glossary import known_names
    from facemon.render.purpose import fitted

    return KnownNames(known_names(fitted(operation.config, Path())))


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
