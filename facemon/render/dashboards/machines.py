"""What the dashboard *System Metrics* shows of machines, as node-exporter tells it."""

from collections.abc import Sequence

from facemon.render import foreign_metrics as foreign
from facemon.render import promql
from facemon.render.dashboards.expressions import greatest
from facemon.render.dashboards.in_and_out import in_and_out
from facemon.render.dashboards.panel import Panel, Query, stat

Targets = Sequence[promql.Matcher]

# What is mounted for a moment, is memory, or can only be read.
_NO_DISK = promql.none_of("fstype", ("tmpfs", "ramfs", "overlay", "squashfs", "iso9660"))


def machines_now(targets: Targets) -> tuple[Panel, ...]:
    """The worst of all machines that are chosen, in four numbers."""
    open_files = _share(foreign.NODE_FILES_OPEN, foreign.NODE_FILES_LIMIT, targets)
    return (
        _worst(8, "CPU now", "Share of CPU time in use, on the busiest machine.", _cpu(targets)),
        _worst(9, "Memory now", "Share of memory in use, on the fullest machine.", _memory(targets)),
        _worst(10, "Fullest disk", "Share of space in use, on the fullest disk.", _disk_space(targets),
               "{{mountpoint}} {{instance}}"),
        _worst(11, "Open files", "File descriptors in use, as a share of the machine's limit.", open_files),
    )  # fmt: skip


def machine_panels(targets: Targets) -> tuple[Panel, ...]:
    """The panels of machines; `targets` choose whose."""
    return (*_load(targets), *_disks(targets), *_network_and_files(targets))


def _worst(number: int, title: str, description: str, share: promql.Expr, whose: str = "{{instance}}") -> Panel:
    return stat(
        number, title, description, "percentunit", greatest(share), whose=whose, highest=1, decimals=0, needs=("node",)
    )


def _load(targets: Targets) -> tuple[Panel, ...]:
    resources = (
        ("CPU", foreign.NODE_CPU_WAITING),
        ("memory", foreign.NODE_MEMORY_WAITING),
        ("disk", foreign.NODE_IO_WAITING),
    )
    return (
        Panel(
            id=1,
            title="CPU and memory",
            description="Share of the machine's CPU time and memory in use.",
            unit="percentunit",
            queries=(Query(_cpu(targets), "CPU {{instance}}"), Query(_memory(targets), "memory {{instance}}")),
            highest=1,
        ),
        Panel(
            id=16,
            title="Pressure",
            description="Share of time in which something had to wait for CPU, memory or disk (the kernel's PSI): high "
            "means too little of it, however much is in use.",
            unit="percentunit",
            queries=tuple(
                Query(promql.rate(metric, promql.RATE_INTERVAL, *targets), f"{name} {{{{instance}}}}")
                for name, metric in resources
            ),
        ),
    )


def _disks(targets: Targets) -> tuple[Panel, ...]:
    busy = promql.rate(foreign.NODE_DISK_BUSY, promql.RATE_INTERVAL, *targets)
    return (
        Panel(
            id=17,
            title="Disk space",
            description="Share of each disk's space in use; without what is memory or read-only.",
            unit="percentunit",
            queries=(Query(_disk_space(targets), "{{mountpoint}} {{instance}}"),),
            highest=1,
        ),
        Panel(
            id=18,
            title="Disk busy",
            description="Share of time in which each disk worked.",
            unit="percentunit",
            queries=(Query(promql.aggregate("max", busy, by=("instance", "device")), "{{device}} {{instance}}"),),
        ),
    )


def _network_and_files(targets: Targets) -> tuple[Panel, ...]:
    machines = _share(foreign.NODE_FILES_OPEN, foreign.NODE_FILES_LIMIT, targets)
    processes = _share(foreign.PROCESS_FILES_OPEN, foreign.PROCESS_FILES_LIMIT, targets)
    return (
        in_and_out(2, "Disk I/O", "Bytes per second read from and written to each machine's disks.",
                   ("read", foreign.NODE_DISK_READ), ("written", foreign.NODE_DISK_WRITTEN), targets, by="instance"),
        in_and_out(3, "Network", "Bytes per second received and sent by each machine, without its own loopback.",
                   ("received", foreign.NODE_NETWORK_RECEIVED), ("sent", foreign.NODE_NETWORK_SENT),
                   (promql.differs("device", "lo"), *targets), by="instance"),
        Panel(
            id=19,
            title="File descriptors of machines",
            description="Open files of each machine, as a share of its limit.",
            unit="percentunit",
            queries=(Query(machines, "{{instance}}"),),
        ),
        Panel(
            id=20,
            title="File descriptors of processes",
            description="Open files of each process, as a share of its limit: at 100 % it takes no connection.",
            unit="percentunit",
            queries=(Query(processes, "{{job}} {{instance}}"),),
            needs=("node", "prometheus", "alertmanager", "pushgateway"),
        ),
    )  # fmt: skip


def _cpu(targets: Targets) -> promql.Expr:
    idle = promql.rate(foreign.NODE_CPU, promql.RATE_INTERVAL, promql.equals("mode", "idle"), *targets)
    return promql.complement(promql.aggregate("avg", idle, by=("instance",)))


def _memory(targets: Targets) -> promql.Expr:
    return promql.complement(_share(foreign.NODE_MEMORY_AVAILABLE, foreign.NODE_MEMORY_TOTAL, targets))


def _disk_space(targets: Targets) -> promql.Expr:
    return promql.complement(_share(foreign.NODE_DISK_FREE, foreign.NODE_DISK_SIZE, (_NO_DISK, *targets)))


def _share(part: promql.Series, whole: promql.Series, matchers: Targets) -> promql.Expr:
    return promql.divide(promql.select(part, *matchers), promql.select(whole, *matchers))
