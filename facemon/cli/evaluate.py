"""`facemon evaluate`: how right the logged predictions are, by true labels."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facemon.cli.command import command
from facemon.cli.print_format import FormatOption, PrintFormat
from facemon.cli.session import Session
from facemon.cli.time_options import window_of
from facemon.errors import ExitCode, FacemonError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from facemon.config.model import AttributeConfig
    from facemon.evaluation.evaluation import Evaluation
    from facemon.evaluation.scores import AttributeScore
    from facemon.store.ledger import Ledger

app = typer.Typer()
_UNKNOWN = "-"


class Grouping(StrEnum):
    """What scores can be split by."""

    SOURCE = "source"


@command(app, "evaluate")
def evaluate(
    session: Session,
    labels: Annotated[
        Path, typer.Argument(metavar="LABELS", help="A CSV, JSON Lines or Parquet table of true labels.")
    ],
    observed_since: Annotated[
        str | None, typer.Option(metavar="30d|TIME", help="Only images that were taken since then (default: all).")
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME@VERSION", help="Whose predictions (default: the configured model's).")
    ] = None,
    by: Annotated[Grouping | None, typer.Option(help="Scores for each source too.")] = None,
    format_: FormatOption = PrintFormat.TEXT,
) -> ExitCode:
    """Compare the newest prediction of each labelled image with its true label; exit 3 when labels match nothing.

    The table names images as predict was given them (or by the last part of the path, or by image_sha256), and has
    a column for each attribute.
    """
    from facemon.evaluation.evaluation import evaluate as compare
    from facemon.evaluation.true_labels import read_true_labels
    from facemon.store.evaluations import record_accuracy

    now, attributes = datetime.now(UTC), session.config.model.attributes
    chosen = model or session.config.model.id
    since = _since(observed_since, now)
    with session.open_ledger() as ledger, session.recorded(ledger, "evaluate") as outcome:
        truth = read_true_labels(labels, attributes, session.config.tables)
        tables = _log_rows(ledger, chosen, attributes, since)
        result = compare(tables, truth, attributes, model=chosen, at=now, by_source=by is Grouping.SOURCE)
        record_accuracy(ledger, result.model, result.at, result.counts, result.images)
        outcome.code = ExitCode.FOUND if result.has_trouble else ExitCode.OK
    _print(session, result, format_, outcome.code)
    return outcome.code


def _since(observed_since: str | None, now: datetime) -> datetime | None:
    if observed_since is None:
        return None
    try:
        return window_of(observed_since, None, now - now, now)[0]
    except UsageError as error:
        raise UsageError(error.message.replace("--since", "--observed-since"), error.hint) from error


def _log_rows(
    ledger: "Ledger", model: str, attributes: "Sequence[AttributeConfig]", since: datetime | None
) -> "Iterator[pa.Table]":
    from facemon.evaluation.newest_predictions import COLUMNS
    from facemon.store.evaluations import models_in_log
    from facemon.store.segment_files import list_segments, read_rows
    from facemon.values.times import micros

    known = models_in_log(ledger.connection)
    if model not in known:
        there = f"it has those of {', '.join(known)}: choose with --model" if known else "run facemon predict first"
        raise FacemonError(f"the log has no predictions of {model}", there)
    columns = [*COLUMNS, *(column for attribute in attributes for column in attribute.columns)]
    begin = -(2**63) if since is None else micros(since)
    segments = list_segments(ledger.connection, None if since is None else begin, None, model)
    return read_rows(ledger, segments, begin, 2**63 - 1, columns)


def _print(session: Session, result: "Evaluation", format_: PrintFormat, code: ExitCode) -> None:
    console = session.console
    if console.is_quiet and code is ExitCode.OK:
        return
    if format_ is PrintFormat.JSON:
        console.document(result.document(), indent=2)
        return
    _print_scores(session, "all sources" if result.by_source else None, result.scores)
    for source, scores in result.by_source.items():
        _print_scores(session, f"source {source}" if source is not None else "no source", scores)
    for score in result.scores:
        _print_confusion(session, score)
    if result.unlabelled:
        console.say(f"no column for {', '.join(result.unlabelled)}")
    for each in result.left_out:
        examples = ", ".join(each.examples) + (" …" if each.count > len(each.examples) else "")
        tell = console.warn if each.is_trouble else console.say
        tell(f"{each.count} of {result.labels} labels {each.reason}: {examples}")


def _print_scores(session: Session, title: str | None, scores: "Sequence[AttributeScore]") -> None:
    columns = ("attribute", "labelled", "accuracy", "95 % interval", "balanced", "calibration error", "mean abs. error")
    rows = [
        (
            score.attribute,
            str(score.labelled),
            _share(score.accuracy),
            " to ".join(map(_share, score.interval)) if score.interval else _UNKNOWN,
            _share(score.balanced_accuracy),
            _UNKNOWN if score.calibration_error is None else f"{score.calibration_error:.3f}",
            _UNKNOWN if score.mean_absolute_error is None else f"{score.mean_absolute_error:.3g}",
        )
        for score in scores
    ]
    session.console.table(columns, rows, title=title)


def _print_confusion(session: Session, score: "AttributeScore") -> None:
    if not score.labelled or not score.classes:
        return
    columns = (*score.classes, *(["another label"] if len(score.confusion[0]) > len(score.classes) else []))
    rows = [(label, *map(str, row)) for label, row in zip(score.classes, score.confusion, strict=True)]
    session.console.table((f"true {score.attribute}", *columns), rows, title=f"{score.attribute}: true by predicted")


def _share(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:.1%}".replace("%", " %")
