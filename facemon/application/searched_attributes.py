"""Which attributes the rows of a search have: of no more segments than needed the head is read."""

from contextlib import suppress
from typing import TYPE_CHECKING

from facemon.application.logged_model import logged_model, with_labels
from facemon.application.row_filter import RowFilter, compared_texts
from facemon.domain.attribute import Measure

if TYPE_CHECKING:
    from facemon.config.model import AttributeConfig, ModelConfig
    from facemon.store.ledger.protocol import Ledger
    from facemon.store.row_search import RowSearch
    from facemon.store.segment import Segment


def searched_model(
    model: "ModelConfig", ledger: "Ledger", search: "RowSearch", chosen: RowFilter, most: int | None
) -> "ModelConfig":
    """Return the model with the attributes, and the labels that are asked for, of the rows that a search may show.

    Of `most` newest rows without conditions these are the segments that such rows may lie in.
    """
    from facemon.store.row_search import EARLIEST, LATEST

    segments = search.segments(ledger)
    is_whole = (search.since, search.until) == (EARLIEST, LATEST) and chosen == RowFilter()
    near = _newest(segments, most) if most is not None and is_whole else segments
    logged = logged_model(model, ledger, near, is_configured=search.model == model.id)
    return with_labels(logged, _labels(ledger, segments, logged, chosen)) if search.model == model.id else logged


def _newest(segments: "list[Segment]", most: int) -> "list[Segment]":
    """Those of some segments, the newest first, in which the newest rows lie, and maybe others."""
    rows, taken = 0, list["Segment"]()
    for segment in segments:
        if rows >= most:
            break
        taken.append(segment)
        rows += segment.rows
    since = min((segment.first_observed for segment in taken), default=0)
    return [segment for segment in segments if segment.last_observed >= since]


def _labels(
    ledger: "Ledger", segments: "list[Segment]", model: "ModelConfig", chosen: RowFilter
) -> dict[str, list[str]]:
    """The labels in the log of each attribute that a condition compares with one that the model does not have."""
    import pyarrow.compute as pc

    from facemon.store.row_search import EARLIEST, LATEST
    from facemon.store.segment_files import SegmentDamagedError, read_rows

    asked = {
        each.name
        for each in model.attributes
        for name, text in compared_texts(chosen.where)
        if name == each.name and each.classes and text not in each.classes and not _is_number(text, each)
    }
    found: dict[str, dict[str, None]] = {}
    left_out: list[SegmentDamagedError] = []
    for table in read_rows(ledger, segments if asked else [], EARLIEST, LATEST, sorted(asked), left_out=left_out):
        for name in asked.intersection(table.column_names):
            labels = pc.unique(table[name].drop_null()).to_pylist()
            found.setdefault(name, {}).update(dict.fromkeys(sorted(labels)))
    return {name: [*labels] for name, labels in found.items()}


def _is_number(text: str, attribute: "AttributeConfig") -> bool:
    """Whether a condition on an attribute with labels and numbers is about its numbers."""
    with suppress(ValueError):
        float(text)
        return Measure.VALUE.column(attribute.name) in attribute.columns
    return False
