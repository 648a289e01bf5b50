"""How the rows of two windows depend on each other, decided from where and when they come.

The decision looks at sources, times and row counts only, never at the values, so it cannot bend a test's level.

- `cluster: none`: all rows are independent, on the user's word.
- Sources that both windows share and that hold at least half of each are what is watched: the test is within them,
  however many they are. Rows without a source are one source more.
- Otherwise the sources are samples of others that might have been (persons, say): the windows are two separate
  samples of sources, and the spread between sources is the yardstick. Rows without a source are independent images
  there, if they are at least half of a window; else they count as one more source, which is the cautious reading.
- Buckets, where there are too many sources to keep apart, hold different sources: shared ones are compared pair by
  pair, with the spread between the pairs as the yardstick.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from facemon.domain.profile import ColumnCounts, Profile, Unit
from facemon.domain.spread import Spread, SpreadProfile
from facemon.drift.design_effect import (
    INDEPENDENT,
    UNKNOWN_DAYS,
    DaysEffect,
    DesignEffect,
    Ratio,
    SourceRows,
    SourceVariances,
    days_ratio,
    hours_ratio,
    sources_ratio,
)
from facemon.drift.moderation import moderated
from facemon.drift.sample import Sample

_FEWEST_CLUSTERS = 5
"""With fewer, no spread between clusters can be estimated."""
_MAJORITY = 0.5
Key = TypeVar("Key", bound=Hashable)
_NO_SPREAD = SpreadProfile()

_Sources = Mapping[str | None, ColumnCounts]


@dataclass(frozen=True, slots=True)
class Within:
    """Both windows hold the same sources, one or more, and their rows are compared within them."""

    sources: tuple[SourceRows, ...]
    faces_effect: float = 1.0
    """By how much the variance exceeds that of independent rows if all faces of an image are alike."""
    is_declared: bool = False
    """The user said that the rows are independent."""
    names: tuple[str | None, ...] = ()
    """What the sources are called, where they are kept apart."""


@dataclass(frozen=True, slots=True)
class Window:
    """The rows of one window that a test between clusters uses: independent ones, or one entry per cluster."""

    clusters: tuple[ColumnCounts, ...]
    independent: bool
    design_effect: float = 1.0
    """By how much the variance of independent images exceeds that of independent rows."""


@dataclass(frozen=True, slots=True)
class Clustered:
    """Two windows of clusters; `paired` means that both list the same ones in the same order."""

    reference: Window
    current: Window
    paired: bool = False
    clusters: str = "sources"
    """What the clusters are, for people."""


@dataclass(frozen=True, slots=True)
class TooFewClusters:
    """No test is possible: the windows hold other sources, and one of them has rows of `clusters` sources only."""

    clusters: int
    side: Literal["reference", "current data"]


Layout = Within | Clustered | TooFewClusters


def layout_of(reference: Sample, current: Sample, name: str, cluster: Literal["source", "none"]) -> Layout:
    """How the rows of the column `name`, which both samples have, are to be compared; the samples are `alike`."""
    if cluster == "none":
        whole = reference.total.columns[name], current.total.columns[name]
        return Within((SourceRows(whole),), is_declared=True)
    if len(reference.by_source) == 1 and reference.by_source.keys() == current.by_source.keys():
        return _within(reference, current, name, list(reference.by_source))
    sides = (reference.column_by_source(name), current.column_by_source(name))
    shared = [source for source in sides[0] if source in sides[1]]
    if shared and all(_share(side, shared) >= _MAJORITY for side in sides):
        if not reference.bucketed:
            return _within(reference, current, name, shared)
        if all(_is_mostly_sourceless(side) for side in sides):
            return _within(reference, current, name, [None])
        if len(shared) >= _FEWEST_CLUSTERS:
            first, second = (Window(tuple(side[source] for source in shared), independent=False) for side in sides)
            return Clustered(first, second, paired=True, clusters=_kind(reference))
    windows = [_window(sample, side) for sample, side in zip((reference, current), sides, strict=True)]
    for window, side in zip(windows, ("reference", "current data"), strict=True):
        if not window.independent and len(window.clusters) < _FEWEST_CLUSTERS:
            return TooFewClusters(len(window.clusters), "reference" if side == "reference" else "current data")
    return Clustered(windows[0], windows[1], clusters=_kind(reference))


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the rows of one column are compared, and what is known of how its days differ."""

    layout: Layout
    days: Spread | None = None
    """The variance between whole days of the reference."""
    current_days: float | None = None
    """How long the current window lasts, in days."""
    quiet: SourceVariances | None = None
    """The variances of the reference's rows, where the current ones count as like them, and no source as moved."""
    own: SourceVariances | None = None
    """The variances of the rows of both, where they were computed before."""


@dataclass(frozen=True, slots=True)
class EffectParts:
    """What is known of one column's design effect, by what shows it; INDEPENDENT where nothing does."""

    rows: DesignEffect = INDEPENDENT
    """How hours differ; where that is unknown, as if all faces of an image were alike. More rows do not change it."""
    days: DaysEffect = UNKNOWN_DAYS
    """How days differ: more rows of as many days make it larger, and more days make it smaller."""
    sources: DesignEffect = INDEPENDENT
    """How differently many sources changed: more rows of the same sources make it larger."""

    @property
    def largest(self) -> DesignEffect:
        """The effect that counts."""
        known = [self.rows] if self.sources is INDEPENDENT else [self.rows, self.sources]
        if self.days is not UNKNOWN_DAYS:
            known.insert(1, self.days.with_rows(self.rows))
        largest = max(known, key=lambda effect: effect.factor)
        return largest if largest.factor > 1 else INDEPENDENT


NO_EFFECT = EffectParts()


def effects_of(comparisons: Mapping[Key, Comparison]) -> dict[Key, DesignEffect]:
    """The design effect of each column whose rows are compared within sources: the largest that is known."""
    return {key: parts.largest for key, parts in effect_parts(comparisons).items()}


def effect_parts(comparisons: Mapping[Key, Comparison]) -> dict[Key, EffectParts]:
    """What is known of the design effect of each column whose rows are compared within sources.

    That of hours takes the place of the faces' own, which takes all faces of an image to be alike. The columns are
    looked at together.
    """
    within: dict[Key, Within] = {}
    hours, days, sources = dict[Key, Ratio](), dict[Key, Ratio](), dict[Key, Ratio]()
    for key, each in comparisons.items():
        if not isinstance(each.layout, Within) or each.layout.is_declared:
            continue
        rows = each.layout.sources
        known = each.quiet or each.own or SourceVariances.of(rows)
        if known.is_constant:
            continue
        within[key] = each.layout
        if ratio := hours_ratio(rows, known):
            hours[key] = ratio
        if ratio := days_ratio(rows, each.days, each.current_days, known):
            days[key] = ratio
        if each.quiet is None and (ratio := sources_ratio(rows, known)):
            sources[key] = ratio
    by_hours, by_days, by_sources = moderated(hours, lowers=True), moderated(days), moderated(sources)
    return {
        key: EffectParts(
            by_hours.get(key) or DesignEffect(layout.faces_effect),
            DaysEffect(by_days[key], days[key].held) if key in by_days else UNKNOWN_DAYS,
            by_sources.get(key, INDEPENDENT),
        )
        for key, layout in within.items()
    }


def _within(reference: Sample, current: Sample, name: str, shared: Sequence[str | None]) -> Within:
    sources, repeated = [], 0.0
    for source in shared:
        before, now = reference.by_source[source], current.by_source[source]
        first, second = before.columns[name], now.columns[name]
        rows = first.total, second.total
        weight = rows[0] * rows[1] / (rows[0] + rows[1])
        hours = (
            reference.spreads.get(source, _NO_SPREAD).hours.get(name),
            current.spreads.get(source, _NO_SPREAD).hours.get(name),
        )
        sources.append(SourceRows((first, second), hours, weight))
        if before.squares > before.faces or now.squares > now.faces:
            excess = [design_effect(profile, first.unit) - 1 for profile in (before, now)]
            repeated += weight**2 * (excess[0] / rows[0] + excess[1] / rows[1])
    return Within(tuple(sources), 1 + repeated / sum(each.weight for each in sources), names=tuple(shared))


def design_effect(profile: Profile, unit: Unit) -> float:
    """Rows over Kish's effective number of independent rows, if faces of one image are all alike.

    Kish (1965), *Survey Sampling*: the effective number is `faces**2 / squares` for clusters of unequal size.
    """
    if unit is Unit.IMAGE or profile.faces == 0 or profile.squares <= profile.faces:
        return 1.0
    return profile.squares / profile.faces


def _kind(sample: Sample) -> str:
    return "buckets of sources" if sample.bucketed else "sources"


def _window(sample: Sample, side: _Sources) -> Window:
    if not _is_mostly_sourceless(side):
        return Window(tuple(side.values()), independent=False)
    column = side[None]
    return Window((column,), independent=True, design_effect=design_effect(sample.by_source[None], column.unit))


def _is_mostly_sourceless(side: _Sources) -> bool:
    return None in side and _share(side, [None]) >= _MAJORITY


def _share(side: _Sources, sources: list[str | None]) -> float:
    if len(sources) == len(side):
        return 1.0
    return sum(side[source].total for source in sources) / sum(column.total for column in side.values())
