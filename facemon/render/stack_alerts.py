"""The alerts on the monitoring itself: an alarm that cannot ring is worse than none."""

from dataclasses import dataclass

from facemon.config.alerts import DEFAULT_ALERTS
from facemon.config.document import Config
from facemon.config.prometheus import Job
from facemon.domain.metric_catalogue import CATALOGUE
from facemon.render import promql
from facemon.render.alert import Alert, Dashboard, Runbook, logs_of
from facemon.render.annotation import label
from facemon.render.arrival_alerts import arrival_alerts
from facemon.render.carried_labels import every_label, only_labels
from facemon.render.drift_series import LAST_SUCCESS
from facemon.render.failure_alerts import notifications_failing, rules_failing
from facemon.render.foreign_metrics import (
    ALERTMANAGER_RELOADED,
    NODE_TEXTFILE_ERROR,
    PROMETHEUS_RELOADED,
    UP,
)
from facemon.render.metrics_absent import SOURCE_UP, metrics_absent
from facemon.render.scenario import Firing, Gauge, Scenario, Span, series_text
from facemon.render.server_alerts import disk_filling, remote_write_behind

SERVICE_STATUS = promql.series("external_service_status")


@dataclass(frozen=True, slots=True)
class _Switch:
    """A gauge that must be at one level; the alert is that it is at the other."""

    name: str
    metric: promql.Series
    bad: int
    labels: dict[str, str]
    limit: str
    summary: str
    description: str
    runbook: Runbook

    def alert(self, config: Config) -> Alert:
        signal, usual = promql.select(self.metric), DEFAULT_ALERTS[self.name]
        good = 1 - self.bad
        labels = {**self.labels, **(config.metrics.labels if self.metric.name in CATALOGUE else {})}
        gauge = Gauge(series_text(self.metric.name, labels), good, self.bad)
        other = Gauge(series_text(self.metric.name, {**labels, "instance": "other:1"}), good, good)
        return Alert(
            name=self.name,
            group="stack",
            signal=signal,
            expr=promql.compare(signal, "==", self.bad),
            limit=self.limit,
            for_=usual.for_,
            severity=usual.severity,
            summary=self.summary,
            description=self.description,
            dashboard=Dashboard.SYSTEM_METRICS,
            runbook=self.runbook,
            carries=every_label(self.metric, config),
            label_values={"source": ("store", *config.exporter.collectors)} if self.metric is SOURCE_UP else {},
            scenarios=(
                Scenario("turns bad and good again; another instance is unaffected", (gauge, other),
                         Firing(labels, self.bad), Span.HELD),
                Scenario("good", (other,)),
            ),
        )  # fmt: skip


_TARGET_DOWN = _Switch(
    "TargetDown", UP, 0, {"job": "exporter", "instance": "exporter:1"},
    "a target that Prometheus cannot scrape",
    f"{label('job')} is down",
    f"Prometheus cannot scrape {label('instance')} of the job {label('job')}: no other alert on this target can fire.",
    Runbook(
        "Prometheus has no new metrics of this target since then.",
        ("the process has ended", "it listens elsewhere than `prometheus.targets` says", "a firewall"),
        ("Open Prometheus' page of targets and read the error.", "Ask for the target's `/metrics` from there."),
        {
            "The targets that are down, by job:":
                promql.aggregate("count", promql.compare(promql.select(UP), "==", 0), by=("job",)),
            "The targets that each job has:": promql.aggregate("count", promql.select(UP), by=("job",)),
        },
    ),
)  # fmt: skip
_SOURCE_UNREADABLE = _Switch(
    "SourceUnreadable", SOURCE_UP, 0, {"source": "store", "job": "exporter", "instance": "exporter:1"},
    "a source of metrics that facemon cannot read",
    f"facemon cannot read {label('source')}",
    f"{label('instance')} answers, but its source {label('source')} cannot be read.",
    Runbook(
        "The exporter runs, but cannot read a source of metrics that it exports.",
        ("the store is missing, damaged, of another version", "its folder cannot be written, which its journal needs",
         "a collector in `exporter.collectors` raises, hangs, or yields what would break the scrape"),
        ("Run `facemon store verify` as the exporter's user.", "Read what the exporter said on stderr."),
        {"When each command last ended well, in seconds since 1970:": promql.select(LAST_SUCCESS)},
    ),
)  # fmt: skip
_SERVICE_DOWN = _Switch(
    "ServiceDown", SERVICE_STATUS, 0, {"service": "labels", "job": "exporter", "instance": "exporter:1"},
    "an external service that does not answer its probe",
    f"{label('service')} does not answer",
    f"The probe of {label('service')} fails: one of `exporter.probes`, or of a collector.",
    Runbook(
        "A service that the pipeline needs is unavailable.",
        ("the service is down", "its address has changed"),
        ("Open the probe's address, in `exporter.probes` or in the collector's code, from the exporter's machine.",),
    ),
)  # fmt: skip
_TEXTFILE_ERROR = _Switch(
    "TextfileScrapeError", NODE_TEXTFILE_ERROR, 1, {"job": "node", "instance": "node-exporter:1"},
    "a textfile that node-exporter cannot read",
    "A textfile cannot be read",
    f"node-exporter at {label('instance')} cannot parse or open a textfile: its metrics are missing or old.",
    Runbook(
        "The metrics of a batch job do not arrive.",
        ("a half-written file: write beside it and rename", "timestamps or doubled series in the file"),
        ("Run `promtool check metrics` on each `.prom` file.",),
    ),
)  # fmt: skip
_RELOAD_FAILED = _Switch(
    "ReloadFailed", PROMETHEUS_RELOADED, 0, {"job": "prometheus", "instance": "localhost:9090"},
    "a configuration that Prometheus has refused",
    "Prometheus runs on an old configuration",
    f"Prometheus at {label('instance')} could not load its configuration and keeps using the previous one.",
    Runbook(
        "Changes of rules and targets have no effect.",
        ("a file was edited by hand", "a secret's file is missing"),
        ("Run `facemon render-config --check --verify`.", "Read Prometheus' log."),
    ),
)  # fmt: skip


_ALERTMANAGER_RELOAD_FAILED = _Switch(
    "AlertmanagerReloadFailed", ALERTMANAGER_RELOADED, 0, {"job": "alertmanager", "instance": "alertmanager:9093"},
    "a configuration that Alertmanager has refused",
    "Alertmanager runs on an old configuration",
    f"Alertmanager at {label('instance')} could not load its configuration and keeps using the previous one. "
    "Run `facemon render-config --check --verify`.",
    Runbook(
        "Changes of receivers and routes have no effect.",
        ("a file was edited by hand", "a secret's file is missing or unreadable",
         "`alertmanager.target_version` is newer than the Alertmanager that runs"),
        ("Run `facemon render-config --check --verify`.",
         f"Run `{logs_of('alertmanager')}`, or read its log where it runs: it names the line."),
    ),
)  # fmt: skip


def stack_alerts(config: Config) -> tuple[Alert, ...]:
    """The alerts on the monitoring itself, those without anything to watch left out."""
    jobs = config.prometheus.jobs
    down, unreadable = _TARGET_DOWN.alert(config), _SOURCE_UNREADABLE.alert(config)
    wanted: tuple[tuple[Job | None, Alert], ...] = (
        *((None, alert) for alert in arrival_alerts(config)),
        (None, down),
        (None, metrics_absent(config, down, unreadable)),
        (None, unreadable),
        ("exporter", _SERVICE_DOWN.alert(config)),
        ("node", _TEXTFILE_ERROR.alert(config)),
        ("prometheus", _RELOAD_FAILED.alert(config)),
        ("prometheus", rules_failing(config)),
        ("alertmanager", notifications_failing(config)),
        ("alertmanager", _ALERTMANAGER_RELOAD_FAILED.alert(config)),
        ("prometheus", remote_write_behind(config)),
        ("node", disk_filling(config)),
        (None, _watchdog()),
    )
    idle = {
        "ServiceDown": not knows_services(config),
        "RemoteWriteBehind": not config.prometheus.remote_write,
    }
    return tuple(alert for job, alert in wanted if (job is None or job in jobs) and not idle.get(alert.name))


def knows_services(config: Config) -> bool:
    """Whether the exporter may have `external_service_status`: a collector has it where no probe is configured."""
    return "exporter" in config.prometheus.jobs and bool(config.exporter.probes or config.exporter.collectors)


def _watchdog() -> Alert:
    expr, usual = promql.constant(1), DEFAULT_ALERTS["Watchdog"]
    return Alert(
        name="Watchdog",
        group="stack",
        signal=expr,
        expr=expr,
        limit="always",
        for_=usual.for_,
        severity=usual.severity,
        summary="Alerting works",
        description="This alert always fires; when it stops arriving, the way from Prometheus to you is broken.",
        dashboard=Dashboard.SYSTEM_METRICS,
        runbook=Runbook(
            "Nothing is wrong while this alert fires.",
            ("if it has stopped: Prometheus, Alertmanager or the network between them is down",),
            ("Route it to a service that calls you when it stays away.",),
        ),
        carries=only_labels(),
        fires_without_data=True,
        scenarios=(Scenario("nothing at all", (), Firing({}, 1), Span.HELD),),
    )
