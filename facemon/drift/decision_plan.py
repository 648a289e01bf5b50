"""How much data each check needs to decide its threshold, from the reference and a rate of images a day alone.

The plan asks the same of a number of images as the check asks of its windows: that a quiet run is cleared at least nine
times in ten. The rows to come are taken to be like the reference's, or like other rows that are given: of the same
sources, with as many faces per image.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import numpy as np

from facemon.config.drift import DriftConfig, ThresholdConfig
from facemon.config.model import AttributeConfig
from facemon.domain.attribute import Measure
from facemon.domain.decision_plan import CheckPlan, DecisionPlan, Detected, Rate, Remedy, SourcesPlan
from facemon.domain.drift_result import Check
from facemon.domain.kinds.registry import kind_of
from facemon.domain.profile import ColumnCounts, ColumnKind, Profile, Unit, categorical_counts
from facemon.drift.compared_columns import ComparedColumn, compared_columns
from facemon.drift.quiet_reach import ColumnWorth, KnownVariances, column_worths, decides, detectable_shifts
from facemon.drift.sample import Sample, alike
from facemon.drift.scaled_sample import scaled, sizes_alone
from facemon.drift.window_ladder import LONGEST, quiet_columns, sources_to_judge, spans_of

_DAY = timedelta(days=1)
_REFERENCE_DAYS = tuple(span // _DAY for span in spans_of(_DAY, LONGEST))
_PLENTY = 1_000
"""So many times the reference's images are as good as any number of them."""
_STEP = 1.05
"""Numbers of images are tried in steps of this factor."""
_MILLION = 1_000_000
_THRESHOLDS = tuple(round(step / 100, 2) for step in range(1, 51))
"""Thresholds that are advised: hundredths, up to one half. Shifts above that are no subtle ones."""
_HALF = 0.5
_BINS = 200
"""So many that the test of numbers finds no fewer bins easier."""

_Columns = Sequence[tuple[Check, ComparedColumn]]


@dataclass(frozen=True, slots=True)
class _World:
    """A reference, what the rows to come look like, and how many images of them come each day."""

    reference: Sample
    coming: Sample
    rate: float | None
    known: dict[float, Mapping[str, ColumnWorth]] = field(default_factory=dict, compare=False)
    """What was computed before, by the number of images."""
    variances: KnownVariances = field(default_factory=dict, compare=False)
    """What was computed of the reference."""
    sources: "dict[str | None, _World]" = field(default_factory=dict, compare=False)
    """The sources that were asked for before."""

    @classmethod
    def of(cls, reference: Sample, like: Sample, rate: float | None) -> "_World":
        reference, coming = alike(reference, like)
        return cls(reference, sizes_alone(coming), rate)

    def of_source(self, source: str | None) -> "_World":
        """The rows of one source; of its images come as many a day as of all, by its share of them."""
        if source not in self.sources:
            coming = self.coming.of_source(source)
            share = coming.total.images / self.coming.total.images
            rate = None if self.rate is None else self.rate * share
            self.sources[source] = _World(self.reference.of_source(source), coming, rate)
        return self.sources[source]

    def with_reference_of(self, days: int) -> "_World":
        """The same with a reference of so many days at the rate."""
        factor = days * (self.rate or 0.0) / self.reference.total.images
        return replace(self, reference=scaled(self.reference, factor, days=days), known={}, variances={}, sources={})

    def after(self, images: float) -> Sample:
        """The current rows once there are so many images."""
        days = None if self.rate is None else images / self.rate
        return scaled(self.coming, images / self.coming.total.images, days=days)

    def holds(self, column: ComparedColumn) -> bool:
        """Whether both sides have rows of a column, and one of them a value: without, nothing is compared."""
        found = [side.column(column.name) for side in (self.reference, self.coming)]
        return all(found) and any(each.holds_values for each in found if each)

    def worths(self, images: float, columns: _Columns, settings: DriftConfig) -> Mapping[str, ColumnWorth]:
        """What the rows of each column are worth once there are so many images; no threshold changes that."""
        if images not in self.known:
            names = [column.name for _, column in columns]
            self.known[images] = column_worths(self.reference, self.after(images), names, settings, self.variances)
        return self.known[images]

    def decides(self, images: float, columns: _Columns, everything: _Columns, settings: DriftConfig) -> bool:
        """Whether so many images clear the columns; `everything` tells how much rows repeat, as it does the ladder."""
        asked = quiet_columns(self.reference, [each for each in columns if self.holds(each[1])], settings)
        worths = self.worths(images, everything, settings)
        return bool(asked) and all(each.name in worths for each in asked) and decides(worths, asked, settings)


_IsEnough = Callable[[_World, float, DriftConfig], bool]
"""Whether so many images of a world are enough for a verdict under some settings."""


def plan_decisions(
    reference: Sample,
    rate: Rate | None,
    *,
    checks: Collection[Check],
    attributes: Sequence[AttributeConfig],
    settings: DriftConfig,
    like: Sample | None = None,
) -> DecisionPlan:
    """Plan when each of the checks can decide, given the images per day that `rate` tells.

    `like` is a sample of the rows to come, the reference's own where it is None; both have rows.
    """
    world = _World.of(reference, like or reference, rate.images_per_day if rate else None)
    columns = {
        check: [
            (check, column)
            for column in compared_columns(check, attributes, world.reference, world.coming, settings)
            if world.holds(column)
        ]
        for check in checks
    }
    held = {check: found for check, found in columns.items() if found}
    everything = [each for found in held.values() for each in found]
    sources = sources_to_judge(world.reference, world.coming)
    return DecisionPlan(
        settings.window,
        settings.widen_to,
        settings.min_rows,
        rate,
        tuple(_plan_check(world, check, found, everything, settings) for check, found in held.items()),
        _plan_sources(world, sources, everything, settings) if len(sources) > 1 and everything and rate else None,
    )


def images_of_first_check(attributes: Sequence[AttributeConfig], settings: DriftConfig) -> int | None:
    """Return how many images decide the model's threshold before there is any data, as far as that can be told.

    Labels are taken to be equally frequent, confidences and values to differ, and each image to have one face: of other
    rows no more are needed. As many images are taken for the reference and for the current data. None where a million
    of each is not enough.
    """

    def is_enough(images: float) -> bool:
        rows = first_rows(attributes, images)
        columns = [(Check.MODEL, each) for each in compared_columns(Check.MODEL, attributes, rows, rows, settings)]
        return rows.rows > 0 and _World.of(rows, rows, None).decides(images, columns, columns, settings)

    return _first_enough(_MILLION, is_enough) if is_enough(_MILLION) else None


def first_rows(attributes: Sequence[AttributeConfig], images: float) -> Sample:
    """Rows of a model's attributes of which no log is needed: see `images_of_first_check`."""
    columns = {
        measure.column(attribute.name): _even_counts(measure, len(attribute.classes), round(images))
        for attribute in attributes
        for measure in kind_of(attribute).compared(attribute)
    }
    return Sample.of_rows(Profile(round(images), round(images), round(images), columns))


def _even_counts(measure: Measure, labels: int, rows: int) -> ColumnCounts:
    """Equally many rows of each label, or of each of many bins."""
    is_label = measure is Measure.LABEL
    keys = max(2, labels) if is_label else _BINS
    counts = np.diff(np.arange(keys + 1) * rows // keys)
    if is_label:
        return categorical_counts({f"{key:06}": int(count) for key, count in enumerate(counts)})
    bins = np.arange(keys, dtype=np.int32)
    return ColumnCounts(ColumnKind.NUMBER, Unit.FACE, counts[counts > 0], bins=bins[counts > 0])


def _plan_check(
    world: _World, check: Check, columns: _Columns, everything: _Columns, settings: DriftConfig
) -> CheckPlan:
    def is_enough(world: _World, images: float, settings: DriftConfig) -> bool:
        return world.decides(images, columns, everything, settings)

    images = _fewest_images(world, lambda images: is_enough(world, images, settings))
    threshold = (settings.model if check is Check.MODEL else settings.data).threshold
    if world.rate is None:
        return CheckPlan(check, threshold, None, None, None, images, None)
    worths = world.worths(_images_in(settings.window, world), everything, settings)
    held = {column.name: worths[column.name] for _, column in columns if column.name in worths}
    window = _first_window(world, settings, is_enough)
    before, now = (min((each.rows[side] for each in held.values()), default=0) for side in (0, 1))
    return CheckPlan(
        check,
        threshold,
        now,
        before,
        _hardest(held, settings),
        images,
        window,
        () if window is not None else _remedies(world, settings, is_enough, check),
    )


def _plan_sources(
    world: _World, sources: Sequence[str | None], everything: _Columns, settings: DriftConfig
) -> SourcesPlan:
    """Plan the sources that are judged one by one, the largest first; the columns of all checks count together."""
    ordered = sorted(sources, key=lambda name: -world.coming.of_source(name).rows)

    def is_enough(world: _World, images: float, settings: DriftConfig) -> bool:
        undecided = np.zeros(2)
        for source in ordered:
            apart = world.of_source(source)
            theirs = images * apart.coming.total.images / world.coming.total.images
            if not (theirs and apart.decides(theirs, everything, everything, settings)):
                undecided += (apart.reference.rows / world.reference.rows, apart.coming.rows / world.coming.rows)
            if (undecided >= _HALF).any():
                return False
        return True

    window = _first_window(world, settings, is_enough)
    remedies = () if window is not None else _remedies(world, settings, is_enough, None)
    return SourcesPlan(len(sources), window, remedies)


def _first_window(world: _World, settings: DriftConfig, is_enough: _IsEnough) -> timedelta | None:
    """The shortest window that a check may take and that decides at the rate."""
    spans = spans_of(settings.window, settings.widen_to)
    return next((span for span in spans if is_enough(world, _images_in(span, world), settings)), None)


def _images_in(span: timedelta, world: _World) -> float:
    return (world.rate or 0.0) * (span / _DAY)


def _fewest_images(world: _World, is_enough: Callable[[float], bool]) -> int | None:
    """The smallest number of images that is enough, up to 5 % too high; None where no number is."""
    most = _PLENTY * world.reference.total.images
    return _first_enough(most, is_enough) if is_enough(most) else None


def _first_enough(most: int, is_enough: Callable[[float], bool]) -> int:
    """The first number of images that is enough, of those that are tried; at the latest `most`."""
    numbers = [math.ceil(_STEP**power) for power in range(math.ceil(math.log(most, _STEP)))] + [most]
    return numbers[bisect_left(numbers, True, key=is_enough, hi=len(numbers) - 1)]


def _remedies(world: _World, settings: DriftConfig, is_enough: _IsEnough, check: Check | None) -> tuple[Remedy, ...]:
    """What lets a check decide at the rate where nothing does now; only what does help."""
    widened = settings.model_copy(update={"widen_to": max(LONGEST, settings.widen_to)})
    longest = spans_of(settings.window, settings.widen_to)[-1]
    found = []
    if (span := _first_window(world, widened, is_enough)) is not None:
        found.append(Remedy(widen_to=span))
    if (days := _first_reference(world, longest, settings, is_enough)) is not None:
        found.append(Remedy(reference_days=days))
    if not found and (days := _first_reference(world, LONGEST, widened, is_enough)) is not None:
        found.append(Remedy(reference_days=days, widen_to=LONGEST))
    if check is not None:
        if (threshold := _first_threshold(world, longest, settings, is_enough, check)) is not None:
            found.append(Remedy(threshold=threshold))
        elif not found and (more := world.with_reference_of(LONGEST.days)).reference.rows > world.reference.rows:
            threshold = _first_threshold(more, longest, settings, is_enough, check)
            found += [Remedy(reference_days=LONGEST.days, threshold=threshold)] if threshold is not None else []
    return tuple(found)


def _first_threshold(
    world: _World, window: timedelta, settings: DriftConfig, is_enough: _IsEnough, check: Check
) -> float | None:
    """The smallest threshold that a window decides, in hundredths."""
    images = _images_in(window, world)
    at = bisect_left(_THRESHOLDS, True, key=lambda each: is_enough(world, images, _at(settings, check, each)))
    return _THRESHOLDS[at] if at < len(_THRESHOLDS) else None


def _first_reference(world: _World, window: timedelta, settings: DriftConfig, is_enough: _IsEnough) -> int | None:
    """The fewest days of reference with which a window decides, of those that hold more images than now."""
    images, rate = _images_in(window, world), world.rate or 0.0
    longer = [days for days in _REFERENCE_DAYS if days * rate > world.reference.total.images]
    return next((days for days in longer if is_enough(world.with_reference_of(days), images, settings)), None)


def _at(settings: DriftConfig, check: Check, threshold: float) -> DriftConfig:
    name = "model" if check is Check.MODEL else "data"
    return settings.model_copy(update={name: ThresholdConfig(threshold=threshold)})


def _hardest(held: Mapping[str, ColumnWorth], settings: DriftConfig) -> Detected | None:
    """The column that detects the largest shifts only; None where any has too few rows for a verdict."""
    if not held or not all(each.is_enough for each in held.values()):
        return None
    found = detectable_shifts(held, settings.significance)
    name = max(found, key=lambda each: found[each])
    return Detected(name, found[name], held[name].held.kind is ColumnKind.CATEGORICAL)
