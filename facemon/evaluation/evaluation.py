"""Predictions of the log beside true labels: the scores of every attribute, and what could not be compared."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from facemon.config.model import AttributeConfig
from facemon.evaluation.newest_predictions import NewestPredictions, newest_predictions
from facemon.evaluation.scores import AttributeScore, score_labels, score_numbers
from facemon.evaluation.true_labels import HASH, TrueLabels, Truth
from facemon.values.labelled import LabelledImage
from facemon.values.times import format_time

SCHEMA = "facemon.evaluation/1"
_EXAMPLES = 5
_NO_LABEL, _UNKNOWN_LABEL = -1, -2
_HOUR_MICROS = 3_600_000_000


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Labelled images, or cells, that no score counts; why, how many, and the first of them."""

    reason: str
    count: int
    examples: tuple[str, ...]
    is_trouble: bool
    """Whether somebody must look at it: the labels do not fit the log or the model."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an evaluation came to."""

    model: str
    at: datetime
    labels: int
    """Images in the table."""
    scores: tuple[AttributeScore, ...]
    by_source: Mapping[str | None, tuple[AttributeScore, ...]]
    unlabelled: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    images: tuple[LabelledImage, ...]
    """Each labelled image and attribute, for the ledger."""

    @property
    def counts(self) -> dict[str, tuple[int, int]]:
        """How many predictions were right, of how many with a true label, for each attribute that has labels."""
        return {
            score.attribute: (score.correct, score.labelled)
            for score in self.scores
            if score.correct is not None and score.labelled
        }

    @property
    def has_trouble(self) -> bool:
        """Whether labels match nothing."""
        return any(each.is_trouble for each in self.left_out)

    def document(self) -> dict[str, Any]:
        """The object of `facemon.evaluation/1`."""
        return {
            "schema": SCHEMA,
            "at": format_time(self.at),
            "model": self.model,
            "labels": self.labels,
            "attributes": [score.document() for score in self.scores],
            "by_source": [
                {"source": source, "attributes": [score.document() for score in scores]}
                for source, scores in self.by_source.items()
            ],
            "unlabelled": list(self.unlabelled),
            "left_out": [
                {"reason": each.reason, "count": each.count, "examples": list(each.examples)} for each in self.left_out
            ],
        }


def evaluate(
    tables: Iterable[pa.Table],
    labels: TrueLabels,
    attributes: Sequence[AttributeConfig],
    *,
    model: str,
    at: datetime,
    by_source: bool = False,
) -> Evaluation:
    """Score the newest predictions among rows of the log, all of one model, against true labels."""
    found = newest_predictions(tables, labels.keys, by_hash=labels.by_hash)
    labelled = [attribute for attribute in attributes if attribute.name in labels.truths]
    everything = np.ones(len(found.labels), bool)
    sources: dict[str | None, NDArray[np.bool_]] = {}
    if by_source and len(found.labels):
        column = found.rows.column("source")
        for source in sorted(pc.unique(column).to_pylist(), key=lambda name: (name is None, name)):
            same = pc.is_null(column) if source is None else pc.fill_null(pc.equal(column, source), False)
            sources[source] = same.to_numpy(zero_copy_only=False)
    return Evaluation(
        model,
        at,
        len(labels.keys) + len(labels.contradicted),
        _scores(found, labels, labelled, everything),
        {source: _scores(found, labels, labelled, rows) for source, rows in sources.items()},
        labels.unlabelled,
        tuple(_left_out(found, labels)),
        tuple(each for attribute in labelled for each in _labelled(attribute, found, labels.truths[attribute.name])),
    )


def _scores(
    found: NewestPredictions, labels: TrueLabels, attributes: Sequence[AttributeConfig], rows: NDArray[np.bool_]
) -> tuple[AttributeScore, ...]:
    if not len(found.labels):
        return ()
    return tuple(_score(attribute, found, labels.truths[attribute.name], rows) for attribute in attributes)


def _score(
    attribute: AttributeConfig, found: NewestPredictions, truth: Truth, rows: NDArray[np.bool_]
) -> AttributeScore:
    codes, numbers = truth.codes[found.labels], truth.numbers[found.labels]
    errors = None
    if attribute.kind in ("ordinal", "number"):
        differences = np.abs(_floats(found.rows, f"{attribute.name}_value") - numbers)
        errors = differences[rows & np.isfinite(differences)]
    if attribute.kind == "number":
        return score_numbers(attribute.name, errors if errors is not None else np.empty(0))
    kept, predicted = rows & (codes >= 0), _predicted(attribute, found)
    confidence = _floats(found.rows, f"{attribute.name}_confidence")
    return score_labels(
        attribute.name,
        attribute.classes,
        codes[kept],
        predicted[kept],
        confidence[kept],
        absolute_errors=errors,
    )


def _predicted(attribute: AttributeConfig, found: NewestPredictions) -> NDArray[np.intp]:
    places = pa.array(attribute.classes, pa.string())
    codes = pc.fill_null(pc.index_in(found.rows.column(attribute.name), places), -1)
    return codes.to_numpy().astype(np.intp)


def _labelled(attribute: AttributeConfig, found: NewestPredictions, truth: Truth) -> Iterator[LabelledImage]:
    if attribute.kind == "number" or not len(found.labels):
        return
    codes, rows = truth.codes[found.labels], found.rows
    hours = rows.column("observed_at").cast(pa.int64()).to_numpy() // _HOUR_MICROS
    images = pc.coalesce(rows.column(HASH), rows.column("image")).to_pylist()
    right = (codes == _predicted(attribute, found)).tolist()
    every = zip(codes.tolist(), images, hours.tolist(), rows.column("source").to_pylist(), right, strict=True)
    for code, image, hour, source, is_right in every:
        if code >= 0:
            yield LabelledImage(attribute.name, image, hour, source, is_right)


def _floats(rows: pa.Table, column: str) -> NDArray[np.float64]:
    return rows.column(column).cast(pa.float64()).to_numpy()


def _left_out(found: NewestPredictions, labels: TrueLabels) -> Iterable[LeftOut]:
    for reason, indices, is_trouble in (
        ("match no prediction in the log", found.unmatched, True),
        ("name several images of the log", found.several_images, True),
        ("show several faces, and the label does not say whose it is", found.several_faces, False),
        ("show no face that was found", found.without_face, False),
        ("could not be predicted", found.failed, False),
    ):
        if indices:
            yield LeftOut(reason, len(indices), tuple(labels.keys[index] for index in indices[:_EXAMPLES]), is_trouble)
    if labels.contradicted:
        yield LeftOut(
            "are labelled twice, and not the same", len(labels.contradicted), labels.contradicted[:_EXAMPLES], True
        )
    for name, truth in labels.truths.items():
        if unknown := int((truth.codes == _UNKNOWN_LABEL).sum()):
            yield LeftOut(f"have a cell for {name} that is none of its labels", unknown, truth.unknown, True)
