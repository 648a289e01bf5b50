"""Alerts and recordings narrowed to facemon's own series, and tests in which those of others are bad beside them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import get_args

from facemon.config.document import Config
from facemon.config.prometheus import Job
from facemon.render.alert import Alert
from facemon.render.expression import quoted
from facemon.render.our_series import OurSeries
from facemon.render.recording import Recording
from facemon.render.scenario import Burst, Growth, Scenario, Signal, Span, of_store

FOREIGN = "of-others"
"""The job, or a label, of another team's targets, whose programs export metrics of the same names."""
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_JOBS = get_args(Job)


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
        scenarios=(*scenarios, *_of_others(alert, scenarios, ours)),
    )


def narrowed_recording(recording: Recording, config: Config) -> Recording:
    """The recording of facemon's own series; in each stage that tests it, others count something else."""
    ours = OurSeries(config)
    stages = []
    for stage in recording.stages:
        signals = tuple(_of_our_target(signal, ours) for signal in stage.signals)
        stages.append(replace(stage, signals=(*signals, *_counted_by_others(signals, ours))))
    return replace(recording, expr=recording.expr.within(ours), stages=tuple(stages))


def _of_our_targets(scenario: Scenario, ours: OurSeries) -> Scenario:
    """The scenario with the jobs and labels that targets of this configuration have."""
    signals = tuple(_of_our_target(signal, ours) for signal in scenario.signals)
    if scenario.fires is None:
        return replace(scenario, signals=signals)
    labels = dict(scenario.fires.labels)
    every = {f"{name}={quoted(value)}" for name, value in labels.items()}
    # An alert with every label of a series carries those of its target, too; one that is aggregated does not.
    more = ours.config.prometheus.target_labels if every in [_labels(signal) for signal in scenario.signals] else {}
    renamed = {_job(old): _job(new) for old, new in zip(scenario.signals, signals, strict=True)}
    if job := renamed.get(labels.get("job")):
        labels["job"] = job
    return replace(scenario, signals=signals, fires=replace(scenario.fires, labels={**labels, **more}))


def _of_our_target(signal: Signal, ours: OurSeries) -> Signal:
    metric = _metric(signal)
    if _is_recorded(metric):
        return signal
    job, jobs = _job(signal), ours.jobs_of(metric)
    if jobs and job in _JOBS:
        signal = _with(signal, "job", ours.config.prometheus.job_name(job if job in jobs else jobs[0]))
    return of_store([signal], ours.config.prometheus.target_labels)[0]


def _of_others(alert: Alert, scenarios: Sequence[Scenario], ours: OurSeries) -> Iterator[Scenario]:
    """What makes the alert fire, in targets that differ from ours in the job, or in one of the targets' labels.

    Where the alert fires without data: what keeps it from firing.
    """
    first = next((each for each in scenarios if each.fires), None)
    told = first.fires if alert.fires_without_data and first else None
    shown = [each for each in scenarios if bool(each.fires) is not alert.fires_without_data and _is_shown_at_once(each)]
    for label, value in _of_no_target_of_ours(shown[0], ours) if shown else ():
        signals = tuple(_with(signal, label, value) for signal in shown[0].signals)
        yield Scenario(f"the same with {label} {value}", signals, told)


def _of_no_target_of_ours(scenario: Scenario, ours: OurSeries) -> Iterator[tuple[str, str]]:
    """Each label by which the scenario's series are chosen, with a value that is of no target of ours."""
    metrics = {_metric(signal) for signal in scenario.signals}
    if any(_is_recorded(metric) for metric in metrics):
        return
    if all(ours.jobs_of(metric) for metric in metrics):
        yield "job", FOREIGN
    yield from ((label, FOREIGN) for label in ours.config.prometheus.target_labels)


def _is_shown_at_once(scenario: Scenario) -> bool:
    """Whether the scenario's first moment shows it: a counter that grows needs two samples."""
    grows = any(isinstance(signal, Growth) for signal in scenario.signals)
    return bool(scenario.signals) and not grows and scenario.span is not Span.NEXT_WINDOW


def _counted_by_others(signals: Sequence[Signal], ours: OurSeries) -> Iterator[Signal]:
    """Counters of a job of others beside each of ours, which grow by something else."""
    for place, signal in enumerate(signals, 2):
        if isinstance(signal, Burst) and not _is_recorded(_metric(signal)):
            grown = replace(signal, count=place * (signal.count + 1))
            if ours.jobs_of(_metric(signal)):
                yield _with(grown, "job", FOREIGN)
            yield from (_with(grown, label, FOREIGN) for label in ours.config.prometheus.target_labels)


def _metric(signal: Signal) -> str:
    return signal.series.partition("{")[0]


def _is_recorded(metric: str) -> bool:
    """Whether a recording rule writes it; those of scraped series are never named so."""
    return ":" in metric


def _labels(signal: Signal) -> set[str]:
    return {match[0] for match in _LABEL.finditer(signal.series)}


def _job(signal: Signal) -> str | None:
    return next((match[2] for match in _LABEL.finditer(signal.series) if match[1] == "job"), None)


def _with(signal: Signal, label: str, value: str) -> Signal:
    """The same of a series that has another value of a label."""

    def other(match: re.Match[str]) -> str:
        return f"{label}={quoted(value)}" if match[1] == label else match[0]

    return replace(signal, series=_LABEL.sub(other, signal.series))
