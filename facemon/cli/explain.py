"""`facemon explain`: what an alert, a metric, a column, a source or a PromQL expression is."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facemon.cli.command import command
from facemon.cli.print_format import FormatOption, PrintFormat
from facemon.cli.session import Session
from facemon.errors import ExitCode

if TYPE_CHECKING:
    from facemon.render.explained_source import ExplainedSource, SourceCheck
    from facemon.store.drift_results import SourceState

app = typer.Typer()
_NAME = (
    "An alert, a metric, a column of the log, a source, or a PromQL expression in quotes; without it, list the names."
)


@command(app, "explain")
def explain(
    session: Session,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help=_NAME)] = None,
    format_: FormatOption = PrintFormat.TEXT,
) -> ExitCode:
    """Say what a name means here: an alert's query, limit and runbook; what asks for a metric; what a column holds."""
    from facemon.render.glossary import SCHEMA
    from facemon.render.glossary import explain as look_up
    from facemon.render.purpose import fitted

    if name is None:
        return _list(session, format_)
    found = look_up(name, fitted(session.config, Path()), lambda source: _source(session, source))
    if format_ is PrintFormat.JSON:
        session.console.document(found.document(SCHEMA))
        return ExitCode.OK
    session.console.table(("what", "value"), found.facts())
    if found.page:
        session.console.result(f"\n{found.page}")
    return ExitCode.OK


def _list(session: Session, format_: PrintFormat) -> ExitCode:
    from facemon.render.glossary import SCHEMA, known_names
    from facemon.render.purpose import fitted

    names = known_names(fitted(session.config, Path()))
    if format_ is PrintFormat.JSON:
        session.console.document({"schema": SCHEMA, "kind": "names", "names": names})
    else:
        session.console.table(("what", "name"), [(kind, name) for kind, found in names.items() for name in found])
    return ExitCode.OK


def _source(session: Session, name: str) -> "ExplainedSource | None":
    """A source of images that the log has, with what the newest checks say of it; none without a log."""
    from facemon.errors import FacemonError
    from facemon.render.explained_source import source_of_images
    from facemon.render.purpose import fitted
    from facemon.store.drift_results import read_drift_sources
    from facemon.store.profiles import has_source

    try:
        with session.open_ledger() as ledger, ledger.reading() as connection:
            is_logged = has_source(connection, name)
            states = [state for state in read_drift_sources(connection) if state.source == name]
    except FacemonError:
        # What can be explained without a log should not need one.
        is_logged, states = False, []
    if not (is_logged or states or name in session.config.api.sources):
        return None
    return source_of_images(name, fitted(session.config, Path()), [_check(state) for state in states])


def _check(state: "SourceState") -> "SourceCheck":
    from facemon.render.explained_source import SourceCheck
    from facemon.values.times import format_time, from_micros

    verdict = "silent" if not state.rows else "undecided" if state.undecided else "drift" if state.detected else "ok"
    return SourceCheck(state.model, state.check, verdict, state.rows, format_time(from_micros(state.at)))
