"""Whether what the store exports is in Prometheus, under the job that brings it, and once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from facemon.doctor.area import Area
from facemon.doctor.examination import Examination
from facemon.doctor.finding import Examined, Finding
from facemon.doctor.missing_metrics import Arrival, asked_arrival, missing_finding
from facemon.doctor.prometheus import NO_ANSWER
from facemon.doctor.prometheus_facts import value_of
from facemon.domain.counted import counted

_MOST_NAMED = 3
_TOTAL = "images_processed_total"
"""A counter that each store with rows has."""
_RELOAD = "facemon render-config --reload"


@dataclass(frozen=True, slots=True)
class ArrivingFacts:
    """Names of metrics."""

    arrival: Arrival
    is_up: bool
    """Whether a target of the job is up; without one nothing can arrive, which is another area's finding."""
    exported: Sequence[str]
    arrived: frozenset[str]
    elsewhere: frozenset[str]
    """Those that Prometheus has under other jobs."""
    is_store_read: bool = True
    twice: Sequence[str] = ()
    """The targets that bring the same series; empty where each series has one."""


def gather(examination: Examination) -> ArrivingFacts | None:
    """Compare what an export would hold now with what Prometheus has; None where that does not answer."""
    from facemon.metrics.store_collector import build_registry

    config, prometheus = examination.fitted, examination.prometheus
    if prometheus is None:
        return None
    arrival = _arrival(examination)
    if examination.store_trouble is not None:
        return ArrivingFacts(arrival, False, (), frozenset(), frozenset(), is_store_read=False)
    registry = build_registry(
        examination.open_ledger, config.model, must_read=True, min_labels=config.evaluate.min_labels
    )
    samples = {sample.name for family in registry.collect() for sample in family.samples}
    names = sorted(name for name in samples if not name.endswith("_created"))
    found = value_of(prometheus.url, f'count by (__name__, job) ({{__name__=~"{"|".join(names)}"}})')
    # What is pushed keeps the job that it was pushed with (export-metrics --job).
    is_pushed = arrival.transport == "pushgateway"
    arrived = frozenset(each.labels["__name__"] for each in found if is_pushed or each.labels.get("job") == arrival.job)
    others = frozenset(each.labels["__name__"] for each in found) - arrived
    is_up = any(each.job == arrival.job and each.health == "up" for each in prometheus.targets)
    if is_up and not arrived.issuperset(names):
        arrival = asked_arrival(arrival, lambda query: value_of(prometheus.url, query))
    twice = _brought_twice(examination, prometheus.url, is_pushed=is_pushed)
    return ArrivingFacts(arrival, is_up, names, arrived, others, twice=twice)


def _arrival(examination: Examination) -> Arrival:
    from facemon.config.prometheus import TRANSPORT_JOBS
    from facemon.render.purpose import runs_containers

    config = examination.fitted
    settings, export, textfile = config.prometheus, config.schedule.export, examination.servers.textfile
    job = TRANSPORT_JOBS[settings.store_metrics_from]
    if textfile is None and export is not None and export.textfile is not None:
        textfile = Path(export.textfile)
    gateway = settings.targets.get("pushgateway", ("",))[0]
    return Arrival(
        settings.job_name(job), settings.store_metrics_from, gateway, textfile, runs_containers(config)
    )  # fmt: skip


def _brought_twice(examination: Examination, url: str, *, is_pushed: bool) -> tuple[str, ...]:
    """The targets whose counters differ in the target alone: rules and panels add them up."""
    from facemon.render.expression import equals, one_of

    settings = examination.fitted.prometheus
    matchers = [equals(name, value) for name, value in settings.target_labels.items()]
    if not is_pushed:
        matchers.append(one_of("job", [settings.job_name(job) for job in settings.jobs]))
    series = f"{_TOTAL}{{{', '.join(matcher.text for matcher in matchers)}}}"
    if not value_of(url, f"count without (job, instance) ({series}) > 1"):
        return ()
    found = value_of(url, f"count by (job, instance) ({series})")
    return tuple(sorted(" ".join(filter(None, map(each.labels.get, ("job", "instance")))) for each in found))


def judge(facts: ArrivingFacts | None) -> Examined:
    """Name what has not arrived, and what arrives twice."""
    if facts is None:
        return Examined(not_looked_at=(f"metrics in Prometheus: {NO_ANSWER}",))
    if not facts.is_store_read:
        return Examined(not_looked_at=("whether the store's metrics are in Prometheus: the store cannot be read",))
    job = facts.arrival.job
    if not facts.is_up:
        return Examined(not_looked_at=(f"whether metrics arrive: no target of the job {job} is up",))
    looked_at = f"{len(facts.arrived)} of {counted(len(facts.exported), 'name')} by the job {job}"
    return Examined(looked_at, tuple(_findings(facts)))


def _findings(facts: ArrivingFacts) -> Iterator[Finding]:
    if missing := [name for name in facts.exported if name not in facts.arrived]:
        named = ", ".join(missing[:_MOST_NAMED]) + (f" and {len(missing) - _MOST_NAMED} more" if missing[3:] else "")
        elsewhere = " (other jobs have them)" if facts.elsewhere.issuperset(missing) else ""
        yield missing_finding(missing, f"{named}{elsewhere}", facts.arrival)
    if facts.twice:
        seen = f"{_TOTAL} has the same series from {' and '.join(facts.twice)}"
        yield Finding("the store's metrics arrive twice, and sums count them twice", seen, _RELOAD)


AREA = Area("metrics in Prometheus", gather, judge)
