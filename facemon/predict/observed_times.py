"""Which times of a run's images deserve a warning: images without a date, rows from long ago, rows from the future."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from facemon.domain.prediction import PredictedBatch, Undated
from facemon.domain.times import from_micros

_MICROSECOND, _DAY = timedelta(microseconds=1), timedelta(days=1)
_REASONS = {
    Undated.MISSING: ("has none", "have none"),
    Undated.INVALID: ("has one that is not a date", "have one that is not a date"),
    Undated.AHEAD: ("has one more than a day ahead of now", "have one more than a day ahead of now"),
}


@dataclass(frozen=True, slots=True)
class ObservedTimes:
    """Counts over the batches of a run."""

    retention: timedelta | None = None
    """How long the log keeps a row; none where nothing is logged, so that only undated images count."""
    undated: Mapping[Undated, int] = field(default_factory=dict)
    """Images that were to be dated by their EXIF data and got another time."""
    expired: int = 0
    """Rows that were observed longer before their prediction than the retention."""
    oldest: int | None = None
    """When the first of them was observed, in microseconds since 1970."""
    ahead: int = 0
    """Rows that were observed more than a day after their prediction."""

    def update(self, batch: PredictedBatch) -> "ObservedTimes":
        """Return the counts with a batch added."""
        undated = Counter(self.undated) + Counter(batch.undated) if batch.undated else self.undated
        if self.retention is None:
            return replace(self, undated=undated)
        import pyarrow as pa

        columns = (batch.rows.column(name) for name in ("observed_at", "predicted_at"))
        # The same bytes as whole numbers; a cast of so few rows takes many times as long.
        observed, predicted = (column.view(pa.int64()).to_numpy() for column in columns)
        old = observed[predicted - observed > self.retention // _MICROSECOND]
        oldest = min([*([] if self.oldest is None else [self.oldest]), *old.tolist()], default=None)
        ahead = self.ahead + int((observed - predicted > _DAY // _MICROSECOND).sum())
        return ObservedTimes(self.retention, undated, self.expired + len(old), oldest, ahead)

    def warnings(self, images: int, fallback: str) -> Iterator[str]:
        """Yield a line for each thing that the user must know; `fallback` says what undated images got."""
        if self.undated:
            yield f"{self._undated(images)}: {fallback}"
        if self.expired and self.retention is not None and self.oldest is not None:
            days = self.retention // _DAY
            yield (
                f"{_rows(self.expired)} observed more than {days} days ago (store.retention_days), the oldest on "
                f"{from_micros(self.oldest):%Y-%m-%d}; store prune removes them {days} days after their prediction"
            )
        if self.ahead:
            yield f"{_rows(self.ahead)} dated more than a day ahead of now; no drift check sees them before that time"

    def _undated(self, images: int) -> str:
        count = sum(self.undated.values())
        have = "has" if count == 1 else "have"
        if set(self.undated) == {Undated.MISSING}:
            return f"{count} of {images} images {have} no EXIF date"
        numbers = ((self.undated[why], names) for why, names in _REASONS.items() if why in self.undated)
        reasons = (f"{number} {names[number > 1]}" for number, names in numbers)
        return f"{count} of {images} images {have} no usable EXIF date ({', '.join(reasons)})"


def _rows(count: int) -> str:
    return "1 row was" if count == 1 else f"{count} rows were"
