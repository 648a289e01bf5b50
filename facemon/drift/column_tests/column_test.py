"""What each test of a column says of itself."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, Protocol

from facemon.domain.array_types import Counts, Floats
from facemon.drift.design_effect import DesignEffect, SourceRows, SourceVariances
from facemon.drift.power import worth_of
from facemon.drift.single_sources import SingleTest


class SingleTable(Protocol):
    """Many sources of one column, each looked at alone."""

    def variances(self) -> list[SourceVariances]:
        """Return, number for number, `SourceVariances.of` each source."""

    def tests(self, effects: Sequence[DesignEffect], significance: float) -> list[SingleTest]:
        """Return, number for number, what the test finds in each source, given its design effect."""


Fits = Callable[[SourceRows], bool]
TableOf = Callable[[Sequence[SourceRows]], SingleTable]
Tables = tuple[tuple[Fits, TableOf], ...]


class ColumnTest(ABC):
    """A distance between two windows, the test of it, and what so many rows would detect.

    Counts are int64 over the same labels or ordered bins, K of them, in both windows: [K] of one source, [S, K] of
    several, each of which has rows in both windows. What holds of one source holds of [1, K].
    """

    method: ClassVar[str]
    """What a result calls the distance."""
    tables: ClassVar[Tables] = ()
    """Which sources can be computed together, and how; without a table each is computed alone, which takes longer.

    A table computes one class's test, so that a subclass does not inherit it.
    """

    def __init_subclass__(cls) -> None:
        cls.tables = cls.__dict__.get("tables", ())

    @abstractmethod
    def distance(self, reference: Counts, current: Counts) -> float:
        """Return the distance of two windows of one source, from 0 to 1."""

    @abstractmethod
    def moved(self, differences: Floats) -> Floats:
        """Return the distance from the differences of shares, over their last axis; [..., K] to [...]."""

    @abstractmethod
    def p_value(self, reference: Counts, current: Counts, effect: DesignEffect) -> float:
        """Return the p-value of the differences within sources, where two keys or more are held."""

    @abstractmethod
    def detectable(self, reference: Counts, rows: tuple[float, float], significance: float) -> float:
        """Return the distance that independent rows detect with 80 % power; `reference` are counts of one source."""

    @abstractmethod
    def detectable_between(self, reference: Counts, rows: tuple[float, float], significance: float) -> float:
        """Return the least that windows of different sources detect, however alike their sources are."""

    @abstractmethod
    def groups(self, reference: Counts, current: Counts) -> Floats:
        """Return a matrix [K, G] of what is tested between samples of sources, from the counts of all of them."""

    @abstractmethod
    def name(self, sources: int, keys: int) -> str:
        """Return what a result calls the test of rows of so many sources."""

    def held(self, reference: Counts, current: Counts) -> tuple[Counts, Counts]:
        """Return the counts of drawn windows as the test takes them."""
        return reference, current

    def detectable_shift(
        self, reference: Counts, rows: tuple[float, float], weight: float, significance: float
    ) -> float:
        """Return the detectable distance of rows that are worth fewer than their number: see `power.worth_of`."""
        return self.detectable(reference, worth_of(rows, weight), significance)

    def detectable_shifts(
        self,
        references: Sequence[Counts],
        rows: Sequence[tuple[float, float]],
        weights: Sequence[float],
        significance: float,
    ) -> list[float]:
        """Return `detectable_shift` of several columns."""
        each = zip(references, rows, weights, strict=True)
        return [self.detectable_shift(counts, sides, weight, significance) for counts, sides, weight in each]
