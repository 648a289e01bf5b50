"""`facemon explain`: what an alert or a metric is, by its name."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facemon.cli.command import command
from facemon.cli.print_format import FormatOption, PrintFormat
from facemon.cli.session import Session
from facemon.errors import ExitCode

if TYPE_CHECKING:
    from facemon.render.glossary import ExplainedAlert, ExplainedMetric

app = typer.Typer()
_NONE = "-"


@command(app, "explain")
def explain(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help="An alert, like DriftDetected, or a metric.")],
    format_: FormatOption = PrintFormat.TEXT,
) -> ExitCode:
    """Say what an alert or a metric is: an alert's query, limit and runbook; what asks for a metric."""
    from facemon.render.glossary import ExplainedAlert
    from facemon.render.glossary import explain as look_up
    from facemon.render.purpose import fitted

    found = look_up(name, fitted(session.config, Path()))
    if format_ is PrintFormat.JSON:
        session.console.document(found.document())
    elif isinstance(found, ExplainedAlert):
        _show_alert(session, found)
    else:
        _show_metric(session, found)
    return ExitCode.OK


def _show_alert(session: Session, found: "ExplainedAlert") -> None:
    alert, labels = found.alert, found.rule["labels"]
    facts = [
        ("alert", alert.name),
        ("state", f"{found.state.value}{f': {found.reason}' if found.reason else ''}"),
        ("severity", alert.severity),
        ("fires on", alert.limit),
        ("for", found.rule["for"]),
        ("query", found.rule["expr"]),
        ("labels", ", ".join(f"{label}={text}" for label, text in labels.items())),
        *((link, found.rule["annotations"][link]) for link in ("runbook_url", "dashboard_url")),
    ]
    session.console.table(("what", "value"), facts)
    session.console.result(f"\n{found.runbook.rstrip()}")


def _show_metric(session: Session, found: "ExplainedMetric") -> None:
    labels = "those that its query keeps" if found.labels is None else ", ".join(found.labels)
    facts = [
        ("metric", found.name),
        ("type", found.type),
        ("help", found.help),
        ("labels", labels or _NONE),
        ("unit", found.unit or _NONE),
        ("from", found.comes_from),
        *([("query", found.query)] if found.query else []),
        ("recorded as", ", ".join(found.recorded_as) or _NONE),
        ("alerts", ", ".join(found.alerts) or _NONE),
        *(("panel", f"{dashboard}: {panel}") for dashboard, panel in found.panels),
        *([] if found.panels else [("panel", _NONE)]),
    ]
    session.console.table(("what", "value"), facts)
