"""Evaluation: logged predictions against true labels, recorded for model_accuracy."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facemon.application.left_out import refuse_left_out
from facemon.application.operation import Operation
from facemon.application.time_window import window_of
from facemon.errors import ExitCode, FacemonError

if TYPE_CHECKING:
    import pyarrow as pa

    from facemon.config.document import Config
    from facemon.config.model import AttributeConfig
    from facemon.evaluation.evaluation import Evaluation
    from facemon.evaluation.true_labels import TrueLabels
    from facemon.reports.printed_parts import Part
    from facemon.store.ledger.protocol import Ledger
    from facemon.store.recorded_commands import Outcome
    from facemon.store.segment_files import SegmentDamagedError
    from facemon.tables.table_file import TableFile


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """Which labels are compared with which predictions."""

    labels: "Path | TableFile"
    observed_since: str | datetime | timedelta | None = None
    """Only images that were taken since then; None for all."""
    model: str | None = None
    """Whose predictions; None for the configured model's."""
    by_source: bool = False


@dataclass(frozen=True, slots=True)
class EvaluationAnswer:
    """The scores, and how the command is to end."""

    result: "Evaluation"
    code: ExitCode
    has_accuracy: bool
    """Whether an attribute had enough labels for model_accuracy."""
    left_out: "Sequence[SegmentDamagedError]"
    """Damaged segments: with any, the result is not recorded."""
    observed_since: str | None = None
    """Since when images were searched, as it was given; None for all."""
    undescribed: tuple[str, ...] = ()
    """Attributes whose labels were not compared, because the configuration does not describe them."""

    def document(self) -> dict[str, Any]:
        """The object of `facemon.evaluation/1`."""
        return self.result.document()

    def report(self) -> "Iterator[Part]":
        """The scores as tables, and remarks on the labels."""
        from facemon.reports.evaluation_report import evaluation_report

        return evaluation_report(self.result, self.observed_since)

    def refuse_left_out(self, operation: Operation) -> None:
        """FacemonError where the result lacks rows of damaged segments."""
        refuse_left_out(operation, self.left_out, ": model_accuracy stays as it was")

    def tell_what_counts(self, operation: Operation) -> None:
        """Say what the metrics do not take over from this evaluation."""
        from facemon.reports.evaluation_report import not_compared_labels

        reporter, least = operation.reporter, operation.config.evaluate.min_labels
        if self.undescribed:
            reporter.warn(not_compared_labels(self.result.model, self.undescribed))
        if not self.result.has_scores:
            reporter.warn("no label was compared: model_accuracy and evaluate's last success stay as they were")
        elif not self.has_accuracy:
            few = f"no attribute has {least} labels (evaluate.min_labels)"
            reporter.warn(f"{few}: model_accuracy and evaluate's last success stay as they were")
        elif self.result.model != operation.config.model.id:
            reporter.say(f"evaluate's last success stays as it was: it is that of {operation.config.model.id}")
        for attribute, (_, labelled) in self.result.counts.items():
            if labelled < least:
                few = f"{attribute} has {labelled} of {least} labels (evaluate.min_labels)"
                reporter.say(f"{few}: model_accuracy stays as it was")


def evaluate(operation: Operation, request: EvaluationRequest) -> EvaluationAnswer:
    """Compare the newest prediction of each labelled image with its true label, and record the accuracy."""
    from facemon.evaluation.evaluation import evaluate as compare
    from facemon.evaluation.true_labels import read_true_labels
    from facemon.finders.registry import finder_of

    config, attributes = operation.config, operation.config.model.attributes
    model = request.model or config.model.id
    _since(request.observed_since, datetime.now(UTC))  # refused before anything is recorded
    # A manifest has a row, and predict an input, for each face that it gives a box.
    has_given_boxes, left_out = finder_of(config.model.faces).takes_boxes, list["SegmentDamagedError"]()
    with operation.open_ledger() as ledger, operation.recorded(ledger, "evaluate") as outcome:
        since = _since(request.observed_since, ledger.now())
        rows = _log_rows(ledger, model, attributes, since, left_out, with_boxes=has_given_boxes)
        labels = read_true_labels(request.labels, attributes, config.tables)
        undescribed = _undescribed(operation.config, ledger, model, since, labels)
        result = compare(
            rows,
            labels,
            attributes,
            model=model,
            at=ledger.now(),
            by_source=request.by_source,
            one_face_an_input=has_given_boxes,
        )
        has_accuracy = any(labelled >= config.evaluate.min_labels for _, labelled in result.counts.values())
        if not left_out:
            # AccuracyStale asks for it, which watches the configured model.
            outcome.renews_success = has_accuracy and model == config.model.id
            _record(ledger, result, outcome)
    given = None if request.observed_since is None else str(request.observed_since)
    return EvaluationAnswer(result, outcome.code, has_accuracy, left_out, given, undescribed)


def _undescribed(
    config: "Config", ledger: "Ledger", model: str, since: datetime | None, labels: "TrueLabels"
) -> tuple[str, ...]:
    from facemon.application.logged_model import logged_model
    from facemon.application.undescribed_labels import undescribed_labels
    from facemon.domain.times import micros

    segments = ledger.segments.within(None if since is None else micros(since), None, model)
    logged = logged_model(config.model, ledger, segments, is_configured=model == config.model.id)
    return undescribed_labels(config, logged.attributes, labels)


def _record(ledger: "Ledger", result: "Evaluation", outcome: "Outcome") -> None:
    from facemon.store.evaluations import record_accuracy

    record_accuracy(ledger, result.model, result.at, result.counts, result.images)
    outcome.code = ExitCode.FOUND if result.has_trouble else ExitCode.OK


def _since(observed_since: str | datetime | timedelta | None, now: datetime) -> datetime | None:
    if observed_since is None:
        return None
    return window_of(observed_since, None, now - now, now, options=("--observed-since", "the present"))[0]


def _log_rows(
    ledger: "Ledger",
    model: str,
    attributes: "Sequence[AttributeConfig]",
    since: datetime | None,
    left_out: "list[SegmentDamagedError]",
    *,
    with_boxes: bool,
) -> "Iterator[pa.Table]":
    from facemon.domain.times import micros
    from facemon.evaluation.found_images import BOX, COLUMNS
    from facemon.store.segment_files import read_rows

    known = ledger.segments.models()
    if model not in known:
        there = f"it has those of {', '.join(known)}: choose with --model" if known else "run facemon predict first"
        raise FacemonError(f"the log has no predictions of {model}", there)
    columns = [
        *COLUMNS,
        *([BOX] if with_boxes else []),
        *(column for attribute in attributes for column in attribute.columns),
    ]
    begin = -(2**63) if since is None else micros(since)
    segments = ledger.segments.within(None if since is None else begin, None, model)
    return read_rows(ledger, segments, begin, 2**63 - 1, columns, proven=True, left_out=left_out)
