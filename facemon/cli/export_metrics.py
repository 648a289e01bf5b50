"""`facemon export-metrics`: the store's metrics, once.

What is exported tells of its own success already: it is seen only where the export succeeded, and the ledger gets
the same figures. A textfile is put in its place when they are committed, so that a full disk leaves the old one; a
push and stdout come first, for they fail more often than a commit. The duration lasts until the metrics are read.
"""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facemon.cli.command import command
from facemon.cli.push_options import (
    CaFileOption,
    DeleteOption,
    GroupingOption,
    JobOption,
    PasswordFileOption,
    PushOptions,
    TimeoutOption,
    TokenFileOption,
    UserOption,
)
from facemon.cli.session import Session
from facemon.config.web_address import origin
from facemon.errors import ExitCode, UsageError
from facemon.values.metric_catalogue import MetricGroup

if TYPE_CHECKING:
    from facemon.metrics.pushgateway import Pushgateway

app = typer.Typer()
_COMMAND = "export-metrics"


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


@command(app, _COMMAND)
def export_metrics(
    session: Session,
    export: Annotated[Export | None, typer.Option(help="Which metrics (default: all).")] = None,
    textfile: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Write a *.prom file for node-exporter's textfile collector.")
    ] = None,
    pushgateway: Annotated[str | None, typer.Option(metavar="URL", help="Push to a Pushgateway.")] = None,
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="-", help="Print on stdout, as without any of the three.")
    ] = None,
    job: JobOption = None,
    grouping: GroupingOption = None,
    user: UserOption = None,
    password_file: PasswordFileOption = None,
    token_file: TokenFileOption = None,
    ca_file: CaFileOption = None,
    timeout: TimeoutOption = None,
    delete: DeleteOption = False,
) -> ExitCode:
    """Export the store's metrics once: to a textfile, a Pushgateway or stdout."""
    if output not in (None, "-"):
        raise UsageError(f"-o {output}: only - is known, for stdout", "to write a file, use --textfile PATH")
    if sum(target is not None for target in (textfile, pushgateway, output)) > 1:
        raise UsageError("--textfile, --pushgateway and -o exclude each other")
    how = PushOptions(job, tuple(grouping or ()), user, password_file, token_file, ca_file, timeout)
    gateway = how.pushgateway(pushgateway, delete=delete, labels=session.config.metrics.labels)
    if gateway is not None and gateway.tells_its_secret:
        session.console.say(f"note: the secret goes to {origin(gateway.group.url)} unencrypted; https would hide it")
    if gateway is not None and not delete and (names := _unnamed(gateway, session.config.metrics.labels)):
        session.console.say(
            f"note: rules and panels add up what differs only in {names}; metrics.labels, in place of --grouping, "
            "keeps stores apart"
        )
    if gateway is not None and delete:
        return _delete(session, gateway, export)
    return _export(session, _GROUPS[export or Export.ALL], textfile, gateway)


def _unnamed(gateway: "Pushgateway", labels: Mapping[str, str]) -> str:
    """The parts of the grouping key that neither rules nor dashboards know of."""
    return ", ".join(name for name, _ in gateway.group.grouping if name not in labels and name != "instance")


def _delete(session: Session, gateway: "Pushgateway", export: Export | None) -> ExitCode:
    if export is not None:
        raise UsageError("--delete deletes the whole group", "leave out --export")
    gateway.delete()
    session.console.say(f"deleted {gateway.group}")
    return ExitCode.OK


def _export(
    session: Session, groups: tuple[MetricGroup, ...], textfile: Path | None, gateway: "Pushgateway | None"
) -> ExitCode:
    from facemon.metrics.doubled_series import refuse_doubled
    from facemon.metrics.exposition import exposition
    from facemon.metrics.scrape_limits import own_registry
    from facemon.metrics.store_collector import build_registry
    from facemon.metrics.textfile import drafted_textfile
    from facemon.store.command_runs import announce, entered_before

    with session.open_ledger() as ledger, session.operation.recorded(ledger, _COMMAND) as outcome:
        told = outcome.announced = announce(_COMMAND, session.began, ledger.now())
        # A store that breaks now is an error, not a metric: an old textfile is better than an empty one.
        registry = build_registry(
            session.open_ledger,
            session.config.model,
            groups,
            must_read=True,
            announced=told.run,
            min_labels=session.config.evaluate.min_labels,
        )
        text = exposition(own_registry(registry, session.config, session.console.warn))
        if textfile is not None:
            refuse_doubled(textfile, text)
            with drafted_textfile(textfile, text) as put_in_place, entered_before(ledger, outcome):
                put_in_place()
            session.console.say(f"wrote {textfile}")
        elif gateway is not None:
            gateway.replace(text)
            session.console.say(f"pushed to {gateway.group}")
        else:
            session.console.file(text.rstrip("\n"))
            session.console.flush()
        outcome.code = ExitCode.OK
    return outcome.code
