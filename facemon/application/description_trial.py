"""The usual other descriptions of a model, tried on labelled photographs: faces and labels meet here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from facemon.domain.prediction import log_schema
from facemon.evaluation.alternative_scores import (
    AttributeTrial,
    Errors,
    Hits,
    Measured,
    Trial,
    TrialVerdict,
    compare,
    compare_all,
    verdict_of,
)
from facemon.evaluation.found_images import BOX, COLUMNS
from facemon.evaluation.joined_labels import LeftOut, best_key, has_truth, left_out
from facemon.finders.registry import finder_of

if TYPE_CHECKING:
    from datetime import datetime

    from facemon.config.model import AttributeConfig
    from facemon.evaluation.true_labels import TrueLabels
    from facemon.evaluation.truth import Truth
    from facemon.model.bundle import Bundle
    from facemon.model.check.image_steps import ImageSteps
    from facemon.model.check.tried_descriptions import Answers, Change, TriedDescriptions
    from facemon.model.faces import Face

_OWN: "Change" = ()
RunAgain = Callable[[Callable[["Face"], None]], None]
"""Hands all faces of the photographs to a function once more, in the same order."""


@dataclass(frozen=True, slots=True)
class _Joined:
    """The labels of one attribute: faces by their places among all, and what is true of each."""

    faces: NDArray[np.intp]
    truth: "Truth"


@dataclass
class DescriptionTrial:
    """Tries the usual alternatives for each labelled attribute on faces that come one by one."""

    bundle: "Bundle"
    labels: "TrueLabels"
    attributes: "Sequence[AttributeConfig]"
    _changes: "dict[str, list[Change]]" = field(init=False)
    _tried: "TriedDescriptions" = field(init=False)

    def __post_init__(self) -> None:
        from facemon.model.check.tried_descriptions import TriedDescriptions, usual_changes

        self.attributes = [each for each in self.attributes if each.name in self.labels.truths]
        self._changes = {each.name: [_OWN, *usual_changes(self.bundle, each)] for each in self.attributes}
        self._tried = TriedDescriptions(self.bundle, self._changes)

    def add(self, face: "Face") -> None:
        """Run all alternatives on one more face."""
        self._tried.add(face)

    def result(self, images: "Sequence[ImageSteps]", at: "datetime", run_again: RunAgain) -> Trial:
        """Hold what was tried against the labels, and the best alternative together with others."""
        joined, found = self._joined(images, at)
        measured = {
            each.name: scores
            for each in self.attributes
            if (scores := self._measured(each, joined[each.name], self._tried, self._changes[each.name]))
        }
        compared = compare_all({
            name: (scores[_OWN], {_written(change): other for change, other in scores.items() if change != _OWN})
            for name, scores in measured.items()
        })  # fmt: skip
        tests = sum(not each.pair.is_same for scores in compared.values() for each in scores)
        trials = {}
        for each in self.attributes:
            measure = "accuracy" if each.classes else "mean_absolute_error"
            if each.name not in measured:
                count = len(joined[each.name].faces)
                trials[each.name] = AttributeTrial(each.name, measure, count, None, None, TrialVerdict.NOT_COMPARED)
                continue
            scores, own = measured[each.name], measured[each.name][_OWN]
            verdict, needed = verdict_of(compared[each.name], tests)
            unreadable = tuple(_written(change) for change in self._changes[each.name] if change not in scores)
            trials[each.name] = AttributeTrial(
                each.name, measure, _count(own), own.value, own.interval, verdict, compared[each.name], unreadable,
                labels_needed=needed, written=_all_written(self._changes[each.name]),
            )  # fmt: skip
        self._combine(trials, joined, run_again)
        return Trial(*found, tuple(trials.values()), self.labels.unlabelled)

    def _joined(
        self, images: "Sequence[ImageSteps]", at: "datetime"
    ) -> tuple[dict[str, _Joined], tuple[int, tuple[tuple[str, int], ...], tuple[LeftOut, ...]]]:
        from facemon.model.prediction_rows import RowLayout, prediction_rows

        model = self.bundle.config
        outcomes = [image.outcome for image in images]
        constants = {"run": "check", "predicted_at": at, "model": model.id, "origin": "batch"}
        rows = prediction_rows(outcomes, {}, model.attributes, constants, RowLayout.of(log_schema(model.attributes)))
        table = pa.Table.from_batches([rows]).select([*COLUMNS, BOX])
        keyed, matches = best_key([table], self.labels, finder_of(model.faces).takes_boxes)
        truths = {name: truth.of_rows(keyed.rows) for name, truth in self.labels.truths.items()}
        places = {
            key: place
            for place, key in enumerate(
                (image.outcome.given.ordinal, number) for image in images for number in range(len(image.faces))
            )
        }
        about = matches.rows.select(["ordinal", "face"]).to_pylist() if len(matches.labels) else []
        faces = np.array([places[row["ordinal"], row["face"]] for row in about], np.intp)
        # That a table holds labels of other images too is usual here.
        others = tuple(left_out(keyed, matches, truths, "the photographs", tells_unmatched=False))
        joined = {name: _Joined(faces, truth.of_rows(matches.labels)) for name, truth in truths.items()}
        return joined, (len(keyed.rows) + len(keyed.contradicted), matches.how, others)

    def _measured(
        self, attribute: "AttributeConfig", joined: _Joined, tried: "TriedDescriptions", changes: "Sequence[Change]"
    ) -> "dict[Change, Measured]":
        """Each change's score on the labelled faces; empty where the first, which the others go by, has none."""
        truth = joined.truth
        labelled = has_truth(truth.codes) if attribute.classes else np.isfinite(truth.numbers)
        if not labelled.any():
            return {}
        answers = {change: tried.answers(attribute.name, change) for change in changes}
        if (own := answers[changes[0]]) is None:
            return {}
        labelled &= _has_number(own)[joined.faces]
        if not labelled.any():
            return {}
        scores = {change: _score(answer, joined, labelled) for change, answer in answers.items() if answer is not None}
        return {change: score for change, score in scores.items() if score is not None}

    def _combine(self, trials: dict[str, AttributeTrial], joined: Mapping[str, _Joined], run_again: RunAgain) -> None:
        """Try the best alternative of each attribute together with each one of another kind."""
        from facemon.model.check.tried_descriptions import TriedDescriptions

        wanted: dict[str, list[Change]] = {}
        for name, trial in trials.items():
            if (best := trial.best) is not None:
                by_name = {_written(change): change for change in self._changes[name] if change != _OWN}
                (chosen,) = by_name[best.change]
                pairs = [(chosen, other) for (other,) in by_name.values() if other.kind != chosen.kind]
                wanted[name] = [(chosen,), *pairs]
        if not wanted:
            return
        tried = TriedDescriptions(self.bundle, wanted)
        run_again(tried.add)
        for attribute in self.attributes:
            if attribute.name in wanted:
                changes = wanted[attribute.name]
                scores = self._measured(attribute, joined[attribute.name], tried, changes)
                if changes[0] in scores:
                    alone = scores.pop(changes[0])
                    combined = compare(alone, {_written(change): score for change, score in scores.items()})
                    written = dict(trials[attribute.name].written) | _all_written(changes)
                    trials[attribute.name] = replace(trials[attribute.name], combined=combined, written=written)


def _written(change: "Change") -> str:
    return "; ".join(each.change for each in change)


def _all_written(changes: "Sequence[Change]") -> dict[str, str]:
    return {_written(change): "; ".join(each.written for each in change) for change in changes}


def _count(measured: Measured) -> int:
    return len(measured.right if isinstance(measured, Hits) else measured.errors)


def _has_number(answers: "Answers") -> NDArray[np.bool_]:
    if answers.codes is not None:
        return answers.codes >= 0
    return np.isfinite(answers.values)


def _score(answers: "Answers", joined: _Joined, labelled: NDArray[np.bool_]) -> Measured | None:
    """The score on the labelled faces; none where a number is missing, of which no error is known."""
    if answers.codes is not None:
        true = joined.truth.codes[labelled]
        return Hits((answers.codes[joined.faces[labelled]] == true) & (true >= 0))
    errors = np.abs(answers.values[joined.faces[labelled]] - joined.truth.numbers[labelled])
    return Errors(errors) if np.isfinite(errors).all() else None
