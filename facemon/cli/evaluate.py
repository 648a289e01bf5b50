"""`facemon evaluate`: how right the logged predictions are, by true labels."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facemon.application.left_out import refuse_left_out
from facemon.application.time_window import window_of
from facemon.cli.command import command
from facemon.cli.evaluation_output import has_accuracy, print_evaluation, tell_what_counts
from facemon.cli.print_format import FormatOption, PrintFormat
from facemon.cli.session import Session
from facemon.errors import ExitCode, FacemonError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from facemon.config.model import AttributeConfig
    from facemon.evaluation.evaluation import Evaluation
    from facemon.store.command_runs import Outcome
    from facemon.store.ledger import Ledger
    from facemon.store.segment_files import SegmentDamagedError

app = typer.Typer()


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

    The table has a column for each attribute and one that names the images.
    Names are compared whole, then without folders or suffix if that leaves one
    image; or by image_id or image_sha256. A column face holds the number of a
    face in its image, counted from 0.

    Letter case and spaces around labels are ignored. A number outside an
    ordinal's bands counts as wrong. Fewer labels than evaluate.min_labels leave
    model_accuracy as it was.
    """
    from facemon.evaluation.evaluation import evaluate as compare
    from facemon.evaluation.true_labels import read_true_labels

    config, attributes, chosen = session.config, session.config.model.attributes, model or session.config.model.id
    _since(observed_since, datetime.now(UTC))  # refused before anything is recorded
    # A manifest has a row, and predict an input, for each face that it gives a box.
    has_given_boxes, left_out = config.model.faces.finder == "manifest", list["SegmentDamagedError"]()
    with session.open_ledger() as ledger, session.operation.recorded(ledger, "evaluate") as outcome:
        since = _since(observed_since, ledger.now())
        result = compare(
            _log_rows(ledger, chosen, attributes, since, left_out, with_boxes=has_given_boxes),
            read_true_labels(labels, attributes, config.tables),
            attributes,
            model=chosen,
            at=ledger.now(),
            by_source=by is Grouping.SOURCE,
            one_face_an_input=has_given_boxes,
        )
        if not left_out:
            _record(session, ledger, result, outcome)
    if not session.console.is_quiet or outcome.code is not ExitCode.OK:
        print_evaluation(session, result, format_, observed_since)
    refuse_left_out(session.operation, left_out, ": model_accuracy stays as it was")
    tell_what_counts(session, result)
    return outcome.code


def _record(session: Session, ledger: "Ledger", result: "Evaluation", outcome: "Outcome") -> None:
    from facemon.store.evaluations import record_accuracy

    record_accuracy(ledger, result.model, result.at, result.counts, result.images)
    outcome.renews_success = has_accuracy(session, result)  # which is what AccuracyStale asks for
    outcome.code = ExitCode.FOUND if result.has_trouble else ExitCode.OK


def _since(observed_since: str | None, now: datetime) -> datetime | None:
    if observed_since is None:
        return None
    try:
        return window_of(observed_since, None, now - now, now)[0]
    except UsageError as error:
        raise UsageError(error.message.replace("--since", "--observed-since"), error.hint) from error


def _log_rows(
    ledger: "Ledger",
    model: str,
    attributes: "Sequence[AttributeConfig]",
    since: datetime | None,
    left_out: "list[SegmentDamagedError]",
    *,
    with_boxes: bool,
) -> "Iterator[pa.Table]":
    from facemon.evaluation.found_images import BOX, COLUMNS
    from facemon.store.evaluations import models_in_log
    from facemon.store.segment_files import list_segments, read_rows
    from facemon.values.times import micros

    known = models_in_log(ledger.connection)
    if model not in known:
        there = f"it has those of {', '.join(known)}: choose with --model" if known else "run facemon predict first"
        raise FacemonError(f"the log has no predictions of {model}", there)
    columns = [
        *COLUMNS,
        *([BOX] if with_boxes else []),
        *(column for attribute in attributes for column in attribute.columns),
    ]
    begin = -(2**63) if since is None else micros(since)
    segments = list_segments(ledger.connection, None if since is None else begin, None, model)
    return read_rows(ledger, segments, begin, 2**63 - 1, columns, proven=True, left_out=left_out)
