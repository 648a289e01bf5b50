"""Whether what the store exports is in Prometheus, under the job that brings it."""

from collections.abc import Sequence
from dataclasses import dataclass

from facemon.doctor.area import Area
from facemon.doctor.examination import Examination
from facemon.doctor.finding import Examined, Finding
from facemon.doctor.prometheus import NO_ANSWER
from facemon.doctor.prometheus_facts import value_of
from facemon.domain.counted import counted

_MOST_NAMED = 3
_EXPORT = "facemon export-metrics"
_COMMANDS = {"exporter": "facemon serve-metrics", "api": "facemon serve"}


@dataclass(frozen=True, slots=True)
class ArrivingFacts:
    """Names of metrics."""

    job: str
    transport: str
    is_up: bool
    """Whether a target of the job is up; without one nothing can arrive, which is another area's finding."""
    exported: Sequence[str]
    arrived: frozenset[str]
    elsewhere: frozenset[str]
    """Those that Prometheus has under other jobs."""
    is_store_read: bool = True


def gather(examination: Examination) -> ArrivingFacts | None:
    """Compare what an export would hold now with what Prometheus has; None where that does not answer."""
    from facemon.config.prometheus import TRANSPORT_JOBS
    from facemon.metrics.store_collector import build_registry

    config, prometheus = examination.fitted, examination.prometheus
    if prometheus is None:
        return None
    transport = config.prometheus.store_metrics_from
    job = config.prometheus.job_name(TRANSPORT_JOBS[transport])
    if examination.store_trouble is not None:
        return ArrivingFacts(job, transport, False, (), frozenset(), frozenset(), is_store_read=False)
    registry = build_registry(
        examination.open_ledger, config.model, must_read=True, min_labels=config.evaluate.min_labels
    )
    samples = {sample.name for family in registry.collect() for sample in family.samples}
    names = sorted(name for name in samples if not name.endswith("_created"))
    found = value_of(prometheus.url, f'count by (__name__, job) ({{__name__=~"{"|".join(names)}"}})')
    arrived = frozenset(each.labels["__name__"] for each in found if each.labels.get("job") == job)
    others = frozenset(each.labels["__name__"] for each in found) - arrived
    is_up = any(each.job == job and each.health == "up" for each in prometheus.targets)
    return ArrivingFacts(job, transport, is_up, names, arrived, others)


def judge(facts: ArrivingFacts | None) -> Examined:
    """Name what has not arrived."""
    if facts is None:
        return Examined(not_looked_at=(f"metrics in Prometheus: {NO_ANSWER}",))
    if not facts.is_store_read:
        return Examined(not_looked_at=("whether the store's metrics are in Prometheus: the store cannot be read",))
    if not facts.is_up:
        return Examined(not_looked_at=(f"whether metrics arrive: no target of the job {facts.job} is up",))
    looked_at = f"{len(facts.arrived)} of {counted(len(facts.exported), 'name')} by the job {facts.job}"
    missing = [name for name in facts.exported if name not in facts.arrived]
    if not missing:
        return Examined(looked_at)
    named = ", ".join(missing[:_MOST_NAMED]) + (f" and {len(missing) - _MOST_NAMED} more" if missing[3:] else "")
    elsewhere = " (other jobs have them)" if facts.elsewhere.issuperset(missing) else ""
    what = f"{counted(len(missing), 'metric')} of the store not in Prometheus under the job {facts.job}"
    command = _COMMANDS.get(facts.transport, f"{_EXPORT} --{facts.transport}")
    return Examined(looked_at, (Finding(what, f"{named}{elsewhere}", command),))


AREA = Area("metrics in Prometheus", gather, judge)
