"""Alerts and recordings narrowed to facemon's own series, and tests in which those of others are bad beside them.

Other stores are ours too, where metrics.labels tell them apart: a test has them all at one job and instance.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import get_args

from facemon.config.document import Config
from facemon.config.prometheus import Job
from facemon.render.alert import Alert
from facemon.render.annotation import literal
from facemon.render.expression import quoted
from facemon.render.our_series import FOREIGN, OurSeries
from facemon.render.recording import Recording
from facemon.render.scenario import Burst, Check, Clock, Firing, Gauge, Scenario, Signal, Span, of_store, with_series

_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_JOBS = get_args(Job)
_OTHERS_ALONE = "only targets of others"
_STORES = "stores of the same job and instance, each in another scenario"


def narrowed_alert(alert: Alert, config: Config) -> Alert:
    """The alert on facemon's own series, with scenarios of the same in a job of others."""
    ours = OurSeries(config)
    queries = {says: expr.within(ours) for says, expr in alert.runbook.queries.items()}
    scenarios = tuple(_of_our_targets(scenario, ours) for scenario in alert.scenarios)
    return replace(
        alert,
        signal=alert.signal.within(ours),
        expr=alert.expr.within(ours),
        runbook=replace(alert.runbook, queries=queries),
        scenarios=(*scenarios, *_of_others(alert, scenarios, ours), *_of_stores(alert, scenarios, config)),
        carries=alert.carries and alert.carries.on_targets(config),
        own_labels={**_lost(alert, config), **alert.own_labels},
    )


def _lost(alert: Alert, config: Config) -> dict[str, str]:
    """The labels of the targets as the rule sets them, where an aggregation in its expression drops them.

    Every series that the rule selects has them, so that routes by them take every alert on these targets.
    """
    if alert.carries is None or alert.carries.of_targets:
        return {}
    return {name: literal(text) for name, text in config.prometheus.target_labels.items()}


def narrowed_recording(recording: Recording, config: Config) -> Recording:
    """The recording of facemon's own series; in each stage that is not `alone`, others count something else."""
    ours = OurSeries(config)
    stages = []
    for stage in recording.stages:
        signals = tuple(each for signal in stage.signals for each in _of_targets(signal, ours))
        others = () if stage.alone else _counted_by_others(signals, ours)
        stages.append(replace(stage, signals=(*signals, *others)))
    return replace(recording, expr=recording.expr.within(ours), stages=tuple(stages))


def _of_our_targets(scenario: Scenario, ours: OurSeries) -> Scenario:
    """The scenario with the jobs and labels that targets of this configuration have."""
    signals = tuple(each for signal in scenario.signals for each in _of_targets(signal, ours))
    fires = scenario.fires and _of_our_target(scenario.fires, scenario, ours)
    besides = tuple(_of_our_target(each, scenario, ours) for each in scenario.besides)
    return replace(scenario, signals=signals, fires=fires, besides=besides)


def _of_our_target(fires: Firing, scenario: Scenario, ours: OurSeries) -> Firing:
    labels = dict(fires.labels)
    every = {f"{name}={quoted(value)}" for name, value in labels.items()}
    # An alert with every label of a series carries those of its target, too; one that is aggregated does not.
    has_every = not fires.is_aggregated and every in [_labels(signal) for signal in scenario.signals]
    more = ours.config.prometheus.target_labels if has_every else {}
    if name := _job_names(scenario.signals, ours).get(labels.get("job", "")):
        labels["job"] = name
    return replace(fires, labels={**labels, **more})


def _of_targets(signal: Signal, ours: OurSeries) -> Iterator[Signal]:
    """The series of a target of ours, or of targets of others, each of which differs from ours in one label."""
    if _is_recorded(signal):
        yield signal
        return
    labels = ours.config.prometheus.target_labels
    name = _job_names([signal], ours).get(_job(signal))
    here = of_store([signal if name is None else _with(signal, "job", name)], labels)[0]
    yield here
    if _job(signal) == FOREIGN and (jobs := ours.jobs_of(_metric(signal))):
        of_our_job = _with(here, "job", ours.config.prometheus.job_name(jobs[0]))
        yield from (_with(of_our_job, label, FOREIGN) for label in labels)


def _job_names(signals: Sequence[Signal], ours: OurSeries) -> dict[str, str]:
    """The jobs of the series as they are written to the names of the jobs that this configuration has them from."""
    found = {}
    for signal in signals:
        job = _job(signal)
        if job in _JOBS and not _is_recorded(signal) and (jobs := ours.jobs_of(_metric(signal))):
            found[job] = ours.config.prometheus.job_name(job if job in jobs else jobs[0])
    return found


def _of_others(alert: Alert, scenarios: Sequence[Scenario], ours: OurSeries) -> Iterator[Scenario]:
    """All that makes the alert fire, in targets of others: each differs from ours in the job or in another label.

    Where the alert fires without data: what keeps it from firing.
    """
    firing = [each.fires for each in scenarios if each.fires]
    told = firing[0] if alert.fires_without_data and firing else None
    shown = [each for each in scenarios if bool(each.fires) is not alert.fires_without_data and _is_shown_at_once(each)]
    signals: dict[str, Signal] = {}
    for number, scenario in enumerate(shown, 1):
        for label in _chosen_by(scenario, ours):
            for signal in scenario.signals:
                elsewhere = _with(signal, label, f"{FOREIGN}-{number}")
                # A series that differs from another in this label alone is the same now.
                signals.setdefault(elsewhere.series, elsewhere)
    if signals:
        yield Scenario(_OTHERS_ALONE, tuple(signals.values()), told)
        return
    modelled = (each for each in scenarios if each.fires and each.span is Span.MODELLED)
    if not alert.fires_without_data and (first := next(modelled, None)):
        moved = (_with(signal, label, f"{FOREIGN}-1") for label in _chosen_by(first, ours) for signal in first.signals)
        soonest = min(check.since for check in first.checks if check.since is not None)
        yield replace(first, title=_OTHERS_ALONE, signals=tuple(moved), fires=None, checks=(Check(soonest),))


def _of_stores(alert: Alert, scenarios: Sequence[Scenario], config: Config) -> Iterator[Scenario]:
    """All scenarios of the alert at once, each in a store of its own: none changes what another one's alert does.

    The stores have the same job and instance, and differ in one of metrics.labels. An alert that fires without data is
    about the store of this configuration alone.
    """
    names = tuple(config.metrics.labels)
    if alert.carries is None or not names or not alert.carries.always.issuperset(names):
        return
    shown = [each for each in scenarios if _is_shown_in_store(each, names)]
    own = next((each for each in shown if each.fires), None)
    others = [each for each in shown if each is not own]
    if own is None or not others:
        return
    signals, besides = list(own.signals), []
    for number, scenario in enumerate(others, 1):
        label, suffix = names[number % len(names)], f" of store {number}"
        signals += (with_series(each, _with_label(each.series, label, suffix, after=True)) for each in scenario.signals)
        if scenario.fires and not alert.fires_without_data:
            labels = scenario.fires.labels
            besides.append(replace(scenario.fires, labels={**labels, label: labels[label] + suffix}))
    yield Scenario(_STORES, tuple(signals), own.fires, besides=tuple(besides))


def _is_shown_in_store(scenario: Scenario, names: Sequence[str]) -> bool:
    """Whether one moment shows the scenario, and all of its series have these labels of a store."""
    is_moment = scenario.span in (Span.MOMENT, Span.HELD) and not scenario.besides
    labels = [{match[1] for match in _LABEL.finditer(signal.series)} for signal in scenario.signals]
    return is_moment and _is_shown_at_once(scenario) and all(each.issuperset(names) for each in labels)


def _chosen_by(scenario: Scenario, ours: OurSeries) -> tuple[str, ...]:
    """The labels by which the scenario's series are chosen."""
    if any(_is_recorded(signal) for signal in scenario.signals):
        return ()
    has_jobs = all(ours.jobs_of(_metric(signal)) for signal in scenario.signals)
    return (*(("job",) if has_jobs else ()), *ours.config.prometheus.target_labels)


def _is_shown_at_once(scenario: Scenario) -> bool:
    """Whether the scenario's first moment shows it, as none in which counters grow from sample to sample."""
    simple = all(isinstance(signal, Gauge | Clock | Burst) for signal in scenario.signals)
    return bool(scenario.signals) and simple and scenario.span in (Span.MOMENT, Span.HELD, Span.WINDOW)


def _counted_by_others(signals: Sequence[Signal], ours: OurSeries) -> Iterator[Signal]:
    """Counters of targets of others beside each of ours, which grow by something else."""
    for place, signal in enumerate(signals, 2):
        if isinstance(signal, Burst) and not _is_recorded(signal):
            grown = replace(signal, count=place * (signal.count + 1))
            if ours.jobs_of(_metric(signal)):
                yield _with(grown, "job", FOREIGN)
            yield from (_with(grown, label, FOREIGN) for label in ours.config.prometheus.target_labels)


def _metric(signal: Signal) -> str:
    return signal.series.partition("{")[0]


def _is_recorded(signal: Signal) -> bool:
    """Whether a recording rule writes the series; none that is scraped is named so."""
    return ":" in _metric(signal)


def _labels(signal: Signal) -> set[str]:
    return {match[0] for match in _LABEL.finditer(signal.series)}


def _job(signal: Signal) -> str:
    return _job_of(signal.series)


@cache
def _job_of(series: str) -> str:
    """The job of a series; every signal is asked for it several times."""
    return next((match[2] for match in _LABEL.finditer(series) if match[1] == "job"), "")


def _with(signal: Signal, label: str, value: str) -> Signal:
    """The same of a series that has another value of a label."""

    return with_series(signal, _with_label(signal.series, label, value))


@cache
def _with_label(series: str, label: str, value: str, *, after: bool = False) -> str:
    """The series with this value of the label, or with the value after the one that it has."""

    def other(match: re.Match[str]) -> str:
        if match[1] != label:
            return match[0]
        return f'{label}="{match[2]}{value}"' if after else f"{label}={quoted(value)}"

    return _LABEL.sub(other, series)
