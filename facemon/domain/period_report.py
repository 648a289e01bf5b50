"""What the ledger tells of a period: volumes, columns beside the reference, checks and accuracy, with their hash."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from facemon.domain.column_shape import ColumnShape
from facemon.domain.decision_plan import DecisionPlan
from facemon.domain.drift_result import DriftResult


@dataclass(frozen=True, slots=True)
class Volume:
    """The images of one UTC day and source; `failed` could not be read, in `no_face` no face was found."""

    day: date
    source: str | None
    images: int
    faces: int
    failed: int
    no_face: int


class MarkKind(StrEnum):
    """What a mark on a time axis means."""

    REFERENCE = "reference"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that began at a time: a reference was set, or a model's first row was logged."""

    at: datetime
    kind: MarkKind
    name: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class ColumnBeside:
    """A column of the log now, beside the reference; `shape` is None where one side has no values of it."""

    column: str
    unit: str
    """The title of its axis."""
    about: str
    """What it holds, as a sentence; empty where that is not known."""
    counted: str
    """What the shares are of: image or face."""
    shape: ColumnShape | None
    reference_rows: int
    current_rows: int


@dataclass(frozen=True, slots=True)
class Beside:
    """All columns beside the reference, over the last window of the period."""

    reference: str | None
    """The name of the reference; None where there is none, and `trouble` says why."""
    since: datetime
    until: datetime
    columns: tuple[ColumnBeside, ...] = ()
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Accuracy:
    """One attribute in one evaluation: how many predictions were right, with the 95 % Wilson interval of the share."""

    at: datetime
    attribute: str
    correct: int
    labelled: int
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """An image whose row lies in the group of a column that grew most; `jpeg` is None where it cannot be shown."""

    column: str
    group: str
    image: str
    observed_at: datetime
    value: str
    jpeg: bytes | None
    trouble: str | None = None
    """Why it is not shown, or what is not known of the file that is."""


@dataclass(frozen=True, slots=True)
class OtherModel:
    """What the ledger has, in the same period, of a model that the report is not about."""

    model: str
    images: int
    checks: int
    evaluations: int
    late_rows: int
    """As `PeriodReport.late_rows`."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The records of the ledger that a report was made from: how many of each kind, and a hash over all of them.

    The hash is the same whenever the same records are read, in whatever order; compaction does not change it.
    """

    records: Mapping[str, int]
    sha256: str


@dataclass(frozen=True, slots=True)
class PeriodReport:
    """The state of a model in production over whole UTC hours `[since, until)`."""

    since: datetime
    until: datetime
    made_at: datetime
    version: str
    """Of facemon."""
    model: str
    source: str | None
    """The one source that was asked for."""
    window: timedelta
    """`drift.window` of the configuration."""
    volumes: tuple[Volume, ...]
    marks: tuple[Mark, ...]
    beside: Beside
    checks: tuple[DriftResult, ...]
    """The recorded checks, oldest first."""
    accuracy: tuple[Accuracy, ...]
    late_rows: int
    """Rows that were logged since the last recorded check, for times that no later check has in its window."""
    plan: DecisionPlan | None
    """What the checks need to decide; None where it cannot be computed."""
    origin: Origin
    others: tuple[OtherModel, ...] = ()
    """The other models that have images, checks or evaluations in the period."""
    thumbnails: tuple[Thumbnail, ...] | None = None
    """None where images were not asked for."""

    @property
    def images(self) -> int:
        """All images of the period."""
        return sum(each.images for each in self.volumes)
