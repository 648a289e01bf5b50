"""The outcome of a drift check, its verdicts and the JSON of `facemon.drift/1`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from facemon.domain.times import format_time, parse_time

_SCHEMA_NAME = "facemon.drift/1"
LABEL, CONFIDENCE, VALUE, ACCURACY = "label", "confidence", "value", "accuracy"
"""What a column of the model check measures of its attribute."""
BETWEEN_SOURCES = ("cluster-robust t", "paired t")
"""What the names of tests begin with for which the spread between sources is the yardstick, not a number of rows."""


class Verdict(StrEnum):
    """What a check found, of a column or over all."""

    DRIFT = "drift"
    UNDECIDED = "undecided"
    OK = "ok"
    NOT_COMPARED = "not_compared"


class Check(StrEnum):
    """What is checked."""

    DATA = "data"
    MODEL = "model"
    EVIDENTLY = "evidently"

    @property
    def is_own(self) -> bool:
        """Whether facemon makes it; Evidently's figures are for its report."""
        return self is not Check.EVIDENTLY


def overall(verdicts: Iterable[Verdict]) -> Verdict:
    """Drift over undecided over ok; nothing compared is undecided, never ok."""
    found = set(verdicts)
    for verdict in (Verdict.DRIFT, Verdict.UNDECIDED, Verdict.OK):
        if verdict in found:
            return verdict
    return Verdict.UNDECIDED


@dataclass(frozen=True, slots=True)
class ColumnResult:
    """One column of a check; `reason` says why it is undecided or was not compared."""

    column: str
    kind: str
    """categorical, number or accuracy."""
    verdict: Verdict
    score: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    n_reference: int = 0
    n_current: int = 0
    method: str | None = None
    detectable: float | None = None
    threshold: float | None = None
    reason: str | None = None
    attribute: str | None = None
    """The attribute that a column of the model check belongs to; none in the data check."""
    measure: str = "label"
    """label, confidence, value or accuracy: which of an attribute's distributions the column holds."""
    test: str | None = None
    """What the p-value comes from, such as `Cochran-Mantel-Haenszel over 4 sources`."""
    pooled_score: float | None = None
    """The distance over all rows, where `score` is that within several sources; it decides nothing."""
    window: str | None = None
    """The length of the window of the log that the verdict rests on, such as `24h` or `14d`."""
    clear_windows: tuple[str, ...] = ()
    """Of a drifted column, the shorter windows that do not show the drift."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check over its columns."""

    verdict: Verdict
    threshold: float
    columns: tuple[ColumnResult, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two samples of a comparison; `kind` and `name` are the reference's."""

    rows: int
    name: str | None = None
    kind: str | None = None
    """predictions or labels, for a reference; none for the current data."""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class SourceResult:
    """The same checks on the rows of one source; `source` is none for the rows without one."""

    source: str | None
    verdict: Verdict
    reference_rows: int
    current_rows: int
    """Rows in the configured window, where longer ones were compared too."""
    checks: Mapping[Check, CheckResult]
    last_seen: datetime | None = None
    """When the hour of its last row began, of a silent source of the log; none where the log does not tell."""

    @property
    def is_silent(self) -> bool:
        """Whether the reference has rows of it and the window has none."""
        return bool(self.reference_rows) and not self.current_rows

    def with_drifted_columns(self) -> "SourceResult":
        """The same without the columns that did not drift."""
        kept = {
            check: replace(
                outcome, columns=tuple(column for column in outcome.columns if column.verdict is Verdict.DRIFT)
            )
            for check, outcome in self.checks.items()
        }
        return replace(self, checks=kept)


@dataclass(frozen=True, slots=True)
class DriftResult:
    """A whole drift check."""

    verdict: Verdict
    at: datetime
    reference: Side
    current: Side
    checks: Mapping[Check, CheckResult] = field(default_factory=dict)
    model: str | None = None
    source: str | None = None
    notes: tuple[str, ...] = ()
    """Sentences that a reader must know, such as that the reference holds true labels."""
    sources: tuple[SourceResult, ...] = ()
    """Each source by itself: of the log where there are several, of tables with `--by source`."""
    not_recorded_because: str | None = None
    """Why the check was a look that changed nothing; none for one that was recorded."""
    late_rows: int | None = None
    """Rows that were logged since the last recorded check for times before this one's window; of recorded checks of
    the log alone."""

    @property
    def recorded(self) -> bool:
        """Whether the check counts: gauges, history and `drift.on_drift` follow it."""
        return self.not_recorded_because is None

    def in_short(self, *, telling: bool = False) -> "DriftResult":
        """The result with only the drifted columns of its sources.

        A log of many sources would otherwise take as much room as its rows. Where `telling`, only drifted and silent
        sources are left.
        """
        kept = [each for each in self.sources if not telling or each.verdict is Verdict.DRIFT or each.is_silent]
        return replace(self, sources=tuple(each.with_drifted_columns() for each in kept))

    def document(self) -> dict[str, Any]:
        """The object of `facemon.drift/1`, ready for JSON."""
        return to_document(self)


def to_document(result: DriftResult) -> dict[str, Any]:
    """The object of `facemon.drift/1`, ready for JSON."""
    return {
        "schema": _SCHEMA_NAME,
        "verdict": result.verdict.value,
        "at": format_time(result.at),
        "model": result.model,
        "source": result.source,
        "reference": _side_document(result.reference) | {"name": result.reference.name, "kind": result.reference.kind},
        "current": _side_document(result.current),
        "checks": _checks_document(result.checks),
        "notes": list(result.notes),
        "recorded": result.recorded,
        "not_recorded_because": result.not_recorded_because,
        "late_rows": result.late_rows,
    } | ({"sources": [_source_document(each) for each in result.sources]} if result.sources else {})


def from_document(document: Mapping[str, Any]) -> DriftResult:
    """The inverse of `to_document`."""
    reference, current = document["reference"], document["current"]
    return DriftResult(
        verdict=Verdict(document["verdict"]),
        at=parse_time(document["at"]),
        reference=_side(reference),
        current=_side(current),
        checks=_checks(document["checks"]),
        model=document["model"],
        source=document["source"],
        notes=tuple(document["notes"]),
        sources=tuple(
            SourceResult(
                each["source"],
                Verdict(each["verdict"]),
                each["reference_rows"],
                each["current_rows"],
                _checks(each["checks"]),
                parse_time(each["last_seen"]) if each.get("last_seen") else None,
            )
            for each in document.get("sources", ())
        ),
        # Before there were looks, every check was recorded.
        not_recorded_because=document.get("not_recorded_because"),
        late_rows=document.get("late_rows"),
    )


def _source_document(each: SourceResult) -> dict[str, Any]:
    return {
        "source": each.source,
        "verdict": each.verdict.value,
        "reference_rows": each.reference_rows,
        "current_rows": each.current_rows,
        "last_seen": each.last_seen and format_time(each.last_seen),
        "checks": _checks_document(each.checks),
    }


def _checks_document(checks: Mapping[Check, CheckResult]) -> dict[str, Any]:
    return {
        check.value: {
            "verdict": outcome.verdict.value,
            "threshold": outcome.threshold,
            "columns": [_column_document(column) for column in outcome.columns],
        }
        for check, outcome in checks.items()
    }


def _checks(document: Mapping[str, Any]) -> dict[Check, CheckResult]:
    return {
        Check(name): CheckResult(
            Verdict(outcome["verdict"]),
            outcome["threshold"],
            tuple(_column(column) for column in outcome["columns"]),
        )
        for name, outcome in document.items()
    }


def _side_document(side: Side) -> dict[str, Any]:
    times = {"since": side.since, "until": side.until}
    document: dict[str, Any] = {key: time and format_time(time) for key, time in times.items()}
    return document | {"rows": side.rows} | ({"name": side.name} if side.name else {})


def _side(document: Mapping[str, Any]) -> Side:
    since, until = (document[key] and parse_time(document[key]) for key in ("since", "until"))
    return Side(document["rows"], document.get("name"), document.get("kind"), since, until)


def _column_document(column: ColumnResult) -> dict[str, Any]:
    document = {name: getattr(column, name) for name in ColumnResult.__slots__}
    return document | {"verdict": column.verdict.value, "clear_windows": list(column.clear_windows)}


def _column(document: Mapping[str, Any]) -> ColumnResult:
    clear = tuple(document.get("clear_windows", ()))
    return ColumnResult(**{**document, "verdict": Verdict(document["verdict"]), "clear_windows": clear})
