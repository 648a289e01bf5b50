"""Rows of the log as a table for people, and remarks on what was shown."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from facemon.config.model import AttributeConfig
from facemon.domain.attribute import Measure
from facemon.domain.counted import counted
from facemon.domain.kinds.registry import kind_of
from facemon.reports.evaluation_report import not_compared_labels
from facemon.reports.printed_parts import Part, Remark, Table, Tone

if TYPE_CHECKING:
    import pyarrow as pa

    from facemon.evaluation.joined_labels import LeftOut

_TIME = "observed at (UTC)"
_MOST_ROWS = 1_000
"""So many rows are drawn as a table; it is as wide as its widest cells, so all of them are held."""


class LogTable:
    """Keeps rows until they are drawn as one table; `beside` names what they have beside the columns of the log."""

    def __init__(self, attributes: Sequence[AttributeConfig], beside: str | None) -> None:
        self._attributes, self._beside, self._beyond = attributes, beside, 0
        self._rows = list[tuple[str, ...]]()

    def add(self, rows: "pa.RecordBatch") -> None:
        """Take some rows."""
        room = _MOST_ROWS - len(self._rows)
        self._beyond += max(0, rows.num_rows - room)
        self._rows += [self._cells(row) for row in rows.slice(0, max(0, room)).to_pylist()]

    def parts(self) -> Iterator[Part]:
        """Yield the table, and how many rows it leaves out."""
        if not self._rows:
            return
        names = [attribute.name for attribute in self._attributes]
        beside = (self._beside,) if self._beside else ()
        yield Table(
            (_TIME, "image", "face", "source", *names, "outcome", *beside),
            tuple(self._rows),
            importance=("image", _TIME, "outcome", *names, "source"),
            reasons=beside,
        )
        if self._beyond:
            yield f"… and {counted(self._beyond, 'row')} more; -o FILE writes all"

    def _cells(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        face = "" if row["face"] is None else str(row["face"])
        attributes = (_cell(attribute, row) for attribute in self._attributes)
        beside = (self._why(row[self._beside]),) if self._beside else ()
        time = f"{row['observed_at']:%Y-%m-%d %H:%M:%S}"
        return (time, row["image"], face, row["source"] or "", *attributes, row["error"] or "ok", *beside)

    def _why(self, why: Mapping[str, Any]) -> str:
        if "score" in why:
            return f"{why['score']:.1f}: {why['feature']} {why['value']:.3g}, median {why['median']:.3g}"
        attribute = next(each for each in self._attributes if each.name == why["attribute"])
        is_sure = Measure.CONFIDENCE.column(attribute.name) in attribute.columns
        off_by = f"{100 * why['off_by']:.0f} % sure" if is_sure else f"off by {why['off_by']:.3g}"
        return f"{attribute.name} is {why['true']}: {off_by}"


def _cell(attribute: AttributeConfig, row: Mapping[str, Any]) -> str:
    """A prediction; empty for an image with an error, and where the model of the row has no such attribute."""
    if row["error"] or any(row[column] is None for column in attribute.columns):
        return ""
    return kind_of(attribute).cell(attribute, row)


def log_remarks(
    model: str,
    shown: int,
    matched: int,
    *,
    labelled: int | None,
    unused: "Sequence[LeftOut]",
    unjudged: Sequence[str],
    compared_with: str | None,
    other_models: Sequence[str],
) -> Iterator[Part]:
    """Yield of how many rows these are, and what was left out.

    Where `labelled` predictions have a true label, `matched` of them are wrong. `compared_with` says what unusual rows
    were compared with.
    """
    if labelled is not None:
        wrong = f"{matched} of {counted(labelled, 'prediction')} with a true label"
        yield Remark(f"{wrong} {'is' if matched == 1 else 'are'} wrong")
        for each in unused:
            yield Remark(f"{counted(each.count, 'label')} {each.reason}", Tone.WARN if each.is_trouble else Tone.SAY)
        if unjudged:
            yield Remark(not_compared_labels(model, unjudged), Tone.WARN)
    elif compared_with is not None:
        yield Remark(f"compared with {compared_with}; a score counts standard deviations of normal data")
    elif not matched:
        yield Remark(f"no row of {model} matches")
    elif more := matched - shown:
        yield Remark(f"… and {counted(more, 'row', grouped=True)} more: --limit N, or -o FILE for all", Tone.NOTICE)
    if other_models:
        yield Remark(f"rows of other models are not shown: {', '.join(other_models)} (--model)")
