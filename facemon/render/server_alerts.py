"""The alerts on the monitoring's servers: a remote storage that falls behind, and a disk that fills."""

from facemon.config.alerts import DEFAULT_ALERTS
from facemon.config.document import Config
from facemon.config.durations import format_duration
from facemon.render import promql
from facemon.render.alert import Alert, Dashboard, Runbook, logs_of
from facemon.render.annotation import PERCENTAGE, label
from facemon.render.carried_labels import every_label
from facemon.render.foreign_metrics import NODE_DISK_FREE, NODE_DISK_SIZE, REMOTE_PENDING, REMOTE_SENT_UP_TO
from facemon.render.scenario import Clock, Firing, Gauge, Scenario, Span, series_text

_NO_DISK = promql.none_of("fstype", ("tmpfs", "ramfs", "overlay", "squashfs", "iso9660"))
_QUEUE_LABELS = (*promql.TARGET_LABELS, "remote_name", "url")
_QUEUE = {"remote_name": "archive", "url": "https://archive:1/w", "job": "prometheus", "instance": "localhost:9090"}
_DISK = {"device": "/dev/vda1", "fstype": "ext4", "mountpoint": "/", "job": "node", "instance": "node-exporter:1"}


def remote_write_behind(config: Config) -> Alert:
    """The alert on samples that wait for a remote storage.

    The age of what was sent alone does not tell: where nothing that is kept is scraped, nothing is sent.
    """
    oldest = config.alerts.oldest("RemoteWriteBehind")
    signal, usual = promql.age(REMOTE_SENT_UP_TO), DEFAULT_ALERTS["RemoteWriteBehind"]
    waiting = promql.compare(promql.select(REMOTE_PENDING), ">", 0)
    return Alert(
        name="RemoteWriteBehind",
        group="stack",
        signal=signal,
        expr=promql.only_where(
            promql.compare(signal, ">", oldest.total_seconds()), waiting, on=_QUEUE_LABELS
        ),
        limit=f"a remote storage has not received the samples of the last {format_duration(oldest)}",
        threshold=oldest.total_seconds(),
        for_=usual.for_,
        severity=usual.severity,
        summary=f"Remote storage {label('remote_name')} falls behind",
        description=f"Prometheus at {label('instance')} has sent nothing of the last {format_duration(oldest)} to "
        f"{label('url')}. After two hours it drops samples. Read Prometheus' log.",
        dashboard=Dashboard.SYSTEM_METRICS,
        runbook=Runbook(
            "Samples wait in Prometheus' write-ahead log, which keeps about two hours of them; what waits longer never "
            "reaches the remote storage.",
            ("the storage is down, or refuses what it gets", "a password, token or certificate has expired",
             "the network is too slow for what is written"),
            (f"Run `{logs_of('prometheus')}`, or read its log where it runs: it names the storage and the answer.",
             "Send less with `prometheus.remote_write.keep`, or faster with `queue.max_shards`."),
            {"Samples that wait:": promql.select(REMOTE_PENDING)},
        ),
        carries=every_label(REMOTE_SENT_UP_TO, config),
        scenarios=_behind_scenarios(oldest.total_seconds()),
    )  # fmt: skip


def _behind_scenarios(age: float) -> tuple[Scenario, ...]:
    def sent(seconds: float, **other: str) -> Clock:
        return Clock(series_text(REMOTE_SENT_UP_TO.name, {**_QUEUE, **other}), seconds)

    def pending(before: float, then: float, **other: str) -> Gauge:
        return Gauge(series_text(REMOTE_PENDING.name, {**_QUEUE, **other}), before, then)

    others = dict.fromkeys(_QUEUE_LABELS, "another")
    healthy = (sent(0, instance="other:1"), pending(9, 9, instance="other:1"))
    return (
        Scenario("samples wait, then none; another instance is unaffected", (sent(2 * age), pending(0, 9), *healthy),
                 Firing(_QUEUE), Span.HELD),
        Scenario("just too long", (sent(1.005 * age), pending(1, 1)), Firing(_QUEUE)),
        Scenario("exactly as long", (sent(age), pending(1, 1))),
        Scenario("nothing waits", (sent(2 * age), pending(0, 0))),
        *(Scenario(f"samples wait for another {name}", (sent(2 * age), pending(9, 9, **{name: other})))
          for name, other in others.items()),
    )  # fmt: skip


def _least_free(config: Config) -> float:
    """The limit of DiskFilling."""
    return config.alerts.limit("DiskFilling")


def disk_filling(config: Config) -> Alert:
    """The alert on a file system of a node that is nearly full; Prometheus stops when its own is."""
    limit, usual = _least_free(config), DEFAULT_ALERTS["DiskFilling"]
    signal = promql.divide(promql.select(NODE_DISK_FREE, _NO_DISK), promql.select(NODE_DISK_SIZE, _NO_DISK))
    return Alert(
        name="DiskFilling",
        group="stack",
        signal=signal,
        expr=promql.compare(signal, "<", limit),
        limit=f"less than {100 * limit:.4g} % of a file system is free",
        threshold=limit,
        for_=usual.for_,
        severity=usual.severity,
        summary=f"{label('mountpoint')} is nearly full",
        description=f"Of {label('mountpoint')} at {label('instance')} {PERCENTAGE} is free. Run `df -h`.",
        dashboard=Dashboard.SYSTEM_METRICS,
        runbook=Runbook(
            "When its disk is full, Prometheus stops to store samples and alerts stop too; a full disk of the store "
            "stops predictions.",
            ("`prometheus.retention` is longer than the disk is large",
             "`facemon store prune` does not run, or `store.retention_days` is too long",
             "logs or images of another program"),
            ("Run `df -h` on that machine, then `du -xh --max-depth=2 MOUNTPOINT | sort -h`.",
             "Shorten `prometheus.retention`, or run `facemon store prune` where the store lies there.",
             "A file system that is small by design: lower `alerts.DiskFilling.threshold`."),
            {"Bytes that are free:": promql.select(NODE_DISK_FREE, _NO_DISK)},
        ),
        carries=every_label(NODE_DISK_FREE, config),
        scenarios=_disk_scenarios(limit),
    )  # fmt: skip


def _disk_scenarios(limit: float) -> tuple[Scenario, ...]:
    size = 8.0  # a power of two, so that the share is the limit to the last bit

    def disk(before: float, then: float, **other: str) -> tuple[Gauge, Gauge]:
        labels = {**_DISK, **other}
        free = Gauge(series_text(NODE_DISK_FREE.name, labels), before * size, then * size)
        return free, Gauge(series_text(NODE_DISK_SIZE.name, labels), size, size)

    clear = round(0.9 * limit, 4)
    healthy = disk(limit, limit, instance="node-exporter:2")
    return (
        Scenario("fills and is emptied; another instance is unaffected", (*disk(limit, clear), *healthy),
                 Firing(_DISK, clear), Span.HELD),
        Scenario("just too little", disk(limit * 0.995, limit * 0.995), Firing(_DISK, limit * 0.995)),
        Scenario("exactly at the limit", disk(limit, limit)),
        Scenario("a file system that is not on a disk", disk(0, 0, fstype="tmpfs")),
    )  # fmt: skip
