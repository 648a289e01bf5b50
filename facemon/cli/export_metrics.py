"""`facemon export-metrics`: the store's metrics, once."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from facemon.cli.command import command
from facemon.cli.session import Session
from facemon.errors import ExitCode, UsageError
from facemon.values.metric_catalogue import MetricGroup

app = typer.Typer()


class Export(StrEnum):
    """Which metrics to export."""

    ALL = "all"
    MODEL = "model"
    DRIFT = "drift"


_GROUPS = {
    Export.ALL: tuple(MetricGroup),
    Export.MODEL: (MetricGroup.MODEL, MetricGroup.FACEMON),
    Export.DRIFT: (MetricGroup.DRIFT, MetricGroup.FACEMON),
}


@command(app, "export-metrics")
def export_metrics(
    session: Session,
    export: Annotated[Export, typer.Option(help="Which metrics.")] = Export.ALL,
    textfile: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Write a *.prom file for node-exporter's textfile collector.")
    ] = None,
    pushgateway: Annotated[str | None, typer.Option(metavar="URL", help="Push to a Pushgateway.")] = None,
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="-", help="Print on stdout, as without any of the three.")
    ] = None,
) -> ExitCode:
    """Export the store's metrics once: to a textfile, a Pushgateway or stdout."""
    from facemon.metrics.exposition import exposition, push, write_textfile
    from facemon.metrics.store_collector import build_registry

    if output not in (None, "-"):
        raise UsageError(f"-o {output}: only - is known, for stdout", "to write a file, use --textfile PATH")
    if sum(target is not None for target in (textfile, pushgateway, output)) > 1:
        raise UsageError("--textfile, --pushgateway and -o exclude each other")
    with session.open_ledger() as ledger, session.recorded(ledger, "export-metrics") as outcome:
        # A store that breaks now is an error, not a metric: an old textfile is better than an empty one.
        registry = build_registry(session.open_ledger, session.config.model, _GROUPS[export], must_read=True)
        if textfile is not None:
            write_textfile(textfile, exposition(registry))
            session.console.say(f"wrote {textfile}")
        elif pushgateway is not None:
            push(registry, pushgateway)
            session.console.say(f"pushed to {pushgateway}")
        else:
            session.console.result(exposition(registry).rstrip("\n"))
        outcome.code = ExitCode.OK
    return outcome.code
