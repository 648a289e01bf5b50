"""The predictions that are most wrong by true labels: wrong labels of high confidence, numbers that are far off."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from facemon.config.model import AttributeConfig
from facemon.domain.array_types import Floats
from facemon.domain.attribute import Measure
from facemon.domain.kinds.registry import kind_of
from facemon.evaluation.evaluation import floats_of, is_predicted, predicted_codes, unpredicted
from facemon.evaluation.joined_labels import LeftOut, best_key, has_truth, left_out
from facemon.evaluation.label_matches import LabelMatches
from facemon.evaluation.true_labels import TrueLabels
from facemon.evaluation.truth import Truth
from facemon.store.row_conditions import RowCondition, fulfilling

WORST = pa.field("worst", pa.struct([("attribute", pa.string()), ("true", pa.string()), ("off_by", pa.float64())]))
"""What is said of such a row: the attribute, its true label or number, and by how much the prediction is off: the
confidence in the wrong label, or for a number without a confidence the absolute difference."""


@dataclass(frozen=True, slots=True)
class WorstRows:
    """The worst rows of each attribute, with the column `WORST`."""

    rows: pa.Table
    wrong: int
    """How many predictions were wrong, an image counted for each attribute."""
    labelled: int
    """How many predictions have a true label."""
    left_out: tuple[LeftOut, ...]
    """Labels that were compared with no prediction."""


def worst_rows(
    tables: Iterable[pa.Table],
    labels: TrueLabels,
    attributes: Sequence[AttributeConfig],
    most: int,
    *,
    conditions: Sequence[RowCondition] = (),
    one_face_an_input: bool = False,
) -> WorstRows:
    """Find, for each labelled attribute, the `most` newest predictions that are wrong and most off, the worst first.

    Labels find their rows as in `evaluation.evaluate`. Of the rows that are found, those that fulfil the conditions
    count.
    """
    keyed, matches = best_key(tables, labels, one_face_an_input)
    truths = {name: truth.of_rows(keyed.rows) for name, truth in labels.truths.items()}
    named = [attribute for attribute in attributes if attribute.name in truths]
    unused = (*left_out(keyed, matches, truths), *unpredicted(named, keyed, matches, truths))
    if not len(matches.labels):
        return WorstRows(matches.rows, 0, 0, unused)
    wanted, parts, wrong, labelled = fulfilling(matches.rows, conditions), list[pa.Table](), 0, 0
    for attribute in named:
        is_labelled, off_by = _compared(attribute, matches, truths[attribute.name])
        labelled += int((is_labelled & wanted).sum())
        found = np.flatnonzero(wanted & ~np.isnan(off_by))
        wrong += len(found)
        found = found[np.argsort(-off_by[found], kind="stable")][:most]
        why = pa.array(_why(attribute, matches, truths[attribute.name], found, off_by), WORST.type)
        parts.append(matches.rows.take(pa.array(found)).append_column(WORST, why))
    return WorstRows(pa.concat_tables(parts), wrong, labelled, unused)


def _compared(attribute: AttributeConfig, matches: LabelMatches, truth: Truth) -> tuple[NDArray[np.bool_], Floats]:
    """Which rows have a true label, and by how much each is off; NaN where it is right or has none."""
    codes, errors = truth.codes[matches.labels], None
    value, confident = (each.column(attribute.name) for each in (Measure.VALUE, Measure.CONFIDENCE))
    if value in attribute.columns:
        numbers = truth.numbers[matches.labels]
        errors = kind_of(attribute).absolute_errors(floats_of(matches.rows, value), numbers)
    if not attribute.classes:
        found = np.full(len(codes), np.nan) if errors is None else errors
        return np.isfinite(found), np.where(found > 0, found, np.nan)
    is_labelled = has_truth(codes) & is_predicted(attribute, matches)
    sureness = floats_of(matches.rows, confident) if confident in attribute.columns else errors
    off_by = np.zeros(len(codes)) if sureness is None else np.nan_to_num(sureness, nan=0.0)
    return is_labelled, np.where(is_labelled & (codes != predicted_codes(attribute, matches)), off_by, np.nan)


def _why(
    attribute: AttributeConfig, matches: LabelMatches, truth: Truth, rows: NDArray[np.intp], off_by: Floats
) -> Iterator[dict[str, str | float]]:
    labels = matches.labels[rows]
    for label, off in zip(labels.tolist(), off_by[rows].tolist(), strict=True):
        code = int(truth.codes[label])
        true = attribute.classes[code] if attribute.classes and code >= 0 else truth.texts[truth.cells[label]]
        yield {"attribute": attribute.name, "true": true, "off_by": off}
