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
from facemon.domain.attribute import Measure
from facemon.domain.kinds.registry import kind_of
from facemon.domain.labelled import LabelledImage
from facemon.domain.times import HOUR_MICROS, format_time
from facemon.evaluation.joined_labels import LeftOut, best_key, has_truth, left_out
from facemon.evaluation.label_matches import KeyedLabels, LabelMatches
from facemon.evaluation.scores import AttributeScore, score_labels, score_numbers
from facemon.evaluation.true_labels import FACE, HASH, IMAGE, KeyColumn, TrueLabels
from facemon.evaluation.truth import Truth
from facemon.evaluation.unmatched import LoggedNames, Unmatched, explain_unmatched

SCHEMA = "facemon.evaluation/1"
_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Forgiven:
    """Cells of an attribute that are labels but for letter case or spaces around them."""

    attribute: str
    count: int
    examples: tuple[str, ...]


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
    key: KeyColumn
    """The column of the table by which images were found."""
    matched_by: tuple[tuple[str, int], ...]
    """By what labels met an image of the log, and how many did."""
    forgiven: tuple[Forgiven, ...]
    unmatched: Unmatched | None
    """What to look at where labels match no image."""
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

    @property
    def has_scores(self) -> bool:
        """Whether any prediction was held against a true label."""
        return any(score.labelled for score in self.scores)

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
            "key": {"column": self.key.name, "log": self.key.logged},
            "matched_by": [{"by": how, "count": count} for how, count in self.matched_by],
            "forgiven": [
                {"attribute": each.attribute, "count": each.count, "examples": list(each.examples)}
                for each in self.forgiven
            ],
            "unmatched": self.unmatched
            and {
                "labels": list(self.unmatched.labels),
                "log": list(self.unmatched.logged),
                "hints": list(self.unmatched.hints),
            },
        }


def evaluate(
    tables: Iterable[pa.Table],
    labels: TrueLabels,
    attributes: Sequence[AttributeConfig],
    *,
    model: str,
    at: datetime,
    by_source: bool = False,
    one_face_an_input: bool = False,
) -> Evaluation:
    """Score the newest predictions among rows of the log, all of one model, against true labels.

    With `one_face_an_input` the inputs of a run that show one image are its faces, as those of a manifest with boxes.
    """
    logged = LoggedNames()
    keyed, matches = best_key(logged.watch(tables), labels, one_face_an_input)
    labelled = [attribute for attribute in attributes if attribute.name in labels.truths]
    truths = {name: truth.of_rows(keyed.rows) for name, truth in labels.truths.items()}
    everything = np.ones(len(matches.labels), bool)
    sources: dict[str | None, NDArray[np.bool_]] = {}
    if by_source and len(matches.labels):
        column = matches.rows.column("source")
        for source in sorted(pc.unique(column).to_pylist(), key=lambda name: (name is None, name)):
            same = pc.is_null(column) if source is None else pc.fill_null(pc.equal(column, source), False)
            sources[source] = same.to_numpy(zero_copy_only=False)
    return Evaluation(
        model,
        at,
        len(keyed.rows) + len(keyed.contradicted),
        _scores(matches, truths, labelled, everything),
        {source: _scores(matches, truths, labelled, rows) for source, rows in sources.items()},
        labels.unlabelled,
        (*left_out(keyed, matches, truths), *unpredicted(labelled, keyed, matches, truths)),
        keyed.column,
        matches.how,
        tuple(_forgiven(truths)),
        _unmatched(keyed, matches, labels, logged),
        tuple(each for attribute in labelled for each in _labelled(attribute, matches, truths[attribute.name])),
    )


def _scores(
    matches: LabelMatches,
    truths: Mapping[str, Truth],
    attributes: Sequence[AttributeConfig],
    rows: NDArray[np.bool_],
) -> tuple[AttributeScore, ...]:
    if not len(matches.labels):
        return ()
    return tuple(_score(attribute, matches, truths[attribute.name], rows) for attribute in attributes)


def _score(attribute: AttributeConfig, matches: LabelMatches, truth: Truth, rows: NDArray[np.bool_]) -> AttributeScore:
    codes, numbers = truth.codes[matches.labels], truth.numbers[matches.labels]
    errors = None
    value, confident = (each.column(attribute.name) for each in (Measure.VALUE, Measure.CONFIDENCE))
    if value in attribute.columns:
        differences = kind_of(attribute).absolute_errors(floats_of(matches.rows, value), numbers)
        errors = differences[rows & np.isfinite(differences)]
    if not attribute.classes:
        return score_numbers(attribute.name, errors if errors is not None else np.empty(0))
    kept = rows & has_truth(codes) & is_predicted(attribute, matches)
    predicted = predicted_codes(attribute, matches)
    confidence = np.full(len(kept), np.nan)
    if confident in attribute.columns:
        confidence = floats_of(matches.rows, confident)
    return score_labels(
        attribute.name,
        attribute.classes,
        codes[kept],
        predicted[kept],
        confidence[kept],
        absolute_errors=errors,
    )


def predicted_codes(attribute: AttributeConfig, matches: LabelMatches) -> NDArray[np.intp]:
    """The predicted label of each row as its place among the attribute's classes; -1 for none of them."""
    places = pa.array(attribute.classes, pa.string())
    codes = pc.fill_null(pc.index_in(matches.rows.column(attribute.name), places), -1)
    return codes.to_numpy().astype(np.intp)


def is_predicted(attribute: AttributeConfig, matches: LabelMatches) -> NDArray[np.bool_]:
    """Which rows have a prediction of an attribute; rows that another program logged need not have one."""
    names = [each.column(attribute.name) for each in (Measure.LABEL, Measure.VALUE)]
    given = [pc.is_valid(matches.rows.column(name)).to_numpy() for name in names if name in attribute.columns]
    # A number that lies in no band has no label, and is a prediction.
    return np.logical_or.reduce(given)


def unpredicted(
    attributes: Iterable[AttributeConfig], keyed: KeyedLabels, matches: LabelMatches, truths: Mapping[str, Truth]
) -> Iterator[LeftOut]:
    """Tell for each attribute with labels how many of these belong to a row without a prediction of it."""
    for attribute in attributes if len(matches.labels) else ():
        is_labelled = has_truth(truths[attribute.name].codes[matches.labels])
        lacking = np.sort(matches.labels[is_labelled & ~is_predicted(attribute, matches)])
        if len(lacking):
            names = keyed.names(lacking[:_EXAMPLES].tolist())
            yield LeftOut(f"have no prediction of {attribute.name}", len(lacking), names, is_trouble=False)


def _labelled(attribute: AttributeConfig, matches: LabelMatches, truth: Truth) -> Iterator[LabelledImage]:
    if not attribute.classes or not len(matches.labels):
        return
    codes, rows = truth.codes[matches.labels], matches.rows
    hours = rows.column("observed_at").cast(pa.int64()).to_numpy() // HOUR_MICROS
    images = pc.coalesce(rows.column(HASH), rows.column(IMAGE)).to_pylist()
    faces = pc.fill_null(rows.column(FACE), 0).to_pylist()
    right = (codes == predicted_codes(attribute, matches)).tolist()
    sources = rows.column("source").to_pylist()
    is_scored = has_truth(codes) & is_predicted(attribute, matches)
    every = zip(is_scored.tolist(), images, faces, hours.tolist(), sources, right, strict=True)
    for is_labelled, image, face, hour, source, is_right in every:
        if is_labelled:
            # The first face goes by the image's name alone, as it did before labels could name faces.
            yield LabelledImage(attribute.name, f"{image}#{face}" if face else image, hour, source, is_right)


def floats_of(rows: pa.Table, column: str) -> NDArray[np.float64]:
    """The numbers of a column of the log; NaN where there is none."""
    return rows.column(column).cast(pa.float64()).to_numpy()


def _forgiven(truths: Mapping[str, Truth]) -> Iterable[Forgiven]:
    for name, truth in truths.items():
        if count := int(truth.forgiven.sum()):
            yield Forgiven(name, count, truth.examples(truth.forgiven, _EXAMPLES))


def _unmatched(keyed: KeyedLabels, matches: LabelMatches, labels: TrueLabels, logged: LoggedNames) -> Unmatched | None:
    if not matches.unmatched:
        return None
    names = [keyed.images[keyed.image_of[label]] for label in matches.unmatched]
    column = keyed.column.logged
    labelled = set(matches.rows.column(column).to_pylist()) if matches.rows.num_rows else set()
    others = {key.name: key.texts for key in labels.keys if key.name != keyed.column.name} | dict(labels.others)
    return explain_unmatched(list(dict.fromkeys(names)), keyed.column, others, logged, labelled)
