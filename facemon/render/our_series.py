"""Which series are of facemon's scrape jobs: those of others in the same Prometheus are neither judged nor counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from facemon.config.document import Config
from facemon.config.prometheus import TRANSPORT_JOBS, Job
from facemon.domain.metric_catalogue import CATALOGUE, MetricSource
from facemon.render.expression import Series

FOREIGN = "of-others"
"""In tests the job, or another label, of another team's targets, whose programs export metrics of the same names."""
_OF_OTHER_PROGRAMS: Mapping[str, Job] = {
    "node_": "node", "container_": "cadvisor", "prometheus_": "prometheus", "alertmanager_": "alertmanager",
    "pushgateway_": "pushgateway",
}  # fmt: skip
_OF_EVERY_TARGET = ("up", "process_", "scrape_")
_NOT_SCRAPED = "ALERTS"
_PUSHED = "push_"
_PARTS = ("", "_bucket", "_count", "_sum")


@dataclass(frozen=True, slots=True)
class OurSeries:
    """The series of a configuration's own targets, as a scope of expressions."""

    config: Config

    def __call__(self, metrics: Sequence[Series]) -> Mapping[str, Sequence[str]]:
        """What narrows a selector of these metrics: the names of the jobs that bring them, and the targets' labels."""
        if any(metric.name.startswith(_NOT_SCRAPED) for metric in metrics):
            return {}
        settings = self.config.prometheus
        jobs = [self.jobs_of(metric.name) for metric in metrics]
        names = dict.fromkeys(settings.job_name(job) for some in jobs for job in some)
        job: Mapping[str, Sequence[str]] = {"job": tuple(names)} if all(jobs) else {}
        return {**job, **{name: (value,) for name, value in settings.target_labels.items()}}

    def jobs_of(self, metric: str) -> tuple[Job, ...]:
        """The jobs that bring a metric; none where that is not known, as of what was pushed.

        Raises ValueError for a metric that no job is known for.
        """
        known = next((CATALOGUE[name] for part in _PARTS if (name := metric.removesuffix(part)) in CATALOGUE), None)
        if known is not None:
            return self._jobs_from(known.source)
        if metric.startswith(_OF_EVERY_TARGET):
            return self.config.prometheus.jobs
        if metric.startswith(_PUSHED):
            return ()
        if job := next((job for prefix, job in _OF_OTHER_PROGRAMS.items() if metric.startswith(prefix)), None):
            return (job,)
        raise ValueError(f"{metric}: it is not known which scrape job brings it")

    def _jobs_from(self, source: MetricSource) -> tuple[Job, ...]:
        if source is MetricSource.SERVE:
            return ("api",)
        store_job = TRANSPORT_JOBS[self.config.prometheus.store_metrics_from]
        if store_job == "pushgateway":
            # A group on the gateway keeps the job that it was pushed with.
            return ()
        if source is MetricSource.STORE:
            return (store_job,)
        return tuple(job for job in dict.fromkeys((store_job, "exporter", "api")) if job in self.config.prometheus.jobs)
