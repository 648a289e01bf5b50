"""What was never done although the store has counted images for long: the condition, and the scenarios that test it.

A gauge that was never set is absent, so that its age cannot tell. What tells is the store's own counter, which was
there so long ago: only then is the absence no beginning.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from facemon.config.document import Config
from facemon.render import promql
from facemon.render.drift_series import (
    EXPORT,
    EXPORTING_TRANSPORTS,
    IMAGES,
    LAST_SUCCESS,
    example_target,
    only,
    other_labels,
    target_labels,
)
from facemon.render.promql_ages import AHEAD, labelled, largest_before
from facemon.render.rule_test import milliseconds, turn_of_window
from facemon.render.scenario import Check, Clock, Firing, Scenario, Signal, Span, series_text
from facemon.render.series_models import always, turning

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
_LONGEST, _LONGEST_GAP = timedelta(days=30), timedelta(hours=30)
_YEARS = 1000 * AHEAD
"""In seconds: from it no age comes out that any limit has."""
_SPARSEST = timedelta(seconds=290)
"""Between two samples of a test: a little less than the time for which Prometheus takes one for the present."""


def never_after(oldest: timedelta, config: Config) -> timedelta:
    """How long the store has counted images before what was never done is missed.

    As long as it may be old, but not longer than Prometheus remembers, nor than a month.
    """
    remembered = config.prometheus.retention * 4 / 5
    return max(_HOUR, min(oldest, remembered, _LONGEST) // _MINUTE * _MINUTE)


def arrival(config: Config, labels: Mapping[str, str], age: float = 0) -> tuple[Clock, ...]:
    """The export by which a store's metrics arrived so many seconds ago, beside another command's success years before.

    Nothing where each scrape reads the store.
    """
    if config.prometheus.store_metrics_from not in EXPORTING_TRANSPORTS:
        return ()
    here = only(dict(labels), target_labels(config))
    exported, compacted = (
        series_text(LAST_SUCCESS.name, {"command": command, **here}) for command in (EXPORT["command"], "compact")
    )
    return Clock(exported, age), Clock(compacted, age + _YEARS)


@dataclass(frozen=True, slots=True)
class NeverDone:
    """What is missing: the stamp that it would set, with these labels; the alert has `labels` besides the target's."""

    config: Config
    stamp: promql.Series
    done: Mapping[str, str]
    labels: Mapping[str, str]
    after: timedelta
    besides: tuple[Mapping[str, str], ...] = ()
    """What the same alert misses too, and what each store of the tests has therefore done."""

    @property
    def _window(self) -> timedelta:
        """A gap of the store's metrics that is shorter does not matter."""
        return min(self.after / 4, _LONGEST_GAP) // _MINUTE * _MINUTE

    @property
    def _store(self) -> tuple[str, ...]:
        """What tells the stores apart: a Pushgateway may have one's counters and its stamps in two groups."""
        pushed = self.config.prometheus.store_metrics_from == "pushgateway"
        return tuple(self.config.metrics.labels) if pushed else target_labels(self.config)

    @property
    def expr(self) -> promql.Expr:
        """The stores, one sample each, which have images and had some so long ago, but not the stamp."""
        targets = target_labels(self.config)
        there = promql.aggregate("max", promql.select(IMAGES), by=targets)
        long_ago = promql.compare(largest_before(IMAGES, self._window, self.after), ">", 0)
        matchers = (promql.equals(label, value) for label, value in self.done.items())
        missing = promql.unless(
            promql.only_where(there, long_ago, on=self._store), promql.select(self.stamp, *matchers), on=self._store
        )
        for label, value in self.labels.items():
            missing = labelled(missing, label, value)
        return missing

    def scenarios(self) -> Iterator[Scenario]:
        """It was never done, and then it is; a store without images, and one that was away for long."""
        what, grain = " ".join(self.done.values()), self._grain
        begins = 2 * grain
        images, *others = self._counting(example_target(self.config))
        missed = begins + self.after
        soon = missed + 2 * grain
        first = turning(self._done(example_target(self.config)), (soon, soon.total_seconds() + AHEAD / 2))
        yield self._modelled(
            f"no {what} since a store has its first images, then one; older stores are unaffected",
            (turning(images.series, (timedelta(0), 0), (begins, 5)), *others, first, *self._healthy()),
            (Check(missed, before=True), Check(missed + self._scrape, missed + self._scrape), Check(soon + grain)),
        )  # fmt: skip
        # So that a window that is a quarter shorter is over for a whole turn by then, and no alert is kept.
        gone = grain + 2 * self._scrape
        away = turning(images.series, (timedelta(0), 5), (gone, None), (self.after, 5))
        last_seen = gone - self._scrape + self.after + self._window
        yield self._modelled(
            f"no {what} in a store that was away until its first day is forgotten", (away, *others),
            (Check(last_seen, self.after + self._scrape, before=True), Check(gone + self.after + self._window)),
        )  # fmt: skip

    def _modelled(self, title: str, signals: tuple[Signal, ...], checks: tuple[Check, ...]) -> Scenario:
        firing = Firing({**example_target(self.config), **self.labels}, is_aggregated=True)
        return Scenario(title, signals, firing, Span.MODELLED, checks, self._scrape, self._grain)

    @property
    def _grain(self) -> timedelta:
        return turn_of_window(milliseconds(self._window)) * timedelta(milliseconds=1)

    @property
    def _scrape(self) -> timedelta:
        coarse = min(self.after // 1000, _SPARSEST) // timedelta(seconds=1) * timedelta(seconds=1)
        return max(self.config.prometheus.scrape_interval, coarse)

    def _healthy(self) -> Iterator[Signal]:
        """For each label of a store one that differs in it alone, and in which it is done.

        It is done half a day ahead, so that no limit is so short that the stamp is old before the next sample.
        """
        for name, other in only(other_labels(self.config), self._store).items():
            labels = {**example_target(self.config), name: other}
            yield from (*self._counting(labels), Clock(self._done(labels), -AHEAD / 2))

    def _counting(self, labels: Mapping[str, str]) -> tuple[Signal, ...]:
        others = (Clock(self._stamp({**labels, **other}), -AHEAD / 2) for other in self.besides)
        images = always(series_text(IMAGES.name, {"status": "ok", **labels}), 5)
        return images, *arrival(self.config, labels), *others

    def _done(self, labels: Mapping[str, str]) -> str:
        return self._stamp({**labels, **self.done})

    def _stamp(self, labels: Mapping[str, str]) -> str:
        return series_text(self.stamp.name, {**self.labels, **labels})
