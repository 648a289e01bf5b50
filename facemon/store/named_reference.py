"""A reference as the ledger names it, and how much its hours and days differ."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from facemon.domain.times import hour_of

if TYPE_CHECKING:
    from facemon.domain.spread import Spread, SpreadProfile

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Reference:
    """A named reference; `kind` is predictions or labels, `origin` window or file."""

    id: str
    name: str
    kind: str
    note: str
    model: str | None
    origin: str
    created: datetime
    since: datetime | None
    until: datetime | None
    rows: int
    path: str

    @property
    def hours(self) -> tuple[int, int] | None:
        """The first hour of its window, and that after the last; None where it was not set from a window."""
        if self.since is None or self.until is None:
            return None
        return hour_of(self.since), hour_of(self.until - _MICROSECOND) + 1


@dataclass(frozen=True, slots=True)
class RemovedReference:
    """A reference that was removed: results of checks still name it."""

    id: str
    name: str
    kind: str
    note: str
    model: str | None
    created: datetime
    rows: int
    removed: datetime

    def had_name_at(self, name: str, at: datetime) -> bool:
        """Whether this was the reference of that name at a time."""
        return self.name == name and self.created <= at <= self.removed


@dataclass(frozen=True, slots=True)
class ReferenceSpreads:
    """How much the hours and days of each source differ, and the days of all sources together, by column.

    Both are empty where it is not known: of tables, and of references that older versions set.
    """

    by_source: "Mapping[str | None, SpreadProfile]" = field(default_factory=dict)
    whole_days: "Mapping[str, Spread]" = field(default_factory=dict)
