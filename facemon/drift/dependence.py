"""Which rows of two windows may be taken as independent of each other, decided from where they come from.

The decision looks at sources and row counts only, never at the values, so it cannot bend a test's level.

- `cluster: none`: all rows, on the user's word.
- Rows without a source: each image is its own cluster. Faces of one image count by Kish's effective number.
- Sources that both windows share and that hold at least half of each: the differences within sources. Buckets
  of sources, where there are too many sources, are sources here.
- Otherwise: the windows are two separate samples of sources.

Where a window mixes rows with and without a source, the rows without one are used alone if they are at least
half of it; else they count as one more source, which is the cautious reading.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from facemon.drift.sample import Sample
from facemon.values.profile import ColumnCounts, Profile, Unit

FEWEST_CLUSTERS = 5
"""With fewer, no spread between clusters can be estimated."""
_MAJORITY = 0.5

Sources = Mapping[str | None, ColumnCounts]


@dataclass(frozen=True, slots=True)
class Window:
    """The rows of one window that a test uses: independent ones, or one entry per cluster."""

    clusters: tuple[ColumnCounts, ...]
    independent: bool
    design_effect: float = 1.0
    """By how much the variance of independent images exceeds that of independent rows."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How two windows are compared; `paired` means that both list the same clusters in the same order."""

    reference: Window
    current: Window
    paired: bool = False
    clusters: str = "sources"
    """What the clusters are, for people."""

    @property
    def independent(self) -> bool:
        """Whether the rows of both windows are independent."""
        return self.reference.independent and self.current.independent


@dataclass(frozen=True, slots=True)
class TooFewClusters:
    """No test is possible: a window has rows of `clusters` sources only."""

    clusters: int
    side: Literal["reference", "current data"]


def layout_of(
    reference: Sample, current: Sample, name: str, cluster: Literal["source", "none"]
) -> Layout | TooFewClusters:
    """How the rows of the column `name`, which both samples have, are to be compared; the samples are `alike`."""
    if cluster == "none":
        return Layout(_all_rows(reference, name), _all_rows(current, name))
    sides = (reference.column_by_source(name), current.column_by_source(name))
    if not any(_is_mostly_sourceless(side) for side in sides):
        shared = [source for source in sides[0] if source in sides[1]]
        if len(shared) >= FEWEST_CLUSTERS and all(_share(side, shared) >= _MAJORITY for side in sides):
            first, second = (Window(tuple(side[source] for source in shared), independent=False) for side in sides)
            return Layout(first, second, paired=True, clusters=_kind(reference))
    windows = [_window(sample, side) for sample, side in zip((reference, current), sides, strict=True)]
    for window, side in zip(windows, ("reference", "current data"), strict=True):
        if not window.independent and len(window.clusters) < FEWEST_CLUSTERS:
            return TooFewClusters(len(window.clusters), "reference" if side == "reference" else "current data")
    return Layout(windows[0], windows[1], clusters=_kind(reference))


def design_effect(profile: Profile, unit: Unit) -> float:
    """Rows over Kish's effective number of independent rows, if faces of one image are all alike.

    Kish (1965), *Survey Sampling*: the effective number is `faces**2 / squares` for clusters of unequal size.
    """
    if unit is Unit.IMAGE or profile.faces == 0 or profile.squares <= profile.faces:
        return 1.0
    return profile.squares / profile.faces


def _kind(sample: Sample) -> str:
    return "buckets of sources" if sample.bucketed else "sources"


def _all_rows(sample: Sample, name: str) -> Window:
    return Window((sample.total.columns[name],), independent=True)


def _window(sample: Sample, side: Sources) -> Window:
    if not _is_mostly_sourceless(side):
        return Window(tuple(side.values()), independent=False)
    column = side[None]
    return Window((column,), independent=True, design_effect=design_effect(sample.by_source[None], column.unit))


def _is_mostly_sourceless(side: Sources) -> bool:
    return None in side and _share(side, [None]) >= _MAJORITY


def _share(side: Sources, sources: list[str | None]) -> float:
    return sum(side[source].total for source in sources) / sum(column.total for column in side.values())
