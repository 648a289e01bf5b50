"""The series of a week of a monitored classifier that ends in an incident, as a configured Prometheus scrapes them.

facemon's own metrics have the names and labels of the catalogue, those of other programs the names that the real
programs give; cAdvisor, which cannot be had, those of its documentation (docs/storage/prometheus.md of that project).
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families as read_text

from facemon.config.document import Config
from facemon.config.prometheus import TRANSPORT_JOBS, Job
from facemon.domain.metric_catalogue import CATALOGUE, MetricType
from facemon.domain.request_outcome import EXPECTED_CODES, CacheResult, status_of
from facemon.render.foreign_metrics import FOREIGN
from facemon.render.prometheus_config import own_targets
from tests.render.real_expositions import Expositions

HOUR, DAY, WEEK = 3600, 86_400, 604_800
ODD_COLUMN = 'größe "in" {cm} \\ (a|b)*.$x'
"""A column of somebody's table, compared by the data check."""
ODD_SOURCE = "gate \"7\" {ü} \\ (a|b)*.$x 'y'"
"""A camera with a name that a user typed."""
OTHER_MODEL = "shadow@2"
"""A model of the same store, which predicts beside the configured one."""
Labels = Mapping[str, str]
Course = Callable[[float], float]
"""A value at so many seconds after the week's beginning."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """One series and its course."""

    name: str
    labels: Labels
    course: Course
    is_moment: bool = False
    """The value is a moment of the week, which is written in seconds since 1970."""


def growing(rate: float, incident: float | None = None) -> Course:
    """A counter that grows by day more than by night, and by another rate in the week's last hour."""

    def value(second: float) -> float:
        day = DAY / (2 * math.pi)
        calm = min(second, WEEK - HOUR)
        grown = rate * (calm + 0.5 * day * (1 - math.cos(calm / day)))
        return grown + (rate if incident is None else incident) * max(0.0, second - calm)

    return value


def waving(level: float, share: float = 0.1) -> Course:
    """A gauge around a level."""
    return lambda second: level * (1 + share * math.sin(second / 5000))


def turning(before: float, after: float) -> Course:
    """A gauge that changes with the incident."""
    return lambda second: before if second < WEEK - HOUR else after


def series_of_the_week(config: Config, said: Expositions, pushed: Sequence[Labels] = ()) -> Iterator[Simulated]:
    """All series that the configured Prometheus would scrape, each under the job that brings it.

    `pushed` are the grouping keys of the stores that push, where the configuration does not name them.
    """
    for job in config.prometheus.jobs:
        targets = config.prometheus.targets.get(job, own_targets(job, config))
        for target in targets:
            labels = _labels_of_target(config, job, target)
            yield Simulated("up", labels, waving(1, 0))
            yield from _of_job(config, job, labels, said)
    yield Simulated("up", _labels_of_target(config, config.prometheus.jobs[0], "gone:1"), turning(1, 0))
    if config.prometheus.store_metrics_from == "pushgateway":
        for store in pushed or _stores(config):
            yield from _of_the_store(config, {"job": "facemon", **store, **config.prometheus.target_labels})


def _labels_of_target(config: Config, job: Job, target: str) -> Labels:
    """What Prometheus gives every series that it scrapes from a target."""
    settings = config.prometheus
    return {"job": settings.job_name(job), "instance": target, **settings.target_labels}


def _stores(config: Config) -> Iterator[Labels]:
    """The labels of each store whose metrics come by one target: where they have a site, there are two of them."""
    yield config.metrics.labels
    if config.metrics.labels:
        yield {name: f"not {value}" for name, value in config.metrics.labels.items()}


def _of_job(config: Config, job: Job, target: Labels, said: Expositions) -> Iterator[Simulated]:
    if job in said:
        yield from _as_said(said[job], target)
    match job:
        case "cadvisor":
            yield from _containers(target)
        case "api":
            yield from _requests(config, {**target, **config.metrics.labels})
        case "exporter":
            # A collector may know of a service where no probe is configured.
            known = [probe.name for probe in config.exporter.probes] or ["queue"][: len(config.exporter.collectors)]
            for service in known:
                labels = {"service": service, **target, **config.metrics.labels}
                yield Simulated("external_service_status", labels, waving(1, 0))
    transport = config.prometheus.store_metrics_from
    if transport != "pushgateway" and TRANSPORT_JOBS[transport] == job:
        for store in _stores(config):
            yield from _of_the_store(config, {**target, **store})
    elif job in ("api", "exporter"):
        labels = {"source": "store", **target, **config.metrics.labels}
        yield Simulated("facemon_source_up", labels, waving(1, 0))


def _as_said(text: str, target: Labels) -> Iterator[Simulated]:
    """The metrics that rules and dashboards ask for, of those that a real program has."""
    wanted = set(FOREIGN) - {"up", "ALERTS"}
    for family in read_text(text):
        for sample in family.samples:
            if sample.name in wanted:
                labels = {**sample.labels, **target}
                if FOREIGN[sample.name].type is MetricType.GAUGE:
                    yield Simulated(sample.name, labels, waving(sample.value, 0.01))
                else:
                    yield Simulated(sample.name, labels, _grown_from(sample.value, sample.name, sample.labels))


def _grown_from(value: float, name: str, labels: Labels) -> Course:
    if name == "node_cpu_seconds_total":
        grown = growing(0.5 if labels["mode"] == "idle" else 0.05)
    elif "failed" in name or "failures" in name:
        grown = growing(0)
    else:
        grown = growing(0.03 if "seconds" in name else 50_000)
    return lambda second: value + grown(second)


def _containers(target: Labels) -> Iterator[Simulated]:
    for number, name in enumerate(("mlops-prometheus", "mlops-grafana", ""), 1):
        labels = {"id": f"/docker/{number}", "name": name, **target}
        counters: Sequence[tuple[str, Labels, float]] = (
            ("container_cpu_usage_seconds_total", {"cpu": "total"}, 0.1 * number),
            ("container_network_receive_bytes_total", {"interface": "eth0"}, 900),
            ("container_network_transmit_bytes_total", {"interface": "eth0"}, 400),
            ("container_fs_reads_bytes_total", {"device": "/dev/sda"}, 300),
            ("container_fs_writes_bytes_total", {"device": "/dev/sda"}, 700),
        )
        for metric, more, rate in counters:
            yield Simulated(metric, {**labels, **more}, growing(rate))
        yield Simulated("container_memory_working_set_bytes", labels, waving(2e8 * number))
        yield Simulated("container_start_time_seconds", labels, _daily, is_moment=True)


def _requests(config: Config, target: Labels) -> Iterator[Simulated]:
    """In the incident every request fails, and takes longer than the last bucket."""
    for code in EXPECTED_CODES:
        labels = {"endpoint": "/predict", "method": "POST", "status": status_of(code), "code": str(code)}
        rate = 2.0 if code == 200 else 0.02
        incident = 3.0 if code == 500 else 0.0
        yield Simulated("api_requests_total", {**labels, **target}, growing(rate, incident))
    yield from _histogram(
        "api_request_latency_seconds", {"endpoint": "/predict", "method": "POST", **target}, 2.0, 0.06, (0.0, 3.0)
    )
    for result, rate in zip(CacheResult, (1.0, 0.1, 3.0), strict=True):
        yield Simulated("cache_lookups_total", {"result": result, **target}, growing(rate))
    yield Simulated("api_other_source_images_total", target, growing(0.1))
    yield Simulated("model_loaded", {"model": config.model.id, **target}, turning(1, 0))
    yield Simulated("cache_size", target, waving(600))
    yield Simulated("api_images_in_flight", target, waving(8, 0.9))
    yield Simulated("api_images_in_flight_limit", target, waving(config.api.max_in_flight, 0))
    yield Simulated("facemon_source_up", {"source": "log", **target}, turning(1, 0))


def _histogram(
    name: str, labels: Labels, rate: float, middle: float, incident: tuple[float, float] | None = None
) -> Iterator[Simulated]:
    """Observations around `middle`; in the incident those within the buckets, and all, have rates of their own."""
    within, every = incident or (None, None)
    for edge in CATALOGUE[name].buckets:
        share = 1 / (1 + (middle / edge) ** 6)
        inside = None if within is None else within * share
        yield Simulated(f"{name}_bucket", {"le": repr(float(edge)), **labels}, growing(rate * share, inside))
    for part, more, factor in (("_bucket", {"le": "+Inf"}, 1.0), ("_count", {}, 1.0), ("_sum", {}, middle)):
        most = None if every is None else every * factor
        yield Simulated(name + part, {**more, **labels}, growing(rate * factor, most))


def _of_the_store(config: Config, target: Labels) -> Iterator[Simulated]:
    for model in (config.model.id, OTHER_MODEL):
        yield from _of_model(config, {**target, "model": model})
    for status, rate in (("ok", 2.0), ("no_face", 0.1), ("failed", 0.01)):
        yield Simulated("images_processed_total", {"status": status, **target}, growing(rate))
    for command in ("predict", "drift-check", "evaluate", "reference"):
        ended = {"command": command, **target}
        yield Simulated("facemon_last_success_timestamp_seconds", ended, _daily, is_moment=True)
        yield Simulated("facemon_last_run_duration_seconds", ended, waving(30))
    yield Simulated("facemon_source_up", {"source": "store", **target}, turning(1, 0))
    yield Simulated("facemon_build_info", {"version": "1", **target}, waving(1, 0))


def _of_model(config: Config, target: Labels) -> Iterator[Simulated]:
    for attribute in config.model.attributes:
        for number, label in enumerate(attribute.classes, 1):
            labels = {"attribute": attribute.name, "value": label, **target}
            yield Simulated("model_predictions_total", labels, growing(1 / number))
        if attribute.classes:
            yield from _histogram("model_confidence_score", {"attribute": attribute.name, **target}, 2.0, 0.8)
        yield Simulated("model_accuracy", {"attribute": attribute.name, **target}, turning(0.93, 0.01))
    yield from _histogram("model_inference_latency_seconds", target, 2.0, 0.03)
    yield from _drift(config, target)


def _drift(config: Config, target: Labels) -> Iterator[Simulated]:
    """In the incident every column drifts, and one is undecided."""
    of_model = [attribute.name for attribute in config.model.attributes]
    of_data = ["image_brightness", ODD_COLUMN, *(name for name in config.drift.columns if name not in of_model)]
    for check, columns in (("model", of_model), ("data", of_data)):
        threshold = getattr(config.drift, check).threshold
        yield Simulated("drift_threshold", {"check": check, **target}, waving(threshold, 0))
        for what in ("decided", "check"):
            labels = {"check": check, **target}
            yield Simulated(f"drift_{what}_timestamp_seconds", labels, _daily, is_moment=True)
        yield from _sources(check, target)
        for column in columns:
            labels = {"attribute": column, "check": check, **target}
            yield Simulated("drift_score", labels, turning(0.01, 1))
            yield Simulated("drift_p_value", labels, turning(0.7, 1e-12))
            yield Simulated("drift_samples", labels, waving(5000))
            yield Simulated("drift_detected", labels, turning(0, 1))
            yield Simulated("drift_undecided", labels, turning(0, float(column == columns[0])))
            if check == "model":
                yield Simulated("confidence_drift_score", labels, turning(0.02, 0.3))


def _sources(check: str, target: Labels) -> Iterator[Simulated]:
    """In the incident the one camera drifts, the next is silent, and of the rows without a source there are too few."""
    rows = {"camera-6": turning(5000, 4000), ODD_SOURCE: turning(5000, 0), "(no source)": turning(90, 20)}
    for source, course in rows.items():
        yield Simulated("drift_source_rows", {"check": check, "source": source, **target}, course)
    drifts = {"check": check, "source": "camera-6", **target}
    yield Simulated("drift_source_detected", drifts, turning(0, 1))


def _daily(second: float) -> float:
    """The midnight before."""
    return second // DAY * DAY
