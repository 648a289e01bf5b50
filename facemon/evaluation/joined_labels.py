"""Labels of a table joined to rows of predictions, and which labels no score counts."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from facemon.evaluation.found_images import ImageLookup
from facemon.evaluation.label_matches import KeyedLabels, LabelMatches, keyed_labels, match_labels
from facemon.evaluation.true_labels import HASH, IMAGE, IMAGE_ID, KeyColumn, TrueLabels
from facemon.evaluation.truth import OUT_OF_RANGE, UNKNOWN_LABEL, Truth

_EXAMPLES = 5
_ROWS_AT_ONCE = 131_072


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Labelled images, or cells, that no score counts; why, how many, and the first of them."""

    reason: str
    count: int
    examples: tuple[str, ...]
    is_trouble: bool
    """Whether the labels do not fit the log or the model, so that an operator must look."""
    hint: str = ""
    """What to do about it, where that is known."""


def best_key(
    tables: Iterable[pa.Table], labels: TrueLabels, one_face_an_input: bool
) -> tuple[KeyedLabels, LabelMatches]:
    """The labels by the key column by which most of them meet an image, of equals by the first."""
    keyed = [keyed_labels(labels, column) for column in labels.keys]
    lookups = [ImageLookup(each.images, each.column.logged, one_face_an_input=one_face_an_input) for each in keyed]
    for table in _gathered(tables):
        for lookup in lookups:
            lookup.add(table)
    found = [(each, match_labels(each, lookup.found())) for each, lookup in zip(keyed, lookups, strict=True)]
    return max(found, key=lambda pair: sum(count for _, count in pair[1].how))


def _gathered(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in fewer tables: Arrow hashes all that is looked up again for each."""
    parts, rows = list[pa.Table](), 0
    for table in tables:
        parts.append(table)
        rows += table.num_rows
        if rows >= _ROWS_AT_ONCE:
            yield pa.concat_tables(parts, promote_options="default")
            parts, rows = [], 0
    if parts:
        yield pa.concat_tables(parts, promote_options="default")


def left_out(
    keyed: KeyedLabels,
    matches: LabelMatches,
    truths: Mapping[str, Truth],
    place: str = "the log",
    *,
    tells_unmatched: bool = True,
) -> Iterable[LeftOut]:
    """Tell which labels no score counts; `place` is what messages call where the images were looked for.

    Without `tells_unmatched` nothing is said of labels of other images.
    """
    several = f"name several images of {place}"
    for reason, labels, is_trouble in (
        (f"match no prediction in {place}", matches.unmatched if tells_unmatched else (), True),
        (several, matches.several_images, True),
        (f"differ only by folder or suffix, and the name in {place} may be any of them", matches.shared, True),
        ("show several faces, and the label does not say whose it is", matches.several_faces, False),
        ("name a face that was not found; faces count from 0", matches.face_not_found, False),
        ("show no face that was found", matches.without_face, False),
        ("could not be predicted", matches.failed, False),
        ("say again what another label says of the same prediction", matches.repeated, False),
        ("contradict another label of the same prediction", matches.contradicting, True),
    ):
        if labels:
            hint = _ways_out(keyed.column) if reason is several else ""
            yield LeftOut(reason, len(labels), keyed.names(labels[:_EXAMPLES]), is_trouble, hint)
    if keyed.contradicted:
        yield LeftOut(
            "are labelled twice, and not the same", len(keyed.contradicted), keyed.contradicted[:_EXAMPLES], True
        )
    if keyed.nameless:
        yield LeftOut(f"name no image: {keyed.column.name} is empty", keyed.nameless, (), True)
    for name, truth in truths.items():
        if (unknown := truth.codes == UNKNOWN_LABEL).any():
            examples = truth.examples(unknown, _EXAMPLES)
            yield LeftOut(f"have a cell for {name} that is none of its labels", int(unknown.sum()), examples, True)


def _ways_out(column: KeyColumn) -> str:
    """How to say which of several images a label means."""
    columns = " or ".join(name for name in (HASH, IMAGE_ID) if name != column.logged)
    others = f"add a column {columns}, or leave older images out with --observed-since 30d"
    # An identifier that several images have gets no folder.
    return f"write the folder too, as in day1/a.jpg; or {others}" if column.logged == IMAGE else others


def has_truth(codes: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Tell where a label is true, or a number that lies in no band, so that whatever was predicted is wrong."""
    return (codes >= 0) | (codes == OUT_OF_RANGE)
